import { textTable } from '../cli/text-table.js';

/** One subject on one case. */
export interface BenchRow {
  readonly case: string;
  readonly subject: string;
  readonly unit: 'ms';
  readonly median?: number;
  readonly min?: number;
  readonly repeats?: number;
  readonly peakRssMb?: number;
  /** The subject is not installed here, or cannot do this case; `reason` says which. */
  readonly absent?: true;
  readonly reason?: string;
}

/** Ours over the peer's, medians of the same run; smaller is better. */
export interface BenchRatio {
  readonly name: string;
  readonly value: number;
  /** What was aimed at: the ratio should be at most this. */
  readonly goal?: number;
}

/** What a bench prints with `--json`, on one line. */
export interface BenchResult {
  readonly bench: string;
  readonly rows: readonly BenchRow[];
  readonly ratios: readonly BenchRatio[];
  readonly environment: Readonly<Record<string, unknown>>;
}

const digits = (value: number) => (value >= 100 ? value.toFixed(0) : value.toFixed(1));

/** The tables for people. */
export function renderBench({ rows, ratios }: BenchResult): string {
  const times = textTable(
    ['case', 'subject', 'median ms', 'min ms', 'repeats', 'peak MB', ''],
    rows.map(({ median, min, repeats, peakRssMb, reason, ...row }) => [
      row.case,
      row.subject,
      median === undefined ? '-' : digits(median),
      min === undefined ? '-' : digits(min),
      repeats === undefined ? '-' : String(repeats),
      peakRssMb === undefined ? '-' : String(peakRssMb),
      reason ?? '',
    ]),
  );
  const comparison = textTable(
    ['ours over the peer’s', 'ratio', 'goal', ''],
    ratios.map(({ name, value, goal }) => [
      name,
      value.toFixed(3),
      goal === undefined ? '-' : `≤ ${goal}`,
      goal === undefined ? '' : value <= goal ? 'met' : 'missed',
    ]),
  );
  return `${times}\n\n${comparison}`;
}

/** The median of some numbers; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}
