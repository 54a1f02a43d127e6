import type { ChainTable } from './chains.js';
import { normalQuantile } from './normal-quantile.js';

/** Number of entries of `sorted` that are smaller than `value`. */
function countBelow(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Mean rank of `value` among `sorted`, ties halved, as a share from 0 to 1. */
export function relativeRank(sorted: Float64Array, value: number): number {
  const below = countBelow(sorted, value);
  let atMost = below;
  while (sorted[atMost] === value) atMost++;
  return (below + atMost) / (2 * sorted.length);
}

/**
 * Every draw replaced by the normal quantile of its rank among all S draws, z = Φ⁻¹((r − ⅜)/(S + ¼)); ties share their mean
 * rank (Vehtari et al. 2021, eq. 14; offsets of Blom 1958). What is left has finite moments whatever the tails were.
 */
export function rankNormalise(table: ChainTable): ChainTable {
  const sorted = table.values.slice().sort();
  const total = sorted.length;
  // One quantile per distinct value, at the place of its first copy.
  const scores = new Float64Array(total);
  for (let first = 0; first < total; ) {
    let last = first;
    while (last + 1 < total && sorted[last + 1] === sorted[first]) last++;
    scores[first] = normalQuantile(((first + last) / 2 + 1 - 0.375) / (total + 0.25));
    first = last + 1;
  }
  return { ...table, values: table.values.map((value) => scores[countBelow(sorted, value)] as number) };
}
