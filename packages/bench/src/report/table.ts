import { formatSummary, mainMetrics, metricLabel } from './format.js';
import type { ResultRow, Results } from './results.js';

/** Number of seeds behind a row: the least over its metrics. */
export const seedsOf = (row: ResultRow): number =>
  Object.values(row.metrics).reduce((least, { n }) => Math.min(least, n), Number.POSITIVE_INFINITY);

/** `3`, or `3 × 5` for five networks per seed that were scored one by one. */
export function seedsText(row: ResultRow): string {
  const count = seedsOf(row);
  if (!Number.isFinite(count)) return '–';
  return row.networks === undefined ? `${count}` : `${count / row.networks} × ${row.networks}`;
}

/**
 * The table for a terminal: aligned columns of plain text, `mean ± std`, one row per line, no colours; at the end a row's kind and how it predicts.
 *
 * @param metrics - which columns. Default: accuracy, NLL, Brier, ECE.
 *
 * @example
 * ```ts
 * import { renderTable } from '@bpc/bench';
 * const row = { name: 'random', kind: 'control' as const, metrics: { accuracy: { mean: 0.565, std: 0.03, n: 3 } } };
 * console.log(renderTable({ rows: [row] }));
 * ```
 */
export function renderTable(results: Pick<Results, 'rows'>, metrics: readonly string[] = mainMetrics): string {
  const shown = metrics.filter((metric) => results.rows.some((row) => row.metrics[metric] !== undefined));
  const inferred = results.rows.some((row) => row.inference !== undefined);
  const head = ['', ...shown.map(metricLabel), 'seeds', '', ...(inferred ? [''] : [])];
  const body = results.rows.map((row) => {
    return [
      row.name,
      ...shown.map((metric) => formatSummary(metric, row.metrics[metric])),
      seedsText(row),
      row.kind,
      ...(inferred ? [row.inference ?? ''] : []),
    ];
  });
  const widths = head.map((_, column) => Math.max(...[head, ...body].map((cells) => cells[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column === 0 || column > shown.length + 1 ? cell.padEnd(width) : cell.padStart(width);
      })
      .join('  ')
      .trimEnd();
  const rule = '─'.repeat(widths.reduce((a, b) => a + b + 2, -2));
  return [line(head), rule, ...body.map(line)].join('\n');
}
