import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { comparePosterior } from '@bpc/samplers/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import type { BenchRatio, BenchRow } from '../src/bench-support/bench-result.js';
import { importanceReference } from '../src/bench-support/samplers/importance-reference.js';
import { memoryFigures } from '../src/bench-support/samplers/memory.js';
import { networkRatios } from '../src/bench-support/samplers/network.js';
import { nutsFigures, nutsGoals, nutsRatios } from '../src/bench-support/samplers/nuts.js';
import type { SubjectRuns, WorthOfRun } from '../src/bench-support/samplers/nuts-runs.js';
import { type NutsSubject, samplerBenchOptions } from '../src/bench-support/samplers/options.js';
import { poolSeries, posteriorDifference, reportedOf, reportedSeries, storedReference } from '../src/bench-support/samplers/posteriors.js';
import { perStep, stepsRatios } from '../src/bench-support/samplers/steps.js';
import { workerRatios } from '../src/bench-support/samplers/workers.js';
import { buildCommand, main, root } from './built-command.js';
import { expectRefusal } from './expect-refusal.js';

describe('options of bpc bench samplers', () => {
  it('have the settings that its goals are about', () => {
    expect(samplerBenchOptions([])).toMatchObject({
      cases: ['nuts', 'workers', 'steps', 'network', 'memory'],
      models: ['logistic', 'eight-schools', 'arK', 'kidiq'],
      subjects: ['js', 'blackjax:sequential', 'blackjax:vmap', 'numpyro:sequential', 'numpyro:vmap'],
      seeds: 10,
      chains: 4,
      warmup: 1000,
      draws: 1000,
      width: 128,
      steps: 100_000,
    });
  });

  it('are fewer with --quick, unless options say otherwise', () => {
    expect(samplerBenchOptions(['--quick'])).toMatchObject({ seeds: 1, rounds: 2, threads: [1], width: 16, steps: 2000 });
    expect(samplerBenchOptions(['--quick', '--seeds', '3']).seeds).toBe(3);
  });

  it.each([
    ['an unknown option', ['--modles', 'arK'], /--modles/],
    ['an unknown case', ['--cases', 'nutz'], /--cases has 'nutz'.*\n.*did you mean 'nuts'/],
    ['an unknown model', ['--models', 'kidIQ'], /--models has 'kidIQ'.*\n.*did you mean 'kidiq'/],
    ['an unknown subject', ['--subjects', 'js,stan'], /--subjects has 'stan'.*\n/],
    ['no seeds', ['--seeds', '0'], /--seeds is 0, expected a positive integer/],
  ])('refuse %s with exit code 2 and a remedy', async (_, args, mentions) => {
    await expectRefusal(['samplers', ...args], mentions);
  });
});

describe('figures of NUTS', () => {
  const run = (compileMs: number, samplingMs: number, ess: number): WorthOfRun => ({
    compileMs,
    samplingMs,
    cpuMs: samplingMs / 2,
    leapfrogs: 1000 * samplingMs,
    divergent: 0,
    peakRssMb: 100,
    ess,
  });
  const runs = (subject: NutsSubject, warm: readonly WorthOfRun[], cold: readonly WorthOfRun[]): SubjectRuns => ({
    subject,
    warm: [...warm],
    cold: [...cold],
    series: [],
    bareMicroseconds: [],
    peakRssMb: 100,
  });

  it('are medians over seeds: time per effective draw of each warm run, and compilation apart from and together with sampling', () => {
    const { rows, perDraw, total } = nutsFigures(
      'toy',
      runs('js', [run(0, 10, 1000), run(0, 20, 1000), run(0, 10, 250)], [run(5, 30, 1), run(7, 20, 1), run(6, 90, 1)]),
    );
    expect(perDraw).toBe(20);
    expect(total).toBe(35);
    const of = (what: string) => rows.find((row) => row.case === `NUTS, toy: ${what}`);
    expect(of('warm, per effective draw')).toMatchObject({ unit: 'µs', median: 20, min: 10, max: 40, repeats: 3 });
    expect(of('warm, all chains')).toMatchObject({ unit: 'ms', median: 10, cores: 0.5 });
    expect(of('cold, compilation')).toMatchObject({ median: 6 });
    expect(of('cold, compilation and all chains')).toMatchObject({ median: 35 });
  });

  it('are compared with whichever peer is better, one by one', () => {
    const all = [
      nutsFigures('toy', runs('js', [run(0, 10, 1000)], [run(10, 10, 1)])),
      // Better when warm.
      nutsFigures('toy', runs('blackjax:vmap', [run(0, 20, 1000)], [run(1900, 100, 1)])),
      // Better with compilation.
      nutsFigures('toy', runs('numpyro:sequential', [run(0, 40, 1000)], [run(900, 100, 1)])),
    ];
    expect(nutsRatios('toy', all, { warm: 0.4, cold: 0.1 })).toEqual([
      { name: 'js / blackjax:vmap, time per effective draw, warm, toy', value: 0.5, goal: 0.4 },
      { name: 'js / numpyro:sequential, time with compilation, toy', value: 0.02, goal: 0.1 },
    ]);
    expect(nutsRatios('toy', all.slice(0, 1), nutsGoals.arK)).toEqual([]);
    expect(nutsRatios('toy', all.slice(1), nutsGoals.arK)).toEqual([]);
  });
});

describe('figures of steps, networks, workers and memory', () => {
  const row = (subject: string, median?: number): BenchRow =>
    median === undefined
      ? { case: 'steps', subject, unit: 'ms', absent: true, reason: 'not installed' }
      : { case: 'steps', subject, unit: 'ms', median, min: median / 2, repeats: 3 };

  it('are microseconds per step, compared like with like', () => {
    const rows = perStep(
      [row('js', 6), row('js:float32', 3), row('js:call', 18), row('jax:scan', 5), row('jax:call', 15), row('jax:scan-float32')],
      1000,
    );
    expect(rows[0]).toMatchObject({ unit: 'µs', median: 6, min: 3 });
    expect(stepsRatios(rows)).toEqual([
      { name: 'js / jax:scan, steps', value: 1.2, goal: 1 },
      { name: 'js:call / jax:call, steps', value: 1.2, goal: 1.2 },
    ]);
  });

  it('are a sampler’s step over the bare gradient of the same threads', () => {
    const rows = [row('onnx:cpu gradient', 100), row('onnx:cpu sgld', 110), row('onnx:cpu sghmc', 120)];
    expect(networkRatios(rows, 1.15)).toEqual([
      { name: 'onnx:cpu sgld / onnx:cpu gradient, steps', value: 1.1, goal: 1.15 },
      { name: 'onnx:cpu sghmc / onnx:cpu gradient, steps', value: 1.2, goal: 1.15 },
    ]);
  });

  it('have a goal for two threads only where one has half a second to do', () => {
    const pair = (one: number, two: number) => workerRatios([row('js, this thread', one), row('js, 2 workers', two)]);
    expect(pair(1000, 600)).toEqual([{ name: 'js, 2 workers / js, this thread, steps', value: 0.6, goal: 0.625 }]);
    expect(pair(100, 60)).toEqual([{ name: 'js, 2 workers / js, this thread, steps', value: 0.6 }]);
    expect(workerRatios([row('js, this thread', 100), row('js, 2 workers')])).toEqual([]);
  });

  it('are what a process gained after its warm-up', () => {
    const record = (rssMb: number, tensors: number, sessions: number) => ({ rssMb, heapMb: 10, tensors, sessions });
    const { rows, ratios } = memoryFigures('js nuts', 100, { warm: record(100, 5, 1), after: record(107, 6, 1) });
    expect(rows.map(({ median }) => median)).toEqual([100, 7]);
    expect(ratios).toEqual([
      { name: 'js nuts, percent of memory gained', value: 7, goal: 5 },
      { name: 'js nuts, tensors gained', value: 1, goal: 0 },
      { name: 'js nuts, sessions gained', value: 0, goal: 0 },
    ]);
  });
});

describe('what draws are held against', () => {
  it('are the quantities of the reference, whatever the coordinates of the sampler', () => {
    const reported = reportedOf['eight-schools'];
    expect(storedReference(reported.folder ?? '').map(({ name }) => name)).toEqual([...reported.names]);
    // Two chains of two draws: mu, log tau, z.
    const draw = (mu: number, tau: number) => [mu, Math.log(tau), ...Array.from({ length: 8 }, (_, j) => j)];
    const positions = Float64Array.from([draw(1, 2), draw(2, 2), draw(3, 4), draw(4, 4)].flat());
    const series = reportedSeries(reported, positions, 2);
    expect(series.find(({ name }) => name === 'mu')?.chains).toEqual([Float64Array.of(1, 2), Float64Array.of(3, 4)]);
    const third = series.find(({ name }) => name === 'theta[3]')?.chains.map((chain) => [...chain].map((v) => Math.round(1e9 * v) / 1e9));
    expect(third).toEqual([
      [7, 8],
      [15, 16],
    ]);
    expect(poolSeries([series, series]).find(({ name }) => name === 'tau')?.chains).toHaveLength(4);
  });

  it('is, without stored draws, an importance sample that agrees with stored draws where there are some', async () => {
    const start = Float64Array.of(0, 0.7, 0.4, 0.1, 0, -0.3, -1.9);
    const computed = await importanceReference('arK', { count: 20_000, start });
    const stored = storedReference(reportedOf.arK.folder ?? '');
    expect(computed.map(({ name }) => name)).toEqual(stored.map(({ name }) => name));
    computed.forEach((mine, k) => {
      const theirs = stored[k]!;
      const z = (a: number, b: number, ...errors: number[]) => Math.abs(a - b) / Math.hypot(...errors);
      expect(mine.mcseMean).toBeLessThan(0.02 * mine.standardDeviation);
      expect(z(mine.mean, theirs.mean, mine.mcseMean, theirs.mcseMean)).toBeLessThan(4);
      expect(z(mine.standardDeviation, theirs.standardDeviation, mine.mcseStandardDeviation, theirs.mcseStandardDeviation)).toBeLessThan(4);
      mine.quantiles.forEach(({ probability: p, value }, i) => {
        const { value: expected } = theirs.quantiles[i]!;
        // A quantile's error is that of its probability over the density, at least 0.1 per standard deviation at these.
        expect(Math.abs(value - expected)).toBeLessThan(4 * (Math.sqrt(p * (1 - p) * 2e-4) / 0.1) * mine.standardDeviation);
      });
    });
  });

  it('refuses draws whose mean or spread is off by a tenth of a standard deviation, and takes those that are right', () => {
    const reference = storedReference(reportedOf.kidiq.folder ?? '');
    // Independent draws by inverse distribution function: a normal with the moments of each quantity.
    const normal = (n: number, k: number) => {
      const [u, v] = [((n * 0.7548776662 + k * 0.31) % 1) + 1e-9, (n * 0.5698402909 + k * 0.17) % 1];
      return Math.sqrt(-2 * Math.log(Math.min(1, u))) * Math.cos(2 * Math.PI * v);
    };
    const drawn = (shift: number, spread: number) =>
      reference.map(({ name, mean, standardDeviation }, k) => ({
        name,
        chains: [0, 1, 2, 3].map((c) =>
          Float64Array.from({ length: 2000 }, (_, n) => mean + standardDeviation * (shift + spread * normal(1 + n + 2000 * c, k))),
        ),
      }));
    // Only means and spreads: these draws have no tails to speak of.
    const moments = reference.map((quantity) => ({ ...quantity, quantiles: [] }));
    expect(posteriorDifference(drawn(0, 1), moments).overLimit).toBeLessThan(1);
    const shifted = posteriorDifference(drawn(0.1, 1), moments);
    expect(shifted.overLimit).toBeGreaterThan(1);
    expect(shifted.worst).toMatch(/^mean of .*, z = /);
    expect(posteriorDifference(drawn(0, 1.1), moments).worst).toMatch(/^standard deviation of /);
    expect(
      comparePosterior(Object.fromEntries(drawn(0, 1.1).map(({ name, chains }) => [name, chains])), moments).rejected.length,
    ).toBeGreaterThan(0);
  });
});

describe('bpc bench samplers', () => {
  beforeAll(buildCommand, 180_000);

  const bench = (...args: readonly string[]): { rows: BenchRow[]; ratios: BenchRatio[] } => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'bench', 'samplers', '--json', '--quick', ...args], {
      encoding: 'utf8',
    });
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(stdout).toMatch(/^\{.*\}\n$/);
    return JSON.parse(stdout);
  };

  it('times NUTS on draws of the posterior, cold and warm, with and without threads; a missing Python is an absent row', () => {
    const { rows, ratios } = bench(
      ...['--cases', 'nuts,workers', '--models', 'eight-schools', '--subjects', 'js,numpyro:vmap'],
      ...['--warmup', '300', '--draws', '400', '--python', join(root, 'no-such-python')],
    );
    const title = 'NUTS, eight schools';
    expect(rows.slice(0, 5)).toMatchObject([
      { case: `${title}: warm, per effective draw`, subject: 'js', unit: 'µs', median: expect.any(Number) },
      { case: `${title}: warm, all chains`, subject: 'js', unit: 'ms' },
      { case: `${title}: cold, compilation`, subject: 'js', unit: 'ms' },
      { case: `${title}: cold, compilation and all chains`, subject: 'js', unit: 'ms' },
      { case: title, subject: 'numpyro:vmap', absent: true, reason: expect.stringContaining('ENOENT') },
    ]);
    for (const { median, absent } of rows) if (absent === undefined) expect(median).toBeGreaterThan(0);
    expect(rows.slice(5).map(({ subject }) => subject)).toEqual(['js, this thread', 'js, 2 workers']);
    expect(rows.slice(5).map(({ absent }) => absent)).toEqual([undefined, undefined]);
    const difference = ratios.find(({ name }) => name.startsWith('js, largest |z| over its limit'));
    expect(difference?.value).toBeGreaterThan(0);
    expect(difference?.value).toBeLessThanOrEqual(1);
  }, 120_000);

  it('times steps whose draws are right, in blocks and one by one', () => {
    const { rows } = bench('--cases', 'steps', '--python', join(root, 'no-such-python'));
    const subjects = ['js', 'js:float32', 'js:call', 'jax:scan', 'jax:scan-float32', 'jax:call'];
    expect(rows.map(({ subject }) => subject)).toEqual([...subjects, ...subjects]);
    for (const { subject, unit, median, reason } of rows) {
      expect(unit).toBe('µs');
      if (subject.startsWith('js')) expect({ subject, figure: median, reason }).toMatchObject({ figure: expect.any(Number) });
      else expect(reason).toContain('ENOENT');
    }
  }, 120_000);

  it('times a network’s steps over its gradient, and watches memory: no tensor and no session is gained', () => {
    const { rows, ratios } = bench('--cases', 'network,memory', '--width', '4', '--rounds', '1', '--steps', '300');
    const timed = rows.filter(({ subject }) => /^onnx:cpu (?:gradient|sgld|sghmc)$/.test(subject) && !subject.includes('memory'));
    for (const { median } of timed) expect(median).toEqual(expect.any(Number));
    expect(rows.map(({ absent }) => absent)).toEqual(rows.map(() => undefined));
    for (const subject of ['js nuts', 'js hmc', 'onnx:cpu sgld']) {
      expect(ratios).toContainEqual({ name: `${subject}, sessions gained`, value: 0, goal: 0 });
      const tensors = ratios.find(({ name }) => name === `${subject}, tensors gained`);
      expect(tensors?.value).toBeLessThanOrEqual(0);
    }
  }, 120_000);
});
