import { betaQuantile } from './beta-quantile.js';
import { flawOf, momentsOf, squaredDeviations, tableOf } from './chains.js';
import { essMean, essQuantile, essSd } from './ess.js';

/** Φ(∓1), rounded as posterior and ArviZ round it. */
const ONE_SIGMA = [0.1586553, 0.8413447] as const;

/**
 * Monte Carlo standard error of the mean, sd/√(`essMean`), sd with divisor S − 1 (Vehtari et al. 2021, section 4.1).
 *
 * @param chains one array of draws per chain, of equal lengths.
 * @returns in the unit of the quantity; NaN as for `essBulk`.
 * @throws ShapeError if there is no chain or their lengths differ.
 * @example
 * ```ts
 * import { mcseMean } from '@bpc/samplers';
 * const draws = Float64Array.from({ length: 900 }, (_, i) => 10 * Math.sin(i * i));
 * console.log(mcseMean([draws]).toFixed(1)); // about 10/√2/√900
 * ```
 */
export function mcseMean(chains: readonly Float64Array[]): number {
  const { values } = tableOf(chains);
  const { variance } = momentsOf(values);
  return Math.sqrt((variance * values.length) / (values.length - 1) / essMean(chains));
}

/**
 * Monte Carlo standard error of the standard deviation by the delta method, √(Var(d²)/`essSd`)/(2·sd), d = x − mean: it does
 * not take the draws for normal (Kenney & Keeping 1951; Vehtari et al. 2021). Arguments, NaN and errors as for `mcseMean`.
 */
export function mcseSd(chains: readonly Float64Array[]): number {
  const table = tableOf(chains);
  const { mean, variance } = momentsOf(table.values);
  const ofSquares = momentsOf(squaredDeviations(table, mean).values).variance;
  return Math.sqrt(ofSquares / essSd(chains) / variance) / 2;
}

/**
 * Monte Carlo standard error of the p-quantile: half the distance of the order statistics at the 15.9 % and 84.1 % points of
 * Beta(ESS·p + 1, ESS·(1 − p) + 1), ESS = `essQuantile` (Vehtari et al. 2021, section 4.4).
 * Arguments, NaN and shape errors as for `mcseMean`.
 *
 * @throws ConfigError unless 0 < p < 1.
 */
export function mcseQuantile(chains: readonly Float64Array[], p: number): number {
  const draws = essQuantile(chains, p);
  const table = tableOf(chains);
  if (flawOf(table) !== undefined) return Number.NaN;
  const sorted = table.values.slice().sort();
  const size = sorted.length;
  const [low, high] = ONE_SIGMA.map((level) => betaQuantile(level, draws * p + 1, draws * (1 - p) + 1) * size - 1);
  const below = sorted[Math.floor(Math.max(low ?? 0, 0))] ?? Number.NaN;
  const above = sorted[Math.ceil(Math.min(high ?? 0, size - 1))] ?? Number.NaN;
  return (above - below) / 2;
}
