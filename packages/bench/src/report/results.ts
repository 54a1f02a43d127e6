import { ConfigError } from '@bpc/core';
import { z } from 'zod';
import { writeAtomically } from '../data/atomic-file.js';

const metric = z.strictObject({ mean: z.number(), std: z.number().nonnegative(), n: z.int().positive() });
const json = z.record(z.string(), z.json());
const row = z.strictObject({
  name: z.string(),
  kind: z.enum(['control', 'learned', 'ceiling', 'other']),
  inference: z.enum(['ensemble', 'posterior', 'point estimates']).optional(),
  networks: z.int().positive().optional(),
  note: z.string().optional(),
  metrics: z.record(z.string(), metric),
  legacy: z.record(z.string(), metric).optional(),
});
const environment = z.looseObject({
  runtime: z.string(),
  threads: z.int().positive(),
  node: z.string(),
  versions: z.record(z.string(), z.string()),
  seconds: z.record(z.string(), z.number().nonnegative()),
  peakRssMb: z.number().nonnegative(),
});
const schema = z.strictObject({
  task: z.looseObject({ dataset: z.string(), method: z.string(), ipc: z.int().positive(), network: z.string() }),
  rows: z.array(row),
  environment,
  config: json,
});

/** A figure over seeds: mean, population standard deviation (divisor n), number of seeds. */
export type MetricSummary = z.infer<typeof metric>;

/**
 * One line of the table.
 *
 * `kind`: a `control` costs nothing to make (random images, images nearest the class mean, the coreset before learning); the
 * `ceiling` is the same network on all training data; `learned` is what the run is about. `inference` says how predictions were
 * made: an `ensemble` averages networks that were optimised (T = 0), a `posterior` averages draws at a temperature above 0,
 * `point estimates` are networks scored one by one, of which there are `networks` per seed; no figure of the others may pass for a
 * posterior's. Metrics are fractions, nats or plain numbers, never percentages: `accuracy` 0.858, `nll` 0.55. `legacy` has what
 * published code would have printed, for comparison with its tables only.
 */
export type ResultRow = z.infer<typeof row>;

/** What the figures were measured with. */
export type Environment = z.infer<typeof environment>;

/** Contents of a run's `results.json`. */
export type Results = z.infer<typeof schema>;

/** The split that a run's figures are on. Settings are chosen on validation; a figure from there must not pass for a result. */
export const scoredSplit = ({ scoredOn }: Results['task']): 'test' | 'validation' => (scoredOn === 'validation' ? 'validation' : 'test');

/**
 * Summarise one figure over seeds: mean, population standard deviation, count.
 *
 * @throws ConfigError on an empty list or a value that is not finite.
 *
 * @example
 * ```ts
 * import { summarise } from '@bpc/bench';
 * console.log(summarise([0.8, 0.9])); // { mean: 0.85, std: 0.05, n: 2 }
 * ```
 */
export function summarise(values: readonly number[]): MetricSummary {
  const bad = values.find((value) => !Number.isFinite(value));
  if (values.length === 0 || bad !== undefined) {
    throw new ConfigError(
      `cannot summarise ${bad ?? 'an empty list'}, expected at least one finite value`,
      'leave out metrics that have no value',
    );
  }
  const n = values.length;
  const mean = values.reduce((a, b) => a + b, 0) / n;
  const std = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / n);
  return { mean, std, n };
}

/**
 * Summarise several seeds' metrics, figure by figure. Figures that some seed lacks or that are not finite are left out.
 *
 * @throws ConfigError if there is no seed.
 *
 * @example
 * ```ts
 * import { summariseMetrics } from '@bpc/bench';
 * console.log(summariseMetrics([{ nll: 0.5 }, { nll: 0.7 }]).nll?.mean); // 0.6
 * ```
 */
export function summariseMetrics(seeds: readonly Readonly<Record<string, number | undefined>>[]): Record<string, MetricSummary> {
  const [first] = seeds;
  if (first === undefined) throw new ConfigError('there are no metrics, expected those of at least one seed', 'evaluate at least one seed');
  const columns = Object.keys(first).map((name) => [name, seeds.map((seed) => seed[name] ?? Number.NaN)] as const);
  return Object.fromEntries(
    columns.filter(([, values]) => values.every(Number.isFinite)).map(([name, values]) => [name, summarise(values)]),
  );
}

/** Check the shape of a results object, for instance one read from a file. @throws ConfigError that lists what is wrong. */
export function parseResults(value: unknown): Results {
  const result = schema.safeParse(value);
  if (!result.success) throw new ConfigError(`results are not valid: ${z.prettifyError(result.error)}`, 'correct these fields');
  return result.data;
}

/**
 * Write `results.json`, complete or not at all.
 *
 * @throws ConfigError if the results are not valid (a NaN, for instance); StorageError if the file cannot be written.
 */
export async function writeResults(path: string, results: Results): Promise<void> {
  const text = `${JSON.stringify(parseResults(results), null, 2)}\n`;
  await writeAtomically(path, (handle) => handle.writeFile(text));
}
