import type { ChainTable } from './chains.js';
import { normalQuantile } from './normal-quantile.js';

/**
 * Every draw replaced by the normal quantile of its rank among all S draws, z = Φ⁻¹((r − ⅜)/(S + ¼)); ties share their mean
 * rank (Vehtari et al. 2021, eq. 14; offsets of Blom 1958). What is left has finite moments whatever the tails were.
 *
 * @param order indices that sort the draws.
 */
export function rankNormalise(table: ChainTable, order: Uint32Array): ChainTable {
  const { values } = table;
  const total = values.length;
  const scores = new Float64Array(total);
  for (let first = 0; first < total; ) {
    const value = values[order[first] as number];
    let last = first;
    while (last + 1 < total && values[order[last + 1] as number] === value) last++;
    const score = normalQuantile(((first + last) / 2 + 1 - 0.375) / (total + 0.25));
    for (let k = first; k <= last; k++) scores[order[k] as number] = score;
    first = last + 1;
  }
  return { ...table, values: scores };
}
