import { type ChainTable, flawOf, splitChains, tableOf } from './chains.js';
import { chainVariances } from './effective-draws.js';
import { foldedOrder, inOrder, sortedOrder } from './order.js';
import { sortedQuantile } from './quantile.js';
import { rankNormalise } from './rank-normalise.js';

/** √((B/W + n − 1)/n); infinite when every chain stands still somewhere else. */
function potentialScaleReduction(table: ChainTable): number {
  const { within, betweenMeans } = chainVariances(table);
  return Math.sqrt(betweenMeans / within + (table.length - 1) / table.length);
}

/** R-hat of chains that are split already, with the indices that sort their draws and their scores. */
export function rhatOfSplit(split: ChainTable, order: Uint32Array, scores: ChainTable): number {
  const median = sortedQuantile(inOrder(split.values, order), 0.5);
  const distances = { ...split, values: split.values.map((value) => Math.abs(value - median)) };
  const bulk = potentialScaleReduction(scores);
  const tail = potentialScaleReduction(rankNormalise(distances, foldedOrder(split.values, order, median)));
  // Two values, as far from the median as each other, fold to one: then only the bulk says something.
  return Number.isNaN(tail) ? bulk : Math.max(bulk, tail);
}

/**
 * R-hat, rank-normalised and split: whether chains agree in location and, folded about the median, in spread.
 *
 * Each chain is cut into halves of n draws, the draws are replaced by normal scores z of their ranks, and
 *
 *     R̂ = √((B/W + n − 1)/n),  B = n · variance of the chains' means,  W = mean of the chains' variances,
 *
 * is computed for the scores of x and of |x − median|; the larger is returned. Below 1.01 the chains are taken to agree
 * (Vehtari et al. 2021, Bayesian Analysis 16(2), eqs. 1–4 and 14). One chain is compared with itself, half against half.
 *
 * @param chains one array of draws per chain, of equal lengths.
 * @returns NaN with fewer than 4 draws per chain, for draws that are not finite, and for a quantity that never changes.
 * @throws ShapeError if there is no chain or their lengths differ.
 * @example
 * ```ts
 * import { rhat } from '@bpc/samplers';
 * const wave = (shift: number) => Float64Array.from({ length: 400 }, (_, i) => Math.sin(i * i) + shift);
 * console.log(rhat([wave(0), wave(0)]) < 1.01, rhat([wave(0), wave(3)]) > 1.5); // true true
 * ```
 */
export function rhat(chains: readonly Float64Array[]): number {
  const table = tableOf(chains);
  if (flawOf(table) !== undefined) return Number.NaN;
  const split = splitChains(table);
  const order = sortedOrder(split.values);
  return rhatOfSplit(split, order, rankNormalise(split, order));
}
