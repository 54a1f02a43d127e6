import { foldIn, hostNormal, key } from '@bpc/core';
import { describe, expect, it } from 'vitest';
import { findings } from '../src/table/findings.js';
import { compareCells } from '../src/table/statistics/compare-cells.js';
import { holm } from '../src/table/statistics/holm.js';
import { type Interval, meanInterval, pooledInterval } from '../src/table/statistics/interval.js';
import { studentReach, studentTwoSided } from '../src/table/statistics/student-t.js';
import { type CellResult, summaryOf } from '../src/table/table-results.js';

const relative = (value: number, expected: number) => Math.abs(value / expected - 1);
const known = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error('expected an interval');
  return value;
};

describe("Student's t", () => {
  // scipy 1.17.1: 2 * stats.t.sf(t, df).
  it.each([
    [2.5, 4, 0.06676654481198814],
    [0.3, 2, 0.7924856608401776],
    [12, 7.5, 3.660806455619481e-6],
    [0.001, 3, 0.9992648949694609],
    [60, 2, 0.00027766209059467876],
  ])('has the p-value of scipy at t = %d with %d degrees of freedom', (t, df, expected) => {
    expect(relative(studentTwoSided(t, df), expected)).toBeLessThan(1e-12);
    expect(studentTwoSided(-t, df)).toBe(studentTwoSided(t, df));
  });

  // scipy 1.17.1: stats.t.ppf(0.5 + level / 2, df).
  it.each([
    [0.95, 1, 12.706204736174694],
    [0.95, 2, 4.302652729749462],
    [0.95, 4, 2.7764451051977934],
    [0.95, 5.37, 2.518211793371368],
    [0.99, 30, 2.7499956535672254],
    [0.95, 1e6, 1.959966356814107],
  ])('reaches as far as scipy at level %d with %d degrees of freedom', (level, df, expected) => {
    expect(relative(studentReach(level, df), expected)).toBeLessThan(1e-9);
  });

  it('is NaN outside its domain and knows its limits', () => {
    expect(studentTwoSided(1, 0)).toBeNaN();
    expect(studentReach(1, 4)).toBeNaN();
    expect(studentTwoSided(Number.POSITIVE_INFINITY, 3)).toBe(0);
    expect(studentTwoSided(0, 3)).toBe(1);
  });
});

describe('meanInterval', () => {
  it('is that of scipy.stats.ttest_1samp(d, 0).confidence_interval(0.95)', () => {
    const { low, high, p, df, n } = known(meanInterval([0.012, 0.034, -0.005, 0.021, 0.017]));
    expect(low).toBeCloseTo(-0.0018342518131791337, 12);
    expect(high).toBeCloseTo(0.03343425181317913, 12);
    expect(p).toBeCloseTo(0.06765446130013288, 12);
    expect([df, n]).toEqual([4, 5]);
  });

  it('says nothing about one difference, and that equal differences are certain', () => {
    expect(meanInterval([0.1])).toBeUndefined();
    expect(meanInterval([0, 0, 0])).toMatchObject({ low: 0, high: 0, p: 1 });
    expect(meanInterval([0.5, 0.5])).toMatchObject({ low: 0.5, high: 0.5, p: 0 });
  });
});

describe('pooledInterval', () => {
  it("is Welch's test when there are two cells: scipy.stats.ttest_ind(a, −b, equal_var=False)", () => {
    const { low, high, p, df, mean } = known(
      pooledInterval([
        [0.031, 0.045, 0.012, 0.027, 0.039],
        [-0.004, 0.052, 0.118],
      ]),
    );
    // The mean of two cells is half of what Welch's test estimates.
    expect(2 * low).toBeCloseTo(-0.06050431837353733, 12);
    expect(2 * high).toBeCloseTo(0.232770985040204, 12);
    expect(p).toBeCloseTo(0.13117291655972246, 12);
    expect(df).toBeCloseTo(2.103074851330988, 12);
    expect(mean).toBeCloseTo((0.0308 + 0.166 / 3) / 2, 12);
  });

  it('is the interval of its only cell, and undefined where a cell has one seed', () => {
    const cell = [0.01, 0.05, 0.03];
    const [one, pooled] = [known(meanInterval(cell)), known(pooledInterval([cell]))];
    for (const name of ['mean', 'low', 'high', 'df', 'p'] as const) expect(pooled[name]).toBeCloseTo(one[name], 12);
    expect(pooledInterval([cell, [0.2]])).toBeUndefined();
    expect(pooledInterval([])).toBeUndefined();
  });

  // Four cells as in the real table: other effects, other spreads, five or three seeds.
  const cells = [
    { effect: 0.21, sd: 0.03, n: 5 },
    { effect: 0.02, sd: 0.006, n: 3 },
    { effect: 0.036, sd: 0.01, n: 5 },
    { effect: -0.05, sd: 0.025, n: 3 },
  ];
  const truth = cells.reduce((sum, { effect }) => sum + effect, 0) / cells.length;
  const simulate = (interval: (drawn: number[][]) => readonly [low: number, high: number]): number => {
    const repeats = 4000;
    let covered = 0;
    for (let repeat = 0; repeat < repeats; repeat++) {
      const drawn = cells.map(({ effect, sd, n }, c) =>
        Array.from(hostNormal(foldIn(foldIn(key(17), repeat), c), n), (z) => effect + sd * z),
      );
      const [low, high] = interval(drawn);
      if (low <= truth && truth <= high) covered++;
    }
    return covered / repeats;
  };
  const bounds = ({ low, high }: Interval): readonly [number, number] => [low, high];

  it('holds the true mean over cells about 95 times in 100', () => {
    const coverage = simulate((drawn) => bounds(known(pooledInterval(drawn))));
    // Satterthwaite's degrees of freedom are an approximation; three standard errors of the simulation are 0.01.
    expect(coverage).toBeGreaterThan(0.935);
    expect(coverage).toBeLessThan(0.975);
  });

  it('negative controls: a normal reach holds it too seldom, and one sample of all differences aims at something else', () => {
    const normal = simulate((drawn) => {
      const { mean, standardError } = known(pooledInterval(drawn));
      return [mean - 1.96 * standardError, mean + 1.96 * standardError];
    });
    expect(normal).toBeLessThan(0.93);
    const wrong = drawnMeans(cells);
    expect(Math.abs(wrong - truth)).toBeGreaterThan(0.01);
    const flat = simulate((drawn) => bounds(known(meanInterval(drawn.flat()))));
    // The spread between cells is no error of their mean: the interval is far too wide to say anything.
    expect(flat).toBeGreaterThan(0.985);
  });
});

/** What the mean of all differences, cells weighted by seeds, aims at. */
const drawnMeans = (cells: readonly { readonly effect: number; readonly n: number }[]): number =>
  cells.reduce((sum, { effect, n }) => sum + effect * n, 0) / cells.reduce((sum, { n }) => sum + n, 0);

describe('holm', () => {
  it('multiplies the i-th smallest by what is left, and never falls: worked by hand from the definition', () => {
    const adjusted = holm([0.01, 0.04, 0.03, 0.005, 0.5, 0.04]);
    for (const [i, expected] of [0.05, 0.12, 0.12, 0.03, 0.5, 0.12].entries()) expect(adjusted[i]).toBeCloseTo(expected, 12);
  });

  it('leaves one p-value alone, stays at 1, and takes none', () => {
    expect(holm([0.03])).toEqual([0.03]);
    expect(holm([0.9, 0.8])).toEqual([1, 1]);
    expect(holm([])).toEqual([]);
  });

  it('keeps the chance of any false rejection at the level, where single p-values do not', () => {
    const family = 20;
    const families = 2000;
    const count = (rejects: (p: number[]) => boolean) => {
      let any = 0;
      for (let i = 0; i < families; i++) {
        // |z| of independent normals to p-values of t with very many degrees of freedom.
        const z = Array.from(hostNormal(foldIn(key(5), i), family));
        if (rejects(z.map((value) => studentTwoSided(value, 1e7)))) any++;
      }
      return any / families;
    };
    expect(count((p) => holm(p).some((value) => value <= 0.05))).toBeLessThan(0.05 + 3 * Math.sqrt((0.05 * 0.95) / families));
    expect(count((p) => p.some((value) => value <= 0.05))).toBeGreaterThan(0.5);
  });
});

const cell = (
  dataset: string,
  row: string,
  kind: CellResult['kind'],
  accuracies: readonly number[],
  more: Partial<CellResult> = {},
): CellResult => {
  const seeds = accuracies.map((accuracy, seed) => ({ seed, metrics: { accuracy, nll: 3 * (1 - accuracy) } }));
  const metrics = { accuracy: summaryOf(accuracies), nll: summaryOf(accuracies.map((accuracy) => 3 * (1 - accuracy))) };
  return { id: `${dataset}/1/${row}`, dataset, ipc: 1, row, kind, status: 'done', seeds, metrics, printed: [], ...more };
};

describe('compareCells', () => {
  const cells = [
    cell('a', 'random', 'control', [0.5, 0.6, 0.55]),
    cell('a', 'init', 'control', [0.5, 0.6, 0.55]),
    cell('a', 'good', 'learned', [0.61, 0.7, 0.66], { ownInit: 'init' }),
    cell('a', 'bad', 'learned', [0.45, 0.54, 0.5], { ownInit: 'init' }),
    cell('b', 'random', 'control', [0.3, 0.2, 0.25]),
    cell('b', 'init', 'control', [0.35, 0.28, 0.31]),
    cell('b', 'good', 'learned', [0.42, 0.33, 0.36], { ownInit: 'init' }),
    cell('b', 'bad', 'learned', [0.31, 0.22, 0.27], { ownInit: 'init' }),
  ];
  const find = (all: ReturnType<typeof compareCells>, of: string, to: string, scope: string) =>
    known(all.find((one) => one.of === of && one.to === to && one.scope === scope && one.metric === 'accuracy'));

  it('pairs by seed: common ups and downs of a seed cancel', () => {
    const all = compareCells(cells, ['accuracy']);
    const expected = known(meanInterval([0.11, 0.1, 0.11]));
    const found = find(all, 'good', 'random', 'a/1');
    expect(found.mean).toBeCloseTo(expected.mean, 12);
    expect(found.high - found.low).toBeCloseTo(expected.high - expected.low, 12);
    // Negative control: the same figures paired crosswise have an interval many times as wide.
    const crossed = known(meanInterval([0.61 - 0.6, 0.7 - 0.55, 0.66 - 0.5]));
    expect(crossed.high - crossed.low).toBeGreaterThan(5 * (found.high - found.low));
  });

  it('does not mind the order of seeds, and leaves out rows that failed', () => {
    const shuffled = cells.map((one) => (one.row === 'good' ? { ...one, seeds: [...one.seeds].reverse() } : one));
    expect(find(compareCells(shuffled, ['accuracy']), 'good', 'random', 'a/1').mean).toBeCloseTo(0.32 / 3, 12);
    const failed = cells.map((one) => (one.id === 'a/1/good' ? { ...one, status: 'failed' as const } : one));
    const all = compareCells(failed, ['accuracy']);
    expect(all.some(({ of, scope }) => of === 'good' && scope === 'a/1')).toBe(false);
    // One cell is left of the two, so that nothing is pooled.
    expect(all.some(({ of, scope }) => of === 'good' && scope === '2 cells')).toBe(false);
  });

  it('counts a start that is the random row as one hypothesis with it', () => {
    const only = cells.filter(({ dataset }) => dataset === 'a');
    const family = compareCells(only, ['accuracy']).filter((one) => one.family === 'methods against controls, by cell');
    expect(family).toHaveLength(4);
    const [good, bad] = ['good', 'bad'].map((of) => find(family, of, 'random', 'a/1'));
    const adjusted = holm([known(good).p, known(bad).p]);
    expect([known(good).holm, known(bad).holm]).toEqual(adjusted);
    expect(find(family, 'good', 'own init', 'a/1').holm).toBe(known(good).holm);
  });

  it('says in words where a control beats a method and where methods beat controls and one another', () => {
    const all = compareCells(cells, ['accuracy', 'nll']);
    const sentences = findings(cells, all, ['accuracy', 'nll']);
    const text = (title: string) => sentences.find((one) => one.title === title)?.sentences.join('\n') ?? '';
    expect(text('Where a control beats a method')).toMatch(
      /On a with 1 image per class, .*random.* beats bad by 5\.3 points of accuracy \(95 % interval/,
    );
    expect(text('Where a control beats a method')).toMatch(/beats bad by 0\.160 nats of NLL/);
    expect(text('Methods against controls')).toMatch(/Pooled over 2 cells, good beats its own start \(init\) by 8\.\d points/);
    expect(text('Where one method beats another')).toMatch(/Pooled over 2 cells, good beats bad by 13\.\d points of accuracy/);
    expect(text('Where a control beats a method')).not.toMatch(/beats good/);
  });
});
