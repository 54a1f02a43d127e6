/** B_{2k}/(2k(2k − 1)), the coefficients of Stirling's series in 1/x, 1/x³, … */
const SERIES = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156];

/**
 * What Stirling's formula leaves: δ(x) = log Γ(x + 1) − (x + ½) log x + x − ½ log 2π for x > 0, to about 1e-16 absolute.
 *
 * Its asymptotic series from 10 on; below, δ(x) = δ(x + 1) + (x + ½) log(1 + 1/x) − 1. Ratios of gamma functions computed with
 * it keep their digits where logarithms of gamma functions would cancel (Loader 2000, "Fast and accurate computation of
 * binomial probabilities").
 */
export function stirlingRemainder(x: number): number {
  let shift = 0;
  let large = x;
  for (; large < 10; large++) shift += (large + 0.5) * Math.log1p(1 / large) - 1;
  const square = 1 / (large * large);
  return shift + SERIES.reduceRight((sum, coefficient) => sum * square + coefficient, 0) / large;
}
