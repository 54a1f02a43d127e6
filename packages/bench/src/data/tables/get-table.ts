import { ConfigError, ShapeError } from '@bpc/core';
import type { SplitRole } from '../dataset.js';
import { divideTraining } from '../division.js';
import { throwIfAborted } from '../download.js';
import { remainingIndices } from '../draw-indices.js';
import { type Found, readVerified } from '../locate.js';
import { type Manifest, shippedManifest, type TableEntry, type TableLayout, tableEntry } from '../manifest.js';
import { findOrFetch, listedFile, type SearchOptions } from '../open-files.js';
import { encodeColumns, type NumericColumn } from './encode-columns.js';
import { parseDelimited } from './parse-delimited.js';
import { parseLibsvm } from './parse-libsvm.js';
import { fitScaling, noScaling } from './scale-columns.js';
import type { ColumnScaling, RawColumn, RawTable, Table, TableSplit } from './table.js';

/** Options of `getTable`; every one has a default that works. */
export interface TableOptions extends SearchOptions {
  /** Scale columns to mean 0 and standard deviation 1 of the training rows; indicators stay. Default true. */
  readonly standardise?: boolean;
  /** Default: the manifest shipped with this package. */
  readonly manifest?: Manifest;
}

/**
 * Load a tabular data set: from this package, the user's folder or the cache, hash-checked.
 *
 * Columns of words become one indicator per category; columns are then scaled with the training rows' moments. Splits are
 * fixed: where the files have test rows of their own these are `test`, else a seeded permutation decides.
 *
 * @throws ConfigError for an unknown table (listing the known ones); StorageError if its files are not on this machine;
 * ChecksumError for files that differ; ShapeError naming row and column of what cannot be read.
 *
 * @example
 * ```ts
 * import { getTable } from '@bpc/bench';
 * const { task, columns, train, test } = await getTable('breast_cancer');
 * console.log(task, columns.length, train.count, test.count); // binary 30 343 113
 * ```
 */
export async function getTable(name: string, options: TableOptions = {}): Promise<Table> {
  const entry = tableEntry(options.manifest ?? shippedManifest(), name);
  throwIfAborted(options.signal, name);
  const found = await findOrFetch(name, entry.layouts, options);
  const main = await readTable(name, found, entry, 'table');
  const own = 'testTable' in found.layout.files ? await readTable(name, found, entry, 'testTable') : undefined;
  const divided = divideTraining(entry.division, main.targets, entry.classNames.length, name);
  const first = main.targets.length;
  const rows = {
    train: divided.train,
    validation: divided.validation,
    test: own === undefined ? (divided.test ?? []) : remainingIndices(own.targets.length).map((index) => first + index),
  };
  checkSplits(name, entry, rows);
  const { columns: raw, targets: all } = own === undefined ? main : joinTables(main, own);
  const columns = encodeColumns(raw, rows.train);
  const scaling = options.standardise === false ? noScaling(columns.length) : fitScaling(columns, rows.train);
  const split = <Role extends SplitRole>(role: Role): TableSplit<Role> => pickRows(role, columns, all, rows[role], scaling);
  return {
    name,
    task: entry.task,
    columns: columns.map((column) => column.name),
    classNames: entry.classNames,
    train: split('train'),
    validation: split('validation'),
    test: split('test'),
    scaling,
  };
}

async function readTable(
  name: string,
  { layout, paths, place }: Found<TableLayout>,
  { task, classNames }: TableEntry,
  role: string,
): Promise<RawTable> {
  const { syntax } = layout;
  const read = async (wanted: string): Promise<string> =>
    new TextDecoder().decode(await readVerified(paths.get(wanted) ?? wanted, listedFile(layout, wanted, name), place));
  const path = paths.get(role) ?? role;
  const targets = 'targets' in layout.files ? await read('targets') : undefined;
  const table =
    syntax.kind === 'libsvm' ? parseLibsvm(await read(role), path, syntax) : parseDelimited(await read(role), path, syntax, targets);
  const bad =
    task === 'regression'
      ? undefined
      : table.targets.find((target) => !(Number.isInteger(target) && target >= 0 && target < classNames.length));
  if (bad === undefined) return table;
  throw new ConfigError(`${path} has the class ${bad}, expected 0 … ${classNames.length - 1}`, 'use the original file');
}

function checkSplits(name: string, { splits }: TableEntry, rows: Readonly<Record<SplitRole, ArrayLike<number>>>): void {
  for (const role of ['train', 'validation', 'test'] as const) {
    if (rows[role].length === splits[role]) continue;
    throw new ShapeError(
      `${name} has ${rows[role].length} ${role} rows in these files, expected ${splits[role]}`,
      'use the complete files',
    );
  }
}

/** The rows of the second table after those of the first. */
function joinTables(first: RawTable, second: RawTable): RawTable {
  const columns = first.columns.map((column, j): RawColumn => {
    const other = second.columns[j];
    if (column.kind === 'number' && other?.kind === 'number') return { ...column, values: concatenate(column.values, other.values) };
    if (column.kind === 'category' && other?.kind === 'category') return { ...column, values: [...column.values, ...other.values] };
    throw new ShapeError(`column ${column.name} is not of one kind in both files`, 'use files that belong together');
  });
  return { columns, targets: concatenate(first.targets, second.targets) };
}

function concatenate(a: Float64Array, b: Float64Array): Float64Array {
  const out = new Float64Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}

function pickRows<Role extends SplitRole>(
  role: Role,
  columns: readonly NumericColumn[],
  targets: Float64Array,
  rows: ArrayLike<number>,
  { mean, std }: ColumnScaling,
): TableSplit<Role> {
  const count = rows.length;
  const width = columns.length;
  const features = new Float64Array(count * width);
  for (const [j, { values }] of columns.entries()) {
    for (let i = 0; i < count; i++) features[i * width + j] = ((values[rows[i] ?? 0] ?? Number.NaN) - (mean[j] ?? 0)) / (std[j] ?? 1);
  }
  return { role, count, features, targets: Float64Array.from({ length: count }, (_, i) => targets[rows[i] ?? 0] ?? Number.NaN) };
}
