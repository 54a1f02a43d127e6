import type { Draws, Variable } from '../draws.js';
import { columnMajorPlaces } from './column-major.js';

/** Statistics that CmdStan has too, in its order, with its names. */
const COLUMNS = {
  logDensity: 'lp__',
  acceptance: 'accept_stat__',
  stepSize: 'stepsize__',
  depth: 'treedepth__',
  leapfrogSteps: 'n_leapfrog__',
  divergent: 'divergent__',
  energy: 'energy__',
} as const;

/** CmdStan writes other words for what is not finite; elsewhere the shortest text that reads back as the same number. */
function numberText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  return Object.is(value, -0) ? '-0' : String(value);
}

/** Names as Stan allows them: letters, digits and single underscores at the end, all different. */
function stanNames(variables: readonly Variable[]): string[] {
  const taken = new Set<string>();
  return variables.map(({ name }) => {
    const plain = name.replace(/[^A-Za-z0-9_]/g, '_').replace(/_{2,}$/, '_');
    let free = plain;
    for (let copy = 2; taken.has(free); copy++) free = `${plain}_${copy}`;
    taken.add(free);
    return free;
  });
}

/** One column: where its numbers are. */
interface Column {
  readonly name: string;
  /** The number of chain c at draw n of `draws`. */
  readonly at: (draws: Draws, c: number, n: number) => number;
}

function columnsOf({ variables, statistics }: Draws): Column[] {
  const reported = Object.entries(COLUMNS).filter(([statistic]) => statistics[statistic] !== undefined);
  const names = stanNames(variables);
  return [
    ...reported.map(([statistic, name]) => ({
      name,
      at: (draws: Draws, c: number, n: number) => draws.statistics[statistic]?.[c * draws.length + n] ?? Number.NaN,
    })),
    ...variables.flatMap((variable, v) => {
      const places = columnMajorPlaces(variable.shape);
      return places.map(({ index, offset }) => ({
        name: [names[v], ...index.map((i) => i + 1)].join('.'),
        at: (draws: Draws, c: number, n: number) =>
          draws.values[variable.name]?.[(c * draws.length + n) * places.length + offset] ?? Number.NaN,
      }));
    }),
  ];
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Comments in the manner of CmdStan: what readers look for, then all of the provenance. */
function header({ length, warmup, provenance }: Draws, chain: number): string[] {
  const thin = typeof provenance['thin'] === 'number' ? provenance['thin'] : 1;
  const planned = typeof provenance['warmup'] === 'number' ? provenance['warmup'] : 0;
  return [
    'method = sample',
    '  sample',
    `    num_samples = ${length * thin}`,
    `    num_warmup = ${warmup === undefined ? planned : warmup.length * thin}`,
    `    save_warmup = ${warmup === undefined ? 0 : 1}`,
    `    thin = ${thin}`,
    `id = ${chain + 1}`,
    // Spaced out, because readers take every line that looks like `name = value` for a setting of Stan's.
    ...Object.entries(provenance).flatMap(([name, value]) => (name === 'chains' ? [] : [`${name}: ${JSON.stringify(value)}`])),
  ];
}

/** What the warm-up found for one chain, in CmdStan's words, as far as the provenance tells. */
function adaptation(draws: Draws, chain: number): string[] {
  const { provenance, statistics, length } = draws;
  const records = Array.isArray(provenance['chains']) ? provenance['chains'] : [];
  const record: unknown = records[chain];
  const stepSize = (isRecord(record) && record['stepSize']) || statistics['stepSize']?.[chain * length];
  const metric = isRecord(record) ? record['metric'] : undefined;
  const variances = isRecord(metric) ? metric['variances'] : undefined;
  return [
    ...(typeof stepSize === 'number' ? ['Adaptation terminated', `Step size = ${numberText(stepSize)}`] : []),
    ...(Array.isArray(variances) && variances.every((each) => typeof each === 'number')
      ? ['Diagonal elements of inverse mass matrix:', variances.map(numberText).join(', ')]
      : []),
  ];
}

/**
 * One CSV text per chain in the format of CmdStan's output, for `arviz.from_cmdstan`, CmdStanR and other readers of it.
 *
 * Comments tell settings and adaptation. Columns are `lp__` (the log density of the unconstrained parameters), further
 * statistics of the sampler as far as it reports them (`accept_stat__ stepsize__ treedepth__ n_leapfrog__ divergent__
 * energy__`), then every quantity, `theta.2.1` for `theta[1,0]`: indices from 1, the first running fastest. `/` in names
 * becomes `_`. Draws of the warm-up come first, if they were kept. Numbers read back exactly.
 *
 * @example
 * ```ts
 * import { writeFileSync } from 'node:fs';
 * import { type Draws, toCmdStanCsv } from '@bpc/samplers';
 * const save = (draws: Draws) => toCmdStanCsv(draws).forEach((text, chain) => writeFileSync(`draws-${chain + 1}.csv`, text));
 * ```
 */
export function toCmdStanCsv(draws: Draws): string[] {
  const columns = columnsOf(draws);
  const rows = (source: Draws, c: number) =>
    Array.from({ length: source.length }, (_, n) => columns.map(({ at }) => numberText(at(source, c, n))).join(','));
  const comment = (line: string) => `# ${line}`;
  return Array.from({ length: draws.chains }, (_, c) =>
    [
      ...header(draws, c).map(comment),
      columns.map(({ name }) => name).join(','),
      ...(draws.warmup === undefined ? [] : rows(draws.warmup, c)),
      ...adaptation(draws, c).map(comment),
      ...rows(draws, c),
      '',
    ].join('\n'),
  );
}
