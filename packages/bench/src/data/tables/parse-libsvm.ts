import { ShapeError } from '@bpc/core';
import type { RawTable } from './table.js';
import type { LibsvmSyntax } from './table-schema.js';

/**
 * Read a sparse table in the format of LIBSVM: per line a label and `index:value` pairs, indices from 1, ascending.
 *
 * What is not listed is 0. Labels above 0 are class 1, the others (−1, or 0 in some copies) class 0.
 *
 * Source: C.-C. Chang, C.-J. Lin, "LIBSVM: a library for support vector machines", README.
 *
 * @throws ShapeError naming file and line for a pair that is none, or an index outside `1 … features`.
 */
export function parseLibsvm(text: string, file: string, { features }: LibsvmSyntax): RawTable {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  const columns = Array.from({ length: features }, () => new Float64Array(lines.length));
  const targets = new Float64Array(lines.length);
  for (const [row, line] of lines.entries()) {
    const wrong = (what: string): ShapeError => new ShapeError(`line ${row + 1} of ${file} ${what}`, 'use the original file, complete');
    const [label = '', ...pairs] = line.trim().split(/\s+/);
    if (!Number.isFinite(Number(label))) throw wrong(`starts with '${label}', expected a label`);
    targets[row] = Number(label) > 0 ? 1 : 0;
    for (const pair of pairs) {
      const [index = '', value = ''] = pair.split(':');
      const column = columns[Number(index) - 1];
      if (column === undefined) throw wrong(`has the index '${index}', expected 1 … ${features}`);
      if (value === '' || !Number.isFinite(Number(value))) throw wrong(`has '${pair}', expected index:value`);
      column[row] = Number(value);
    }
  }
  return { targets, columns: columns.map((values, j) => ({ name: `x${j + 1}`, kind: 'number', values })) };
}
