import { textTable } from '../cli/text-table.js';

/** One subject on one case. */
export interface BenchRow {
  readonly case: string;
  readonly subject: string;
  readonly unit: 'ms' | 'µs' | 's' | 'MB' | '%' | 'count' | 'relative error' | 'fraction' | 'nats';
  readonly median?: number;
  readonly min?: number;
  /** Where the largest is what counts: the worst tensor of a comparison. */
  readonly max?: number;
  readonly repeats?: number;
  readonly peakRssMb?: number;
  /** Processor time over wall time: how many cores the subject kept busy, whatever it was asked to use. */
  readonly cores?: number;
  /** The subject is not installed here, or cannot do this case; `reason` says which. */
  readonly absent?: true;
  readonly reason?: string;
}

/** Ours over the peer's, medians of the same run; smaller is better. A figure without a peer is compared with its goal alone. */
export interface BenchRatio {
  readonly name: string;
  readonly value: number;
  /** What was aimed at: the value should be at most this. */
  readonly goal?: number;
}

/** What a bench prints with `--json`, on one line. */
export interface BenchResult {
  readonly bench: string;
  readonly rows: readonly BenchRow[];
  readonly ratios: readonly BenchRatio[];
  readonly environment: Readonly<Record<string, unknown>>;
}

function digits(value: number): string {
  if (value !== 0 && Math.abs(value) < 0.01) return value.toExponential(1);
  if (value >= 100 || Number.isInteger(value)) return value.toFixed(0);
  return value.toFixed(value < 1 ? 3 : 1);
}

const cell = (value: number | undefined, show: (value: number) => string = digits) => (value === undefined ? '-' : show(value));

/** The tables for people. */
export function renderBench({ rows, ratios }: BenchResult): string {
  const figures = textTable(
    ['case', 'subject', 'median', 'min', 'max', 'unit', 'repeats', 'cores', 'peak MB', ''],
    rows.map(({ median, min, max, repeats, cores, peakRssMb, reason, unit, ...row }) => [
      row.case,
      row.subject,
      cell(median),
      cell(min),
      cell(max),
      unit,
      cell(repeats),
      cell(cores, (value) => value.toFixed(2)),
      cell(peakRssMb),
      reason ?? '',
    ]),
  );
  const comparison = textTable(
    ['ours over the peer’s', 'ratio', 'goal', ''],
    ratios.map(({ name, value, goal }) => [
      name,
      Math.abs(value) < 0.001 && value !== 0 ? value.toExponential(1) : value.toFixed(value >= 100 ? 0 : 3),
      goal === undefined ? '-' : `≤ ${goal !== 0 && goal < 0.001 ? goal.toExponential(0) : Number(goal.toPrecision(3))}`,
      goal === undefined ? '' : value <= goal ? 'met' : 'missed',
    ]),
  );
  return `${figures}\n\n${comparison}`;
}

/** The median of some numbers; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

/** Ours over each peer's of one case, by medians; `goalOf` says what each ratio should not exceed. */
export function ratiosOf(
  rows: readonly BenchRow[],
  ours: string,
  goalOf: (peer: string) => number | undefined = () => undefined,
): BenchRatio[] {
  const mine = rows.find(({ subject }) => subject === ours)?.median;
  if (mine === undefined) return [];
  return rows.flatMap(({ subject, median: theirs, ...row }) => {
    if (subject === ours || theirs === undefined) return [];
    const goal = goalOf(subject);
    return [{ name: `${ours} / ${subject}, ${row.case}`, value: mine / theirs, ...(goal === undefined ? {} : { goal }) }];
  });
}
