import type { RawColumn } from './table.js';

/** A column of numbers. */
export interface NumericColumn {
  readonly name: string;
  readonly values: Float64Array;
}

/**
 * Columns of words become one column of 0 and 1 per category that a training row has, in alphabetical order.
 *
 * A category that only validation or test rows have is 0 in all of them: what it means was never learned.
 *
 * @param train - indices of the training rows.
 */
export function encodeColumns(columns: readonly RawColumn[], train: ArrayLike<number>): NumericColumn[] {
  return columns.flatMap((column): NumericColumn[] => {
    if (column.kind === 'number') return [column];
    const { name, values } = column;
    const categories = new Set<string>();
    for (let i = 0; i < train.length; i++) categories.add(values[train[i] ?? 0] ?? '');
    return [...categories].sort().map((category) => ({
      name: `${name}=${category}`,
      values: Float64Array.from(values, (value) => (value === category ? 1 : 0)),
    }));
  });
}
