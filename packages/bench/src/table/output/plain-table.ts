import { textTable } from '../../cli/text-table.js';
import { metricLabel } from '../../report/format.js';
import type { TableResults } from '../table-results.js';
import { cellGroups, columns, groupTitle, kindText, rowTexts } from './cell-text.js';
import { differenceMatrices, matrixNote } from './pooled-matrix.js';

/** The table for a terminal, with what it says in words. */
export function plainTable(results: TableResults): string {
  const groups = cellGroups(results.cells).map((group) => {
    const rows = group.cells.map((cell) => [cell.row, kindText[cell.kind], ...rowTexts(cell, results)]);
    return `${groupTitle(group)}\n${textTable(['', '', ...columns(results)], rows)}`;
  });
  const matrices = differenceMatrices(results.comparisons).map(({ metric, scope, controls, rows }) =>
    textTable(
      [`${metricLabel(metric)}, ${scope}`, ...controls.map((name) => `− ${name}`)],
      rows.map(({ method, texts }) => [method, ...texts]),
    ),
  );
  const note = matrices.length === 0 ? [] : [matrixNote];
  // The matrices say it shorter.
  const words = results.findings
    .filter(({ title }) => title !== 'Methods against controls')
    .map(({ title, sentences }) => [`${title}:`, ...sentences.map((text) => `  ${text}`)].join('\n'));
  return [results.title, ...groups, ...matrices, ...note, ...words].join('\n\n');
}
