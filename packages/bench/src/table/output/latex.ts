import type { CellResult, TableResults } from '../table-results.js';
import { cellGroups, columns, groupTitle, hasPrinted, rowTexts } from './cell-text.js';

const special: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '<': '\\textless{}',
  '>': '\\textgreater{}',
  '–': '--',
  '−': '$-$',
  '±': '$\\pm$',
  '×': '$\\times$',
};

/** Text that LaTeX prints as it is. */
export const escapeLatex = (text: string): string =>
  text.replace(/[\\~^<>–−±×&%$#_{}]/g, (character) => special[character] ?? `\\${character}`).replace(/\s*\n\s*/g, ' ');

const name = ({ row, kind }: CellResult): string =>
  kind === 'control' ? `\\textit{${escapeLatex(row)}}` : escapeLatex(kind === 'ceiling' ? `${row} (ceiling)` : row);

/** The table for a paper: one `tabular` of the package `booktabs`, groups under headings. */
export function latexTable(results: TableResults): string {
  const head = ['', ...columns(results)];
  const body = cellGroups(results.cells).flatMap((group) => [
    '\\midrule',
    `\\multicolumn{${head.length}}{l}{${escapeLatex(groupTitle(group))}} \\\\`,
    ...group.cells.map((cell) => `${[name(cell), ...rowTexts(cell, results).map(escapeLatex)].join(' & ')} \\\\`),
  ]);
  const printed = hasPrinted(results) ? " Figures ``as printed'' are those of the paper, not reproduced here." : '';
  return `${[
    '% Needs \\usepackage{booktabs}.',
    '\\begin{table}',
    '\\centering',
    `\\caption{${escapeLatex(results.title)}. Mean $\\pm$ sample standard deviation over seeds, ${results.scoredOn} split.${printed}}`,
    `\\begin{tabular}{l${'r'.repeat(head.length - 1)}}`,
    '\\toprule',
    `${head.map(escapeLatex).join(' & ')} \\\\`,
    ...body,
    '\\bottomrule',
    '\\end{tabular}',
    '\\end{table}',
  ].join('\n')}\n`;
}
