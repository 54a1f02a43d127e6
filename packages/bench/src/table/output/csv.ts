import type { TableResults } from '../table-results.js';

/** A field that spreadsheets read as one (RFC 4180). */
const field = (value: string | number | undefined): string => {
  const text = value === undefined ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

const lines = (rows: readonly (readonly (string | number | undefined)[])[]): string =>
  rows.map((row) => `${row.map(field).join(',')}\n`).join('');

/**
 * Every figure on a line of its own: cell × seed × metric, in full precision, fractions and nats. A failed cell is one line with
 * its error. Holds nothing that depends on when or how often the table was started.
 */
export function longCsv({ cells, scoredOn }: TableResults): string {
  const head = ['dataset', 'ipc', 'row', 'kind', 'split', 'seed', 'metric', 'value', 'status', 'error'];
  const body = cells.flatMap(({ dataset, ipc, row, kind, seeds, status, failure }) => {
    const start = [dataset, ipc, row, kind, scoredOn];
    if (status === 'failed') return [[...start, undefined, undefined, undefined, status, failure?.message]];
    return seeds.flatMap(({ seed, metrics }) =>
      Object.entries(metrics).map(([metric, value]) => [...start, seed, metric, value, status, undefined]),
    );
  });
  return lines([head, ...body]);
}

/** A line per cell: mean, standard deviation and number of seeds of every shown metric, and what papers print. */
export function wideCsv({ cells, shown, scoredOn }: TableResults): string {
  const head = [
    'dataset',
    'ipc',
    'row',
    'kind',
    'split',
    'status',
    'n',
    ...shown.flatMap((metric) => [metric, `${metric}_std`]),
    'as_printed',
    'error',
  ];
  const body = cells.map(({ dataset, ipc, row, kind, status, metrics, printed, failure, seeds }) => [
    ...[dataset, ipc, row, kind, scoredOn, status, seeds.length],
    ...shown.flatMap((metric) => [metrics[metric]?.mean, metrics[metric]?.std]),
    printed.map(({ column, accuracy, nll }) => `${column}: ${accuracy}${nll === undefined ? '' : ` / ${nll}`}`).join('; '),
    failure?.message,
  ]);
  return lines([head, ...body]);
}
