import { essMean } from '@bpc/samplers';

/** A function of a draw whose expectation under the target is known. */
export interface Known {
  readonly name: string;
  readonly of: (q: ArrayLike<number>) => number;
  readonly mean: number;
}

/** Mean, second moment and quantiles of one coordinate. */
export function marginal(
  name: string,
  coordinate: (q: ArrayLike<number>) => number,
  moments: { readonly mean: number; readonly variance: number },
  quantiles: readonly (readonly [probability: number, quantile: number])[],
): Known[] {
  return [
    { name: `mean of ${name}`, of: coordinate, mean: moments.mean },
    { name: `variance of ${name}`, of: (q) => (coordinate(q) - moments.mean) ** 2, mean: moments.variance },
    ...quantiles.map(
      ([probability, quantile]): Known => ({
        name: `probability of ${name} ≤ ${quantile.toFixed(3)}`,
        of: (q) => Number(coordinate(q) <= quantile),
        mean: probability,
      }),
    ),
  ];
}

/** Deviations of sample means from known expectations in Monte Carlo standard errors, with the effective sample sizes that give these. */
export function scores(
  chains: readonly (readonly ArrayLike<number>[])[],
  known: readonly Known[],
): { readonly name: string; readonly z: number; readonly ess: number }[] {
  return known.map(({ name, of, mean }) => {
    const series = chains.map((draws) => Float64Array.from(draws, of));
    const all = series.flatMap((values) => [...values]);
    const average = all.reduce((sum, x) => sum + x, 0) / all.length;
    const variance = all.reduce((sum, x) => sum + (x - average) ** 2, 0) / (all.length - 1);
    const ess = essMean(series);
    return { name, z: (average - mean) / Math.sqrt(variance / ess), ess };
  });
}
