/** Shape k and scale σ of a generalised Pareto distribution: P(X > x) = (1 + k·x/σ)^{−1/k}. */
export interface GeneralisedPareto {
  readonly shape: number;
  readonly scale: number;
}

/** The weak prior of k is worth this many observations of ½: it steadies fits to few. */
const PRIOR_DRAWS = 10;
const PRIOR_SHAPE = 0.5;

/** Mean of log(1 − b·x). */
function meanLog(b: number, sorted: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < sorted.length; i++) sum += Math.log1p(-b * (sorted[i] as number));
  return sum / sorted.length;
}

/**
 * Fits the distribution to sorted positive numbers: the posterior mean of b = −k/σ over a grid of 30 + √n points under its
 * profile likelihood, then k drawn a little towards ½ (Zhang & Stephens 2009, Technometrics 51; Vehtari et al. 2024, appendix).
 */
export function fitGeneralisedPareto(sorted: Float64Array): GeneralisedPareto {
  const n = sorted.length;
  const quartile = sorted[Math.floor(n / 4 + 0.5) - 1] ?? Number.NaN;
  const largest = sorted[n - 1] ?? Number.NaN;
  const points = 30 + Math.floor(Math.sqrt(n));
  const grid = Float64Array.from({ length: points }, (_, j) => 1 / largest + (1 - Math.sqrt(points / (j + 0.5))) / (3 * quartile));
  const likelihood = grid.map((b) => {
    const k = meanLog(b, sorted);
    return n * (Math.log(-b / k) - k - 1);
  });
  const peak = likelihood.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const weights = likelihood.map((value) => Math.exp(value - peak));
  const total = weights.reduce((a, b) => a + b, 0);
  // Points of the grid without weight are left out, as in the reference implementations.
  const kept = weights.map((weight) => (weight / total >= 10 * Number.EPSILON ? weight : 0));
  const b = kept.reduce((sum, weight, j) => sum + weight * (grid[j] as number), 0) / kept.reduce((x, y) => x + y, 0);
  const k = meanLog(b, sorted);
  return { shape: (n * k + PRIOR_DRAWS * PRIOR_SHAPE) / (n + PRIOR_DRAWS), scale: -k / b };
}

/** Quantile of the distribution at p. */
export function generalisedParetoQuantile(p: number, { shape, scale }: GeneralisedPareto): number {
  const tail = -Math.log1p(-p);
  return scale * (Math.abs(shape) < Number.EPSILON ? tail : Math.expm1(shape * tail) / shape);
}
