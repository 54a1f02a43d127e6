import type { SummaryData } from './summary.js';
import type { SummaryRow } from './summary-row.js';

/** Decimals that the Monte Carlo error leaves, up to its first digit; below 0 if that stands before the point. */
function decimalsOf({ mcseMean, standardDeviation, mean }: SummaryRow): number {
  const error = mcseMean > 0 && Number.isFinite(mcseMean) ? mcseMean : Math.abs(standardDeviation || mean) / 1000;
  return error > 0 && Number.isFinite(error) ? -Math.floor(Math.log10(error)) : 2;
}

function show(value: number, decimals: number): string {
  if (Number.isNaN(value)) return '-';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '-∞';
  const size = Math.abs(value);
  // Numbers that would fill the page with zeros.
  if (size >= 1e8 || (decimals > 7 && size < 1e-3)) {
    return size === 0 ? '0' : value.toExponential(Math.min(Math.max(decimals + Math.floor(Math.log10(size)), 1), 15));
  }
  return value.toFixed(Math.min(Math.max(decimals, 0), 12)).replace(/^-(0(?:\.0*)?)$/, '$1');
}

const count = (value: number) => (Number.isFinite(value) ? value.toFixed(0) : show(value, 0));

/** Cells of one row: as many digits as the Monte Carlo error leaves, of that error one more. */
function cells(row: SummaryRow): string[] {
  const decimals = decimalsOf(row);
  return [
    row.name,
    show(row.mean, decimals),
    show(row.standardDeviation, decimals),
    ...row.quantiles.map((value) => show(value, decimals)),
    show(row.mcseMean, decimals + 1),
    count(row.essBulk),
    count(row.essTail),
    row.rhat >= 10 && Number.isFinite(row.rhat) ? row.rhat.toPrecision(3) : show(row.rhat, 3),
  ];
}

const percentage = (p: number) => `${Number((100 * p).toPrecision(6))}%`;

/** The table that Stan and ArviZ print, names to the left, numbers to the right, and the warnings below it. */
export function summaryTable({ rows, probabilities, chains, length, warnings }: SummaryData): string {
  const header = ['', 'mean', 'sd', ...probabilities.map(percentage), 'MCSE', 'ESS-bulk', 'ESS-tail', 'R-hat'];
  const lines = [header, ...rows.map(cells)];
  const widths = header.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const table = lines.map((line) =>
    line
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
  const title = `${chains} ${chains === 1 ? 'chain' : 'chains'} of ${length} draws`;
  const notes = warnings.map(({ message, remedy }) => `Warning: ${message}.\n  → ${remedy}.`);
  return [title, '', ...table, ...(notes.length > 0 ? ['', ...notes] : [])].join('\n');
}
