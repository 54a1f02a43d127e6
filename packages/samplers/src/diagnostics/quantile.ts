import { ConfigError } from '@bpc/core';

/** @throws ConfigError unless 0 < p < 1. */
export function checkProbability(p: number, name = 'probability'): void {
  if (!(p > 0 && p < 1)) throw new ConfigError(`${name} is ${p}, expected a number between 0 and 1`, 'pass for example 0.95');
}

/** Quantile of sorted values by linear interpolation between order statistics (type 7 of Hyndman & Fan, R's default). */
export function sortedQuantile(sorted: Float64Array, p: number): number {
  const n = sorted.length;
  // In this order of operations ranks that are whole numbers mostly come out whole: (n − 1)p + 1 may not.
  const rank = n * p + (1 - p);
  const below = Math.min(Math.max(Math.floor(rank), 1), Math.max(n - 1, 1));
  const low = sorted[below - 1] ?? Number.NaN;
  const high = sorted[below] ?? low;
  if (low === high) return low;
  const share = Math.min(Math.max(rank - below, 0), 1);
  return (1 - share) * low + share * high;
}
