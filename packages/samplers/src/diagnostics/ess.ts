import { atMost, type ChainTable, flawOf, momentsOf, splitChains, squaredDeviations, tableOf } from './chains.js';
import { effectiveDraws } from './effective-draws.js';
import { sortedOrder } from './order.js';
import { checkProbability, sortedQuantile } from './quantile.js';
import { rankNormalise } from './rank-normalise.js';

/** The checks that all of them share, then the number. */
function ofSoundChains(chains: readonly Float64Array[], of: (table: ChainTable) => number): number {
  const table = tableOf(chains);
  return flawOf(table) === undefined ? of(table) : Number.NaN;
}

/** Of the indicator of x ≤ the p-quantile, given the sorted draws. */
export const quantileDraws = (table: ChainTable, sorted: Float64Array, p: number): number =>
  effectiveDraws(splitChains(atMost(table, sortedQuantile(sorted, p))));

/** The smaller one of the two tails. */
export const tailDraws = (table: ChainTable, sorted: Float64Array): number =>
  Math.min(quantileDraws(table, sorted, 0.05), quantileDraws(table, sorted, 0.95));

/**
 * Bulk effective sample size: how many independent draws would locate the centre of the distribution as well as these.
 *
 * ESS = S/τ̂ of the rank-normalised split chains, S draws in all, τ̂ the integrated autocorrelation time by Geyer's initial
 * monotone sequence over all chains together, which lowers it when they disagree (Vehtari et al. 2021, eqs. 10–14). Antithetic
 * chains have more than S, at most S·log₁₀ S. At least 100 per chain is the usual demand.
 *
 * @param chains one array of draws per chain, of equal lengths.
 * @returns NaN with fewer than 4 draws per chain, for draws that are not finite, and for a quantity that never changes.
 * @throws ShapeError if there is no chain or their lengths differ.
 * @example
 * ```ts
 * import { essBulk } from '@bpc/samplers';
 * const slow = Float64Array.from({ length: 1000 }, (_, i) => Math.sin(i / 50) + 0.1 * Math.sin(i * i));
 * console.log(essBulk([slow]) < 100); // true
 * ```
 */
export const essBulk = (chains: readonly Float64Array[]): number =>
  ofSoundChains(chains, (table) => {
    const split = splitChains(table);
    return effectiveDraws(rankNormalise(split, sortedOrder(split.values)));
  });

/**
 * Tail effective sample size: the smaller of `essQuantile` at 5 % and at 95 % (Vehtari et al. 2021, section 4.3).
 * Arguments, NaN and errors as for `essBulk`.
 */
export const essTail = (chains: readonly Float64Array[]): number =>
  ofSoundChains(chains, (table) => tailDraws(table, table.values.slice().sort()));

/**
 * Effective sample size for the p-quantile q: that of the mean of the indicator of x ≤ q (Vehtari et al. 2021, section 4.3).
 * NaN and shape errors as for `essBulk`.
 *
 * @throws ConfigError unless 0 < p < 1.
 */
export function essQuantile(chains: readonly Float64Array[], p: number): number {
  checkProbability(p);
  return ofSoundChains(chains, (table) => quantileDraws(table, table.values.slice().sort(), p));
}

/** Effective sample size for the mean, of the split draws as they are: what `mcseMean` divides by. As `essBulk` otherwise. */
export const essMean = (chains: readonly Float64Array[]): number => ofSoundChains(chains, (table) => effectiveDraws(splitChains(table)));

/** Effective sample size for the standard deviation, of the split (x − mean)². As `essBulk` otherwise. */
export const essSd = (chains: readonly Float64Array[]): number =>
  ofSoundChains(chains, (table) => effectiveDraws(splitChains(squaredDeviations(table, momentsOf(table.values).mean))));
