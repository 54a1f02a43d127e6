import type { Draws, Variable } from '../draws.js';
import { adaptationComments, headerComments, numberText, timeComments } from './cmdstan-comments.js';
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
      ...headerComments(draws, c).map(comment),
      columns.map(({ name }) => name).join(','),
      ...(draws.warmup === undefined ? [] : rows(draws.warmup, c)),
      ...adaptationComments(draws, c).map(comment),
      ...rows(draws, c),
      ...timeComments(draws, c).map(comment),
      '',
    ].join('\n'),
  );
}
