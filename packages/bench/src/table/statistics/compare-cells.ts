import type { CellResult, Comparison } from '../table-results.js';
import { holm } from './holm.js';
import { type Interval, meanInterval, pooledInterval } from './interval.js';

/** A method against the coreset that it starts from. */
export const ownInit = 'own init';

type Done = CellResult;
type Unadjusted = Omit<Comparison, 'holm'>;
/** Differences of one cell, seed by seed. */
type Differences = { readonly group: string; readonly values: readonly number[] };

const groupOf = ({ dataset, ipc }: Pick<CellResult, 'dataset' | 'ipc'>): string => `${dataset}/${ipc}`;

/** `of − to` by seed: rows of one seed share their evaluation's randomness, so that they are pairs. */
function pairedDifferences(of: Done, to: Done, metric: string): number[] {
  const others = new Map(to.seeds.map(({ seed, metrics }) => [seed, metrics[metric]]));
  return of.seeds.flatMap(({ seed, metrics }) => {
    const [a, b] = [metrics[metric], others.get(seed)];
    return a === undefined || b === undefined ? [] : [a - b];
  });
}

const figures = ({ mean, low, high, standardError, df, n, p }: Interval) => ({ mean, low, high, standardError, df, n, p });

interface Pair {
  readonly of: string;
  readonly to: string;
  /** The two rows in one data set and number of images per class, if both are there. */
  readonly cells: (group: readonly Done[]) => readonly [Done, Done] | undefined;
}

function pairsOf(cells: readonly Done[]): { readonly controls: readonly Pair[]; readonly methods: readonly Pair[] } {
  const rows = (kind: CellResult['kind']) => [...new Set(cells.filter((cell) => cell.kind === kind).map(({ row }) => row))];
  const learned = rows('learned');
  const fixed = rows('control').filter((row) => !row.startsWith('init'));
  const both = (group: readonly Done[], of: string, to: string | undefined): readonly [Done, Done] | undefined => {
    const [a, b] = [of, to].map((row) => group.find((cell) => cell.row === row));
    return a === undefined || b === undefined ? undefined : [a, b];
  };
  return {
    controls: learned.flatMap((of): Pair[] => [
      { of, to: ownInit, cells: (group) => both(group, of, group.find(({ row }) => row === of)?.ownInit) },
      ...fixed.map((to): Pair => ({ of, to, cells: (group) => both(group, of, to) })),
    ]),
    methods: learned.flatMap((of, i) => learned.slice(i + 1).map((to): Pair => ({ of, to, cells: (group) => both(group, of, to) }))),
  };
}

/** Comparisons of one method with rows of equal figures (its start may be the random row) are one hypothesis. */
const hypothesis = ({ of, scope, mean, standardError, n }: Unadjusted): string => JSON.stringify([of, scope, mean, standardError, n]);

function adjusted(comparisons: readonly Unadjusted[]): Comparison[] {
  const different = new Map(comparisons.map((comparison) => [hypothesis(comparison), comparison.p]));
  const values = holm([...different.values()]);
  const byName = new Map([...different.keys()].map((name, i) => [name, values[i] ?? 1]));
  return comparisons.map((comparison) => ({ ...comparison, holm: byName.get(hypothesis(comparison)) ?? 1 }));
}

/**
 * Every method against its own start, every control and every other method, in each cell and pooled over cells.
 *
 * Differences are paired by seed. In a cell they have Student's interval (`meanInterval`), over all cells of the table that of
 * `pooledInterval`. Only rows that are done count. p-values are adjusted by Holm's method in four families per metric: methods
 * against controls and methods against one another, each pooled and by cell.
 */
export function compareCells(cells: readonly CellResult[], metrics: readonly string[]): Comparison[] {
  const done = cells.filter(({ status }) => status === 'done');
  const groups = new Map<string, Done[]>();
  for (const cell of done) groups.set(groupOf(cell), [...(groups.get(groupOf(cell)) ?? []), cell]);
  const { controls, methods } = pairsOf(done);

  const differences = (pair: Pair, metric: string): Differences[] =>
    [...groups].flatMap(([group, members]) => {
      const found = pair.cells(members);
      const values = found === undefined ? [] : pairedDifferences(...found, metric);
      return values.length < 2 ? [] : [{ group, values }];
    });
  const byCell = (pairs: readonly Pair[], metric: string, family: string): Comparison[] =>
    adjusted(
      pairs.flatMap((pair) =>
        differences(pair, metric).flatMap(({ group, values }) => {
          const interval = meanInterval(values);
          const { of, to } = pair;
          return interval === undefined ? [] : [{ metric, family, scope: group, cells: [group], of, to, ...figures(interval) }];
        }),
      ),
    );
  const pooled = (pairs: readonly Pair[], metric: string, family: string): Comparison[] =>
    adjusted(
      pairs.flatMap((pair) => {
        const found = differences(pair, metric);
        const interval = pooledInterval(found.map(({ values }) => values));
        const { of, to } = pair;
        // One cell is no pool: its own interval says the same.
        if (interval === undefined || found.length < 2) return [];
        const names = found.map(({ group }) => group);
        return [{ metric, family, scope: `${names.length} cells`, cells: names, of, to, ...figures(interval) }];
      }),
    );
  return metrics.flatMap((metric) => [
    ...pooled(controls, metric, 'methods against controls, pooled'),
    ...byCell(controls, metric, 'methods against controls, by cell'),
    ...pooled(methods, metric, 'methods against methods, pooled'),
    ...byCell(methods, metric, 'methods against methods, by cell'),
  ]);
}
