import type { SplitRole } from '../dataset.js';

/** What is predicted: one of two classes (0, 1), one of several (0, 1, 2, …), or a number. */
export type TableTask = 'binary' | 'classes' | 'regression';

/**
 * One split of a table; splits of different roles are different types, as those of images are.
 *
 * `features` row-major `[count, columns]`, `targets` `[count]`, both float64. Treat them as read-only.
 */
export interface TableSplit<Role extends SplitRole> {
  readonly role: Role;
  readonly count: number;
  readonly features: Float64Array;
  readonly targets: Float64Array;
}

/** Rows to learn from. */
export type TableTrain = TableSplit<'train'>;
/** Rows to choose settings with; never learned from. */
export type TableValidation = TableSplit<'validation'>;
/** Rows for the one final score. */
export type TableTest = TableSplit<'test'>;

/** How the columns of a table were scaled: `(x − mean) / std`; 0 and 1 where a column was left alone. */
export interface ColumnScaling {
  readonly mean: Float64Array;
  readonly std: Float64Array;
}

/** A tabular data set, as `getTable` returns it. */
export interface Table {
  readonly name: string;
  readonly task: TableTask;
  /** Names of the features, after one column per category. */
  readonly columns: readonly string[];
  /** Names of the classes; none for a regression. */
  readonly classNames: readonly string[];
  readonly train: TableTrain;
  readonly validation: TableValidation;
  readonly test: TableTest;
  /** Fitted on `train` only. */
  readonly scaling: ColumnScaling;
}

/** A column as its file gives it: numbers, or words that become one column each. */
export type RawColumn =
  | { readonly name: string; readonly kind: 'number'; readonly values: Float64Array }
  | { readonly name: string; readonly kind: 'category'; readonly values: readonly string[] };

/** Rows of one file, before they are divided. */
export interface RawTable {
  readonly columns: readonly RawColumn[];
  readonly targets: Float64Array;
}
