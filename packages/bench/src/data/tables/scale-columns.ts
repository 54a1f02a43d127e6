import type { NumericColumn } from './encode-columns.js';
import type { ColumnScaling } from './table.js';

/**
 * Mean and standard deviation (divisor N) of every column over the training rows.
 *
 * Indicators, columns of only 0 and 1 there, are left alone (mean 0, deviation 1): their zeros mean something. A column
 * that is constant is centred and not scaled.
 */
export function fitScaling(columns: readonly NumericColumn[], train: ArrayLike<number>): ColumnScaling {
  const mean = new Float64Array(columns.length);
  const std = new Float64Array(columns.length).fill(1);
  for (const [j, { values }] of columns.entries()) {
    let sum = 0;
    let indicator = true;
    for (let i = 0; i < train.length; i++) {
      const value = values[train[i] ?? 0] ?? Number.NaN;
      sum += value;
      if (value !== 0 && value !== 1) indicator = false;
    }
    if (indicator) continue;
    const m = sum / train.length;
    let squares = 0;
    for (let i = 0; i < train.length; i++) squares += ((values[train[i] ?? 0] ?? Number.NaN) - m) ** 2;
    mean[j] = m;
    std[j] = Math.sqrt(squares / train.length) || 1;
  }
  return { mean, std };
}

/** No scaling. */
export const noScaling = (columns: number): ColumnScaling => ({ mean: new Float64Array(columns), std: new Float64Array(columns).fill(1) });
