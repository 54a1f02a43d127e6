import { metricLabel, metricName } from '../../report/format.js';
import { formatDifference, formatP } from '../findings.js';
import type { Comparison, TableResults } from '../table-results.js';
import { cellGroups, columns, groupTitle, legend, rowTexts } from './cell-text.js';
import { differenceMatrices, matrixNote } from './pooled-matrix.js';

/** Text that Markdown takes for nothing else. */
const escapeMarkdown = (text: string): string => text.replace(/[\\`*_[\]<>|]/g, (character) => `\\${character}`).replaceAll('\n', ' ');

const line = (texts: readonly string[]): string => `| ${texts.join(' | ')} |`;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)];
}

/** Differences with their intervals as a table. */
export function comparisonRows(comparisons: readonly Comparison[]): string[][] {
  return comparisons.map(({ of, to, scope, metric, mean, low, high, p, holm, n }) => [
    `${of} − ${to}`,
    scope,
    metricName(metric),
    formatDifference(metric, mean),
    `${formatDifference(metric, low)} to ${formatDifference(metric, high)}`,
    formatP(p),
    formatP(holm),
    String(n),
  ]);
}

/** Headings of `comparisonRows`. */
export const comparisonHead = ['difference', 'where', 'metric', 'mean', '95 % interval', 'p', 'Holm p', 'n'];

function matrices({ comparisons }: TableResults): string[] {
  const all = differenceMatrices(comparisons);
  if (all.length === 0) return [];
  const tables = all.flatMap(({ metric, controls, rows }) => [
    ...table(
      [metricLabel(metric), ...controls.map((name) => `− ${escapeMarkdown(name)}`)],
      rows.map(({ method, texts }) => [`**${escapeMarkdown(method)}**`, ...texts.map(escapeMarkdown)]),
    ),
    '',
  ]);
  return [`## Methods minus controls, ${all[0]?.scope ?? ''}`, '', escapeMarkdown(matrixNote), '', ...tables];
}

function record(results: TableResults): string[] {
  return Object.entries(results.environment).map(
    ([name, value]) => `- ${name}: ${escapeMarkdown(typeof value === 'string' ? value : JSON.stringify(value))}`,
  );
}

/** The table as Markdown, with what it says in words, intervals and environment. */
export function markdownTable(results: TableResults): string {
  const groups = cellGroups(results.cells).flatMap((group) => {
    const rows = group.cells.map((cell) => {
      const name = escapeMarkdown(cell.row);
      return [
        cell.kind === 'learned' ? `**${name}**` : cell.kind === 'control' ? `*${name}*` : `${name} (ceiling)`,
        ...rowTexts(cell, results).map(escapeMarkdown),
      ];
    });
    return ['', `## ${groupTitle(group)}`, '', ...table(['', ...columns(results)], rows)];
  });
  const families = [...new Set(results.comparisons.map(({ family }) => family))];
  const differences = families.flatMap((family) => {
    const own = results.comparisons.filter((comparison) => comparison.family === family);
    return [
      '',
      `### ${family[0]?.toUpperCase()}${family.slice(1)}`,
      '',
      ...table(
        comparisonHead,
        comparisonRows(own).map((row) => row.map(escapeMarkdown)),
      ),
    ];
  });
  const trials = Object.entries(results.trials).map(([name, count]) => `${escapeMarkdown(name)} ${count}`);
  return `${[
    `# ${escapeMarkdown(results.title)}`,
    ...groups,
    '',
    ...legend(results).flatMap((text) => [escapeMarkdown(text), '']),
    ...(trials.length === 0 ? [] : [`Tuning trials: ${trials.join(', ')}.`, '']),
    ...matrices(results),
    '## In words',
    '',
    ...results.findings.flatMap(({ title, sentences }) => [
      `### ${title}`,
      '',
      ...sentences.map((text) => `- ${escapeMarkdown(text)}`),
      '',
    ]),
    '## Differences',
    ...differences,
    '',
    '## Environment',
    '',
    ...record(results),
  ].join('\n')}\n`;
}
