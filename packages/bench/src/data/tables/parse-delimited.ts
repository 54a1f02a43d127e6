import { ShapeError } from '@bpc/core';
import type { RawColumn, RawTable } from './table.js';
import type { DelimitedSyntax } from './table-schema.js';

/** How files of old systems end. */
const CONTROL_Z = String.fromCharCode(0x1a);

/**
 * Read a table of values between separators: comma-separated files and the data part of ARFF files.
 *
 * ARFF declarations (lines that start with `@`) and comments (`%`) are skipped, as are empty lines and a closing control-Z.
 *
 * @param targets - text of a separate file with one target per line, where the table has none.
 * @throws ShapeError naming file, line and column for a row of another length, a value that is no finite number, or an
 * unknown class.
 */
export function parseDelimited(text: string, file: string, syntax: DelimitedSyntax, targets?: string): RawTable {
  const rows = rowsOf(text, syntax);
  const { columns, target, categories = [], drop = [], classes } = syntax;
  const wrong = (row: number, what: string): ShapeError =>
    new ShapeError(`row ${row + 1} of ${file} ${what}`, 'use the original file, complete');
  for (const [i, row] of rows.entries()) {
    if (row.length !== columns.length) throw wrong(i, `has ${row.length} values, expected ${columns.length}`);
  }
  const numeric = (i: number, word: string, name: string): number => {
    const value = word === '' ? Number.NaN : Number(word);
    if (!Number.isFinite(value)) throw wrong(i, `has '${word}' in column ${name}, expected a number`);
    return value;
  };
  const targetOf = (i: number, word: string): number => {
    if (classes === undefined) return numeric(i, word, target);
    const index = classes.findIndex((words) => words.includes(word));
    if (index < 0) throw wrong(i, `has the class '${word}', expected one of: ${classes.flat().join(', ')}`);
    return index;
  };
  const words =
    targets === undefined ? rows.map((row) => row[columns.indexOf(target)] ?? '') : rowsOf(targets, syntax).map((row) => row[0] ?? '');
  if (words.length !== rows.length)
    throw new ShapeError(`${file} has ${rows.length} rows and ${words.length} targets`, 'use files that belong together');
  return {
    targets: Float64Array.from(words, (word, i) => targetOf(i, word)),
    columns: columns.flatMap((name, c): RawColumn[] => {
      if (name === target || drop.includes(name)) return [];
      const found = rows.map((row) => row[c] ?? '');
      return categories.includes(name)
        ? [{ name, kind: 'category', values: found }]
        : [{ name, kind: 'number', values: Float64Array.from(found, (word, i) => numeric(i, word, name)) }];
    }),
  };
}

function rowsOf(text: string, { separator, skip = 0 }: DelimitedSyntax): string[][] {
  return text
    .split(/\r?\n/)
    .slice(skip)
    .map((line) => line.replaceAll(CONTROL_Z, '').trim())
    .filter((line) => line !== '' && !line.startsWith('@') && !line.startsWith('%'))
    .map((line) => line.split(separator === ' ' ? /\s+/ : separator).map((word) => word.trim()));
}
