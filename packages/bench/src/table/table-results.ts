import { ConfigError } from '@bpc/core';
import { z } from 'zod';

const summary = z.strictObject({ mean: z.number(), std: z.number().nonnegative().optional(), n: z.int().positive() });
const printed = z.strictObject({
  /** The column of the paper's table. */
  column: z.string(),
  /** Per cent, letter by letter. */
  accuracy: z.string(),
  /** Letter by letter, where there is one. */
  nll: z.string().optional(),
  source: z.string(),
});
const failure = z.strictObject({ message: z.string(), remedy: z.string().optional() });
const cell = z.strictObject({
  id: z.string(),
  dataset: z.string(),
  ipc: z.int().positive(),
  row: z.string(),
  kind: z.enum(['control', 'learned', 'ceiling']),
  /** `pending`: some seeds are not done yet, because they were not asked for. */
  status: z.enum(['done', 'failed', 'pending']),
  failure: failure.optional(),
  inference: z.string().optional(),
  /** Of a method: the row that is its own start. */
  ownInit: z.string().optional(),
  /** Of a method: its preset, and where that preset's numbers come from. */
  preset: z.string().optional(),
  seeds: z.array(
    z.strictObject({ seed: z.int().nonnegative(), metrics: z.record(z.string(), z.number()), coreset: z.string().optional() }),
  ),
  metrics: z.record(z.string(), summary),
  printed: z.array(printed),
});
const comparison = z.strictObject({
  metric: z.string(),
  /** The family of hypotheses that the adjusted p-value guards. */
  family: z.string(),
  /** Which cells it is about: `mnist/1`, or how many are pooled. */
  scope: z.string(),
  cells: z.array(z.string()),
  of: z.string(),
  /** A row, or `own init`. */
  to: z.string(),
  mean: z.number(),
  low: z.number(),
  high: z.number(),
  standardError: z.number().nonnegative(),
  df: z.number().positive(),
  n: z.int().positive(),
  p: z.number().min(0).max(1),
  holm: z.number().min(0).max(1),
});
const finding = z.strictObject({ title: z.string(), sentences: z.array(z.string()) });
const schema = z.strictObject({
  format: z.literal(1),
  title: z.string(),
  scoredOn: z.enum(['test', 'validation']),
  level: z.number(),
  /** The metrics that are shown; `cells` has all that were computed. */
  shown: z.array(z.string()),
  cells: z.array(cell),
  comparisons: z.array(comparison),
  findings: z.array(finding),
  notes: z.array(z.string()),
  trials: z.record(z.string(), z.int().nonnegative()),
  environment: z.record(z.string(), z.json()),
  config: z.json(),
});

/** A figure over seeds: mean, sample standard deviation (divisor n − 1; absent for one seed), number of seeds. */
export type Summary = z.infer<typeof summary>;
/** A figure of a paper, as printed. */
export type PrintedFigure = z.infer<typeof printed>;
/** One row at one data set and number of images per class. Metrics are fractions and nats, printed figures per cent. */
export type CellResult = z.infer<typeof cell>;
/** A paired difference `of − to` of one metric, with its interval. */
export type Comparison = z.infer<typeof comparison>;
/** Sentences under a heading. */
export type Finding = z.infer<typeof finding>;
/** Contents of a table's `results.json`. */
export type TableResults = z.infer<typeof schema>;

/** Checks a table's results, for instance read from a file. @throws ConfigError that lists what is wrong. */
export function parseTableResults(value: unknown): TableResults {
  const result = schema.safeParse(value);
  if (!result.success)
    throw new ConfigError(`the results of a table are not valid: ${z.prettifyError(result.error)}`, 'correct these fields');
  return result.data;
}

/** Mean, sample standard deviation and count. */
export function summaryOf(values: readonly number[]): Summary {
  const n = values.length;
  const mean = values.reduce((a, b) => a + b, 0) / n;
  return n < 2 ? { mean, n } : { mean, std: Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1)), n };
}
