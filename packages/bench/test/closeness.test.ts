import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jsRuntime } from '@bpc/compiler';
import { disposeTree, hostNormal, key, treeLeaves } from '@bpc/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { budgetOf, type CaseBudget } from '../src/bench-support/closeness/budget.js';
import { trainExperts } from '../src/bench-support/closeness/experts.js';
import { learnCoreset } from '../src/bench-support/closeness/learn-coreset.js';
import { type ClosenessMetrics, closenessOf } from '../src/bench-support/closeness/metrics.js';
import { linearModelOf } from '../src/bench-support/closeness/model.js';
import { conjugatePosterior, priorPosterior, sampledPosterior } from '../src/bench-support/closeness/posterior.js';
import type { CaseName, ClosenessProblem, HostPoints } from '../src/bench-support/closeness/problem.js';
import { renderCase } from '../src/bench-support/closeness/render.js';
import { closenessSettings } from '../src/bench-support/closeness/settings.js';
import { divergenceNames, drawSettings, methodsOf, searchSpace } from '../src/bench-support/closeness/spaces.js';
import { bestTrial, type CaseStudy, studyCase } from '../src/bench-support/closeness/study.js';
import { randomPoints } from '../src/bench-support/closeness/subsets.js';
import { compareWithRandom } from '../src/bench-support/closeness/summary.js';
import type { ClosenessResult } from '../src/benches/closeness.js';
import { plainReporter } from '../src/progress/plain-reporter.js';
import { openRunFolder } from '../src/run-folder/index.js';
import { type TaskPool, taskPool } from '../src/workers/index.js';
import { buildCommand, main } from './built-command.js';
import { expectRefusal } from './expect-refusal.js';

const ones = (count: number) => new Float64Array(count).fill(1);

/** Two inputs, N points around a plane, M of them. */
function plane(count: number, points: number): ClosenessProblem {
  const x = Float64Array.from(hostNormal(key(1), 2 * count));
  const noise = hostNormal(key(2), count);
  const y = Float64Array.from(noise, (value, n) => 0.5 + (x[2 * n] as number) - 0.7 * (x[2 * n + 1] as number) + 0.5 * value);
  return {
    ...{ name: 'regression', title: 'a plane', likelihood: 'normal', inputs: 2, outputs: 1, hidden: [] },
    ...{ priorPrecision: 2, noiseVariance: 0.25, points },
    train: { x, y, weights: ones(count) },
    validation: Float64Array.of(0, 0, 1, -1, 2, 0.5),
    validationCount: 3,
  };
}

const runtime = jsRuntime();
afterAll(() => runtime.dispose());

describe('posteriors of weighted points', () => {
  const problem: ClosenessProblem = {
    ...plane(4, 2),
    inputs: 1,
    train: { x: Float64Array.of(-1, 0, 1, 3), y: Float64Array.of(0, 1, 1, 2), weights: ones(4) },
    validation: Float64Array.of(0, 2),
    validationCount: 2,
  };
  const points: HostPoints = { x: Float64Array.of(-1, 2), y: Float64Array.of(0.5, 1.5), weights: Float64Array.of(1.5, 2.5) };
  // Precision ρI + Σ w x̃x̃ᵀ/σ² = [[2 + 16, 4·(−1.5 + 5)], [·, 2 + 4·(1.5 + 10)]], right-hand side Σ w x̃y/σ².
  const [a, b, d] = [18, 14, 48];
  const [u, v] = [4 * (1.5 * 0.5 + 2.5 * 1.5), 4 * (-1.5 * 0.5 + 2.5 * 2 * 1.5)];
  const determinant = a * d - b * b;

  it('of a conjugate regression are its closed form', () => {
    const { mean, covariance, sd, predictive } = conjugatePosterior(problem, points);
    const expected = [(d * u - b * v) / determinant, (a * v - b * u) / determinant];
    expect(mean[0]).toBeCloseTo(expected[0] as number, 12);
    expect(mean[1]).toBeCloseTo(expected[1] as number, 12);
    expect(covariance?.map((value) => value * determinant)).toEqual([d, -b, -b, a].map((value) => expect.closeTo(value, 10)));
    expect(sd[1]).toBeCloseTo(Math.sqrt(a / determinant), 12);
    if (predictive.kind !== 'normal') throw new Error('a regression predicts numbers');
    expect(predictive.mean[1]).toBeCloseTo((expected[0] as number) + 2 * (expected[1] as number), 12);
    expect(predictive.variance[1]).toBeCloseTo((d - 4 * b + 4 * a) / determinant + 0.25, 12);
  });

  it('of a conjugate regression are what NUTS draws, parameter by parameter', async () => {
    const exact = conjugatePosterior(problem, points);
    const linear = { ...problem, likelihood: 'normal' } as const;
    // The class probabilities of a regression mean nothing; moments are what is compared.
    const drawn = await sampledPosterior(linear, points, {
      ...{ runtime, key: key(3), budget: { chains: 4, warmup: 300, draws: 1000, maxDepth: 10 } },
    });
    const ess = drawn.sampling?.minimumEss ?? 0;
    expect(ess).toBeGreaterThan(500);
    exact.mean.forEach((centre, j) => {
      const sd = exact.sd[j] as number;
      expect(Math.abs((drawn.mean[j] as number) - centre) / sd).toBeLessThan(4.5 / Math.sqrt(ess));
      expect(Math.abs((drawn.sd[j] as number) / sd - 1)).toBeLessThan(4.5 / Math.sqrt(ess));
    });
    expect(drawn.sampling).toMatchObject({ chains: 4, draws: 1000, divergentPercent: 0 });
  });

  it('of a logistic regression are near Laplace’s where points are many, and predict what its draws do', async () => {
    const base = plane(400, 5);
    const y = base.train.y.map((value, n) => (value + (hostNormal(key(40), 400)[n] as number) > 0.5 ? 1 : 0));
    const logistic: ClosenessProblem = { ...base, likelihood: 'bernoulli', train: { ...base.train, y } };
    const drawn = await sampledPosterior(logistic, logistic.train, {
      ...{ runtime, key: key(4), budget: { chains: 4, warmup: 300, draws: 500, maxDepth: 10 } },
    });
    const laplace = linearModelOf(logistic, logistic.train).laplace();
    const covariance = laplace.covariance();
    laplace.mode.forEach((mode, j) => {
      const sd = Math.sqrt(covariance[4 * j] as number);
      // The approximation itself is off by about a tenth of a standard deviation here.
      expect(Math.abs((drawn.mean[j] as number) - mode) / sd).toBeLessThan(0.3);
      expect(Math.abs((drawn.sd[j] as number) / sd - 1)).toBeLessThan(0.15);
    });
    const draws = laplace.draw(key(5), 4000).data;
    const { probabilities } = drawn.predictive as { readonly probabilities: readonly number[] };
    for (let v = 0; v < 3; v++) {
      const [first = 0, second = 0] = logistic.validation.subarray(2 * v, 2 * v + 2);
      let mean = 0;
      for (let s = 0; s < 4000; s++) {
        const eta = (draws[3 * s] as number) + first * (draws[3 * s + 1] as number) + second * (draws[3 * s + 2] as number);
        mean += 1 / (1 + Math.exp(-eta)) / 4000;
      }
      expect(Math.abs((probabilities[2 * v + 1] as number) - mean)).toBeLessThan(0.02);
    }
    expect(drawn.sampling?.maximumRhat).toBeLessThan(1.02);
  }, 60_000);

  it('of a network have predictives that are probabilities, and no covariance', async () => {
    const base = plane(12, 4);
    const y = new Float64Array(36);
    for (let n = 0; n < 12; n++) y[3 * n + (n % 3)] = 1;
    const network: ClosenessProblem = { ...base, likelihood: 'categorical', outputs: 3, hidden: [2], train: { ...base.train, y } };
    const drawn = await sampledPosterior(network, network.train, {
      ...{ runtime, key: key(6), budget: { chains: 2, warmup: 50, draws: 50, maxDepth: 5 } },
    });
    expect([drawn.mean.length, drawn.sd.length, drawn.covariance]).toEqual([15, 15, undefined]);
    expect(drawn.sampling).toMatchObject({ logDensityRhat: expect.any(Number) });
    expect(drawn.sampling).not.toHaveProperty('maximumRhat');
    if (drawn.predictive.kind !== 'classes') throw new Error('a network predicts classes');
    const { probabilities } = drawn.predictive;
    expect(probabilities).toHaveLength(9);
    for (const v of [0, 3, 6]) expect(probabilities.slice(v, v + 3).reduce((a, b) => a + b)).toBeCloseTo(1, 10);
  });

  it('of every point twice at half the weight are those of the data', () => {
    const { x, y } = problem.train;
    const twice = { x: Float64Array.of(...x, ...x), y: Float64Array.of(...y, ...y), weights: new Float64Array(8).fill(0.5) };
    const metrics = closenessOf(conjugatePosterior(problem, twice), conjugatePosterior(problem, problem.train));
    for (const name of ['meanError', 'sdError', 'totalVariation', 'klFromTruth', 'klToTruth'] as const)
      expect(metrics[name]).toBeCloseTo(0, 10);
    // Without the weights they are those of twice the evidence: standard deviations shrink by nearly √½.
    const heavy = closenessOf(conjugatePosterior(problem, { ...twice, weights: ones(8) }), conjugatePosterior(problem, problem.train));
    expect(heavy.sdError).toBeGreaterThan(0.2);
  });

  it('of no points are the prior', async () => {
    const prior = await priorPosterior(problem, { runtime, key: key(0) });
    expect(prior.mean).toEqual([0, 0]);
    expect(prior.sd).toEqual([Math.SQRT1_2, Math.SQRT1_2].map((value) => expect.closeTo(value, 12)));
    expect(prior.predictive).toMatchObject({ mean: [0, 0], variance: [0.75, 2.75].map((value) => expect.closeTo(value, 12)) });
    const logistic: ClosenessProblem = { ...problem, likelihood: 'bernoulli' };
    const { predictive } = await priorPosterior(logistic, { runtime, key: key(0) });
    if (predictive.kind !== 'classes') throw new Error('a logistic regression predicts classes');
    // By symmetry one half each; 1000 draws leave an error of about 0.01.
    for (const p of predictive.probabilities) expect(Math.abs(p - 0.5)).toBeLessThan(0.05);
    expect((predictive.probabilities[0] as number) + (predictive.probabilities[1] as number)).toBeCloseTo(1, 12);
  });
});

describe('random points', () => {
  it('weigh as much as the data and are points of them', () => {
    const problem = plane(30, 6);
    const { x, y, weights } = randomPoints(problem, key(5));
    expect([...weights]).toEqual(new Array(6).fill(5));
    for (let m = 0; m < 6; m++) {
      const n = problem.train.y.indexOf(y[m] as number);
      expect([...x.subarray(2 * m, 2 * m + 2)]).toEqual([...problem.train.x.subarray(2 * n, 2 * n + 2)]);
    }
    expect([...randomPoints(problem, key(6)).y]).not.toEqual([...y]);
  });
});

describe('experts and what is learned from them', () => {
  const problem = plane(80, 6);
  const budget = { experts: 2, epochs: 20, batch: 20, stepSize: 2 };

  it('begin where the model does and end within the posterior', async () => {
    const { source, dispose } = await trainExperts(problem, budget, { runtime, key: key(7) });
    const truth = conjugatePosterior(problem, problem.train);
    const distance = async (expert: number, epoch: number) => {
      const params = await source.load(expert, epoch);
      // Bias, then kernel: the flat order of the closed form.
      const flat = treeLeaves(params).flatMap((leaf) => [...leaf.dataSync()]);
      disposeTree(params);
      return Math.max(...flat.map((value, j) => Math.abs(value - (truth.mean[j] as number)) / (truth.sd[j] as number)));
    };
    expect([source.count, source.epochs]).toEqual([2, 21]);
    for (const expert of [0, 1]) {
      expect(await distance(expert, 0)).toBeGreaterThan(5);
      expect(await distance(expert, 20)).toBeLessThan(1);
    }
    dispose();
  }, 60_000);

  it('bring PSVI with draws of the exact posterior nearer to the truth in KL; all others leave weights and targets alone', async () => {
    const { source: experts, dispose } = await trainExperts(problem, budget, { runtime, key: key(7) });
    const truth = conjugatePosterior(problem, problem.train);
    const start = randomPoints(problem, key(8));
    const from = closenessOf(conjugatePosterior(problem, start), truth).klToTruth as number;
    const settings = {
      stepSize: 0.5,
      innerSteps: 3,
      sigma: 0.01,
      ahead: 1,
      draws: 20,
      temperature: 1,
      snapshots: 'late',
      posterior: 'laplace',
    };
    for (const method of divergenceNames) {
      const steps = method === 'psvi' ? 100 : 2;
      const learned = await learnCoreset(
        method,
        problem,
        start,
        { ...settings, learningRate: 0.03, weightLearningRate: 0.01 },
        { runtime, experts, key: key(9), steps },
      );
      expect([...learned.x]).not.toEqual([...start.x]);
      expect([...learned.y]).toEqual([...start.y].map((value) => Math.fround(value)));
      if (method !== 'psvi') expect([...learned.weights]).toEqual([...start.weights].map((value) => Math.fround(value)));
      else {
        expect([...learned.weights]).not.toEqual([...start.weights]);
        expect(closenessOf(conjugatePosterior(problem, learned), truth).klToTruth).toBeLessThan(0.5 * from);
      }
    }
    dispose();
  }, 60_000);
});

describe('the search of settings', () => {
  it('draws the same number of trials for every method, within its space, the same every time', () => {
    const problem = plane(80, 6);
    expect(methodsOf(problem)).toEqual(['bpc-cd', 'bpc-fkl', 'bpc-rkl', 'bpc-w', 'psvi', 'giga', 'sparse-vi']);
    expect(methodsOf({ hidden: [16] })).toEqual(divergenceNames);
    for (const method of methodsOf(problem)) {
      const space = searchSpace(method, problem);
      const trials = Array.from({ length: 20 }, (_, i) => drawSettings(method, problem, i));
      expect(trials).toEqual(Array.from({ length: 20 }, (_, i) => drawSettings(method, problem, i)));
      expect(new Set(trials.map((trial) => JSON.stringify(trial))).size).toBeGreaterThan(5);
      for (const [name, dimension] of Object.entries(space)) {
        const values = trials.map((trial) => trial[name]);
        if (dimension.kind === 'choice') expect(new Set(values)).toEqual(new Set(dimension.values));
        else
          for (const value of values)
            expect(value).toSatisfy((v: number) => v >= 0.99 * dimension.range[0] && v <= 1.01 * dimension.range[1]);
      }
    }
  });

  it('takes the smallest total variation, and never a trial that diverged', () => {
    expect(bestTrial([{ settings: {}, score: 0.3 }, { settings: {} }, { settings: {}, score: 0.1 }])).toBe(2);
    expect(bestTrial([{ settings: {} }, { settings: {}, score: 9 }])).toBe(1);
    expect(bestTrial([{ settings: {} }, { settings: {} }])).toBe(0);
  });

  it('is as large for every method of a case, and smaller with --quick', () => {
    for (const name of ['regression', 'a9a', 'digits-mlp'] satisfies CaseName[]) {
      expect(budgetOf(name, false).trials).toBeGreaterThanOrEqual(8);
      expect(budgetOf(name, true).trials).toBeLessThan(budgetOf(name, false).trials);
      expect(budgetOf(name, true).steps).toBeLessThan(budgetOf(name, false).steps);
    }
  });
});

describe('comparison with random points', () => {
  const study = (methods: Readonly<Record<string, readonly (ClosenessMetrics | undefined)[]>>): CaseStudy => ({
    ...{ name: 'regression', title: 'a study', comparesParameters: true, trials: 3, selectionSeeds: 1, references: [], floor: {} },
    counts: { train: 10, points: 2, parameters: 3, validation: 4 },
    methods: Object.entries(methods).map(([method, seeds]) => ({
      method: method as 'random',
      trials: [],
      seeds: seeds.map((metrics) => (metrics === undefined ? { diverged: 'at step 3', seconds: 1 } : { metrics, seconds: 1 })),
    })),
  });
  const at = (agreement: number, totalVariation: number): ClosenessMetrics => ({ agreement, totalVariation });

  it('is paired by seed, and knows for which figures more is better', () => {
    // Seeds differ far more than methods: unpaired, nothing would be seen.
    const found = compareWithRandom(
      study({
        random: [at(0.5, 0.5), at(0.7, 0.3), at(0.9, 0.1)],
        'bpc-cd': [at(0.55, 0.551), at(0.751, 0.35), at(0.95, 0.15)],
        'bpc-w': [at(0.6, 0.6), at(0.6, 0.2), at(0.9, 0.1)],
      }),
    );
    const verdicts = found.map(({ method, metric, verdict }) => [method, metric, verdict]);
    expect(verdicts).toEqual([
      ['bpc-cd', 'agreement', 'better'],
      ['bpc-cd', 'totalVariation', 'worse'],
      ['bpc-w', 'agreement', 'unclear'],
      ['bpc-w', 'totalVariation', 'unclear'],
    ]);
    // Differences 0.05, 0.051, 0.05: mean 0.0503…, standard error 0.000333…, t₀.₉₇₅ with 2 degrees 4.302653.
    const first = found[0]?.difference;
    expect(first?.mean).toBeCloseTo(0.151 / 3, 12);
    expect((first?.high ?? 0) - (first?.mean ?? 0)).toBeCloseTo((4.302653 * 0.001) / 3, 8);
    expect(found[0]?.holm).toBeGreaterThan(first?.p ?? 1);
  });

  it('says in words where a method is farther than random points, and counts what diverged', () => {
    const text = renderCase(
      study({
        random: [at(0.5, 0.5), at(0.7, 0.3), at(0.9, 0.1), at(0.8, 0.1)],
        psvi: [at(0.4, 0.5), at(0.6, 0.3), at(0.801, 0.1), undefined],
      }),
    );
    expect(text).toMatch(/^psvi: FARTHER from it than random points in agreement; no difference shown in total variation$/m);
    expect(text).toMatch(/^psvi .* 1$/m);
    expect(text).toMatch(/^random .* 0$/m);
    expect(text).toMatch(/3 trials for every method/);
  });
});

describe('the reference', () => {
  const record = {
    chains: 4,
    draws: 500,
    maximumRhat: 1.002,
    minimumEss: 900,
    logDensityRhat: 1.001,
    logDensityEss: 800,
    divergentPercent: 0,
    seconds: 1,
  };
  const text = (change: object, comparesParameters = true) =>
    renderCase({
      ...{ name: 'a9a', title: 'a study', comparesParameters, trials: 1, selectionSeeds: 1, methods: [] },
      ...{ references: [record, { ...record, ...change }], floor: { meanError: 1.25, sdError: 0.5, agreement: 0.9, totalVariation: 0.1 } },
      counts: { train: 10, points: 2, parameters: 3, validation: 4 },
    });

  it('is called unsound where a run has a large R-hat or few effective draws', () => {
    expect(text({})).not.toMatch(/NOT converged/);
    expect(text({ maximumRhat: 1.02 })).toMatch(/NOT converged/);
    expect(text({ minimumEss: 399 })).toMatch(/NOT converged/);
    expect(text({ maximumRhat: undefined })).toMatch(/NOT converged/);
  });

  it('of a network says how far apart two runs are in weights, and that these are not compared', () => {
    const network = text({ maximumRhat: 1.7 }, false);
    expect(network).toMatch(/many modes .* 1\.25 standard deviations in means and 0\.500 in standard deviations/);
    expect(network).toMatch(/weights are not compared, and predictives are/);
    expect(network).not.toMatch(/error of mean/);
    expect(network).toMatch(/^noise floor +0\.900 +0\.100/m);
  });
});

describe('options of bpc bench closeness', () => {
  it('are three cases of ten seeds, and fewer seeds with --quick unless they are given', () => {
    expect(closenessSettings([])).toMatchObject({ cases: ['regression', 'a9a', 'digits-mlp'], seeds: 10, quick: false });
    expect(closenessSettings(['--quick'])).toMatchObject({ seeds: 2, quick: true });
    expect(closenessSettings(['--quick']).out).not.toBe(closenessSettings([]).out);
    expect(closenessSettings(['--quick', '--seeds', '5', '--case', 'a9a', '--workers', '0'])).toMatchObject({
      ...{ seeds: 5, cases: ['a9a'], workers: 0 },
    });
  });

  it.each([
    ['an unknown option', ['--seed', '3'], /--seed/],
    ['an unknown case', ['--case', 'digits'], /--case has 'digits'.*\n.*digits-mlp/],
    ['one seed, which has no spread', ['--seeds', '1'], /--seeds is 1.*\n.*--seeds/],
    ['half a seed', ['--seeds', '2.5'], /--seeds is 2\.5/],
    ['fewer than no workers', ['--workers', '-1'], /workers/],
    ['no folder', ['--out', ''], /--out is ''/],
  ])('refuse %s with exit code 2 and a remedy', async (_, args, mentions) => {
    await expectRefusal(['closeness', ...args], mentions);
  });
});

describe('a study', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bpc-closeness-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('of a miniature goes from the reference to the last seed, and continues where it stopped with the same figures', async () => {
    const problem = plane(40, 5);
    const budget: CaseBudget = {
      ...budgetOf('regression', true),
      steps: 3,
      trials: 2,
      experts: { experts: 1, epochs: 8, batch: 20, stepSize: 1 },
    };
    let tasks = 0;
    const once = async (seeds: number) => {
      const held = await openRunFolder({ path: join(folder, 'run'), fingerprint: { seeds } });
      const pool = taskPool({ workers: 0, shared: { problems: [problem] } });
      const counted: TaskPool = {
        ...pool,
        run: (list, listen) => {
          tasks += list.length;
          return pool.run(list, listen);
        },
      };
      try {
        return await studyCase(problem, budget, seeds, {
          folder: held,
          pool: counted,
          reporter: plainReporter({ write: () => undefined }),
        });
      } finally {
        await pool.dispose();
        await held.release();
      }
    };
    const figures = ({ methods }: CaseStudy) => methods.map(({ method, seeds }) => [method, seeds.map(({ metrics }) => metrics)]);
    const first = await once(2);
    expect(first.methods.map(({ method }) => method)).toEqual(['random', 'prior', ...methodsOf(problem)]);
    // One reference; two trials on one seed and two seeds of seven methods, two seeds of two controls.
    expect(tasks).toBe(1 + 7 * 2 + 7 * 2 + 2 * 2);
    for (const { method, seeds, trials } of first.methods) {
      expect(trials).toHaveLength(method === 'random' || method === 'prior' ? 0 : 2);
      for (const { metrics, diverged } of seeds) {
        expect({ method, diverged }).toEqual({ method, diverged: undefined });
        expect(Object.keys(metrics ?? {})).toHaveLength(6);
      }
    }
    const [, second] = [await once(2), tasks];
    expect(second).toBe(33);
    // A run that was stopped before its last piece.
    const pieces = join(folder, 'run', 'checkpoint', 'pieces');
    const lost = readdirSync(pieces).filter((name) => /psvi-seed1|random-seed0/.test(name));
    expect(lost).toHaveLength(2);
    for (const name of lost) rmSync(join(pieces, name));
    const again = await once(2);
    expect(tasks).toBe(35);
    expect(figures(again)).toEqual(figures(first));
    // More seeds add to those that are there.
    const grown = await once(3);
    expect(tasks).toBe(35 + 9);
    expect(grown.methods.map(({ seeds }) => seeds.slice(0, 2).map(({ metrics }) => metrics))).toEqual(
      first.methods.map(({ seeds }) => seeds.map(({ metrics }) => metrics)),
    );
  }, 60_000);
});

describe('bpc bench closeness', () => {
  beforeAll(buildCommand, 180_000);
  const folder = mkdtempSync(join(tmpdir(), 'bpc-closeness-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('prints figures of every method and control on one line', () => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [main, 'bench', 'closeness', '--json', '--quick', '--case', 'regression', '--workers', '1', '--out', join(folder, 'run')],
      { encoding: 'utf8' },
    );
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(stdout).toMatch(/^\{.*\}\n$/);
    const { studies, rows, environment } = JSON.parse(stdout) as ClosenessResult;
    expect(studies.map(({ name }) => name)).toEqual(['regression']);
    expect(studies[0]?.counts).toEqual({ train: 266, points: 20, parameters: 11, validation: 88 });
    expect(new Set(rows.map(({ subject }) => subject))).toEqual(new Set(['random', 'prior', ...divergenceNames, 'giga', 'sparse-vi']));
    for (const { median, repeats } of rows) expect({ median, repeats }).toEqual({ median: expect.any(Number), repeats: 2 });
    // The prior knows nothing: its standard deviations are many times those of the posterior.
    const prior = rows.find((row) => row.subject === 'prior' && row.case === 'regression, sdError');
    expect(prior?.median).toBeGreaterThan(5);
    expect(environment).toMatchObject({ quick: true, seeds: 2, workers: 1, resumed: false });
  }, 120_000);
});
