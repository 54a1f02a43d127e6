import { textTable } from '../../cli/text-table.js';
import type { TableResults } from '../table-results.js';
import { cellGroups, columns, groupTitle, kindText, rowTexts } from './cell-text.js';

/** The table for a terminal, with what it says in words. */
export function plainTable(results: TableResults): string {
  const groups = cellGroups(results.cells).map((group) => {
    const rows = group.cells.map((cell) => [cell.row, kindText[cell.kind], ...rowTexts(cell, results)]);
    return `${groupTitle(group)}\n${textTable(['', '', ...columns(results)], rows)}`;
  });
  const words = results.findings.map(({ title, sentences }) => [`${title}:`, ...sentences.map((text) => `  ${text}`)].join('\n'));
  return [results.title, ...groups, ...words].join('\n\n');
}
