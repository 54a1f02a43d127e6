import {
  type Draws,
  ebfmi,
  essBulk,
  essMean,
  essQuantile,
  essSd,
  essTail,
  mcseMean,
  mcseQuantile,
  mcseSd,
  psisLoo,
  rhat,
  type Series,
  series,
  summary,
} from '@bpc/samplers';

type Chains = readonly Float64Array[];

/** What ArviZ says of a case; see `peers/read_with_arviz.py`. */
export interface ArvizCase {
  readonly variables: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>;
  readonly json: Readonly<Record<string, readonly number[]>>;
  readonly jsonEnergy: readonly number[];
  readonly statistics: Readonly<Record<string, readonly number[]>>;
  readonly bfmi: readonly number[];
  readonly warmup: Readonly<Record<string, readonly number[]>>;
  readonly warmupMeans: Readonly<Record<string, number>>;
  readonly loo:
    | null
    | (Readonly<Record<'elpd' | 'standardError' | 'effectiveParameters', number>> & { readonly paretoK: readonly number[] });
  readonly summarySeconds: number;
}

/** How ours and ArviZ's numbers differ. */
export interface Difference {
  readonly statistic: string;
  /** |ours − theirs|/|theirs|, the largest. */
  readonly largest: number;
  readonly count: number;
}

const mean = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0) / values.length;

/** The diagnostics that both compute, by the names the script uses. */
const ours: Readonly<Record<string, (chains: Chains) => number>> = {
  mean: (chains) => summary({ x: chains }).rows[0]?.mean ?? Number.NaN,
  sd: (chains) => summary({ x: chains }).rows[0]?.standardDeviation ?? Number.NaN,
  rhat,
  essBulk,
  essTail,
  essMean,
  essSd,
  essQuantile: (chains) => essQuantile(chains, 0.25),
  mcseMean,
  mcseSd,
  mcseQuantile: (chains) => mcseQuantile(chains, 0.25),
};

/** ArviZ's names of what the sampler says. */
const STATISTICS = {
  logDensity: 'lp',
  acceptance: 'acceptance_rate',
  stepSize: 'step_size',
  depth: 'tree_depth',
  leapfrogSteps: 'n_steps',
  divergent: 'diverging',
  energy: 'energy',
} as const;

function relative(found: number, expected: number): number {
  if (Number.isNaN(found) && Number.isNaN(expected)) return 0;
  const difference = Math.abs(found - expected) / Math.abs(expected);
  // A missing number must not pass as a small difference.
  return found === expected ? 0 : Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
}

function difference(statistic: string, found: ArrayLike<number>, expected: ArrayLike<number>): Difference {
  if (found.length !== expected.length) return { statistic, largest: Number.POSITIVE_INFINITY, count: found.length };
  return {
    statistic,
    largest: Array.from(found).reduce((most, value, i) => Math.max(most, relative(value, expected[i] ?? Number.NaN)), 0),
    count: found.length,
  };
}

const equal = (a: readonly number[] | undefined, b: readonly number[]) => a?.length === b.length && a.every((value, i) => value === b[i]);

/** What ArviZ did not read as we wrote it: names, shapes, single numbers. In words. */
export function misread(draws: Draws, read: ArvizCase): string[] {
  const { variables, values, chains, length, statistics, warmup } = draws;
  const complaints: string[] = [];
  const complain = (wrong: boolean, what: string) => {
    if (wrong) complaints.push(what);
  };
  for (const { name, shape } of variables) {
    const plain = name.replaceAll('/', '_');
    const found = read.variables[plain];
    complain(!equal(found?.['shape'], [chains, length, ...shape]), `${name}: shape ${found?.['shape']}`);
    complain(!equal(found?.['values'], Array.from(values[name] ?? [])), `${name}: numbers`);
    complain(!equal(read.json[name], [chains, length, ...shape]), `${name}: shape ${read.json[name]} in JSON`);
    if (warmup === undefined) continue;
    complain(!equal(read.warmup[plain], [chains, warmup.length, ...shape]), `${name}: shape ${read.warmup[plain]} of the warm-up`);
    const apart = relative(read.warmupMeans[plain] ?? Number.NaN, mean(warmup.values[name] ?? []));
    complain(!(apart < 1e-9), `${name}: numbers of the warm-up`);
  }
  complain(Object.keys(read.variables).length !== variables.length, `names: ${Object.keys(read.variables)}`);
  for (const [own, theirs] of Object.entries(STATISTICS)) {
    complain(!equal(read.statistics[theirs], Array.from(statistics[own] ?? [])), `${own}: numbers`);
  }
  return complaints;
}

/** Diagnostics of ours against ArviZ's. */
export function differences(draws: Draws, read: ArvizCase): Difference[] {
  const all: readonly Series[] = series(draws);
  const names = draws.variables.map(({ name }) => name.replaceAll('/', '_'));
  const found = Object.entries(ours).map(([statistic, of]) =>
    difference(
      statistic,
      all.map(({ chains }) => of(chains)),
      names.flatMap((name) => read.variables[name]?.[statistic] ?? []),
    ),
  );
  const { energy } = draws.statistics;
  const energies = Array.from({ length: draws.chains }, (_, c) =>
    (energy ?? new Float64Array(0)).subarray(c * draws.length, (c + 1) * draws.length),
  );
  found.push(difference('ebfmi', ebfmi(energies), read.bfmi), difference('ebfmi from JSON', ebfmi(energies), read.jsonEnergy));
  const likelihood = draws.values['logLikelihood'];
  if (likelihood !== undefined && read.loo !== null) {
    const loo = psisLoo(likelihood, { points: likelihood.length / (draws.chains * draws.length) });
    found.push(
      difference(
        'leave-one-out',
        [loo.elpd, loo.standardError, loo.effectiveParameters, ...loo.pointwise.paretoK],
        [read.loo.elpd, read.loo.standardError, read.loo.effectiveParameters, ...read.loo.paretoK],
      ),
    );
  }
  return found;
}
