import { readFileSync } from 'node:fs';
import '@tensorflow/tfjs-backend-cpu';
import { jsRuntime } from '@bpc/compiler';
import { eagerRuntime, foldIn, InterruptedError, keyFromString, type Progress } from '@bpc/core';
import { add, memory, mul, type Scalar, setBackend, square, sub, sum, type Tensor } from '@tensorflow/tfjs-core';
import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  type Draw,
  diagonalMetric,
  hmc,
  key,
  mala,
  nutsKernel,
  prepareTarget,
  real,
  type SamplingInfo,
  sample,
  sghmc,
  target,
  unconstrainedDensity,
  unconstrainedLike,
  windowedAdaptation,
} from '../src/index.js';
import { eightSchools, gaussian, moments, numbersOf } from './support/sampling-models.js';

const small = { ...eightSchools, key: key(3), chains: 3, warmup: 120, draws: 80 };

async function all(run: AsyncIterable<Draw>): Promise<Draw[]> {
  const draws: Draw[] = [];
  for await (const draw of run) draws.push(draw);
  return draws;
}

describe('sample', () => {
  it('reports parameters as their author ordered them, then derived quantities, with their shapes', async () => {
    const draws = await sample(small).collect();
    expect(draws.variables).toEqual([
      { name: 'tau', shape: [], kind: 'parameter' },
      { name: 'mu', shape: [], kind: 'parameter' },
      { name: 'school/z', shape: [8], kind: 'parameter' },
      { name: 'theta', shape: [8], kind: 'derived' },
    ]);
    expect([draws.chains, draws.length, draws.interrupted]).toEqual([3, 80, false]);
    expect(draws.values['theta']).toHaveLength(3 * 80 * 8);
    expect(draws.unconstrained).toHaveLength(3 * 80 * 10);
    expect(draws.provenance['unconstrained']).toEqual([
      { name: 'mu', shape: [] },
      { name: 'school/z', shape: [8] },
      { name: 'tau', shape: [] },
    ]);
  });

  it('gives values on their supports, in float64, that belong to the unconstrained ones', async () => {
    const { values, unconstrained, statistics } = await sample(small).collect();
    const { y, sigma }: { readonly y: readonly number[]; readonly sigma: readonly number[] } = eightSchools.data!;
    for (let row = 0; row < 240; row++) {
      const u = unconstrained.subarray(row * 10, row * 10 + 10);
      const [mu, tau] = [u[0]!, Math.exp(u[9]!)];
      expect(values['mu']![row]).toBe(mu);
      expect(Math.abs(values['tau']![row]! / tau - 1)).toBeLessThan(1e-15);
      let logDensity = -0.5 * (mu / 5) ** 2 - Math.log(1 + (tau / 5) ** 2) + u[9]!;
      for (let k = 0; k < 8; k++) {
        const theta = mu + tau * u[1 + k]!;
        expect(Math.abs(values['theta']![row * 8 + k]! - theta)).toBeLessThan(1e-13 * (1 + Math.abs(theta)));
        logDensity -= 0.5 * ((y[k]! - theta) / sigma[k]!) ** 2 + 0.5 * u[1 + k]! ** 2;
      }
      expect(Math.abs(statistics['logDensity']![row]! - logDensity)).toBeLessThan(1e-10 * (1 + Math.abs(logDensity)));
    }
  });

  it('is NUTS with the windowed warm-up, transition t of chain c keyed by foldIn(foldIn(key, c), t)', async () => {
    const start = { mu: 1, tau: 2, school: { z: [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7] } };
    const stepSize = 0.25;
    const draws = await sample({ ...small, start, stepSize, keepWarmup: true, metric: 'unit' }).collect();
    const runtime = jsRuntime();
    const density = await runtime.density(
      unconstrainedDensity(eightSchools),
      unconstrainedLike(eightSchools.parameters),
      eightSchools.data,
    );
    for (const chain of [0, 2]) {
      const kernel = nutsKernel({ density });
      const warmUp = windowedAdaptation({ size: 10, warmup: 120, metric: 'unit' });
      await kernel.start(Float64Array.from([1, ...start.school.z, Math.log(2)]));
      warmUp.begin(stepSize);
      for (let t = 0; t < 200; t++) {
        kernel.stepSize = warmUp.stepSize;
        await kernel.transition(foldIn(foldIn(key(3), chain), t));
        const from = t < 120 ? draws.warmup! : draws;
        const row = t < 120 ? chain * 120 + t : chain * 80 + t - 120;
        expect(from.unconstrained.subarray(row * 10, row * 10 + 10)).toEqual(kernel.position);
        expect(from.statistics['stepSize']![row]).toBe(kernel.stepSize);
        if (t < 120) warmUp.update(kernel.position, kernel.info.acceptance);
        if (t === 119) warmUp.finish();
      }
    }
    await runtime.dispose();
  });

  it('gives the same draws when it is iterated, draw n of all chains before draw n + 1', async () => {
    const collected = await sample({ ...small, keepWarmup: true }).collect();
    const draws = await all(sample({ ...small, keepWarmup: true }));
    expect(draws.map(({ chain, index, warmup }) => [chain, index, warmup])).toEqual(
      Array.from({ length: 600 }, (_, i) => {
        const n = Math.floor(i / 3);
        return [i % 3, n < 120 ? n : n - 120, n < 120];
      }),
    );
    for (const { chain, index, warmup, values, statistics, unconstrained } of draws) {
      const from = warmup ? collected.warmup! : collected;
      const row = chain * from.length + index;
      expect(unconstrained).toEqual(from.unconstrained.subarray(row * 10, row * 10 + 10));
      expect(values['theta']).toEqual(from.values['theta']!.subarray(row * 8, row * 8 + 8));
      expect(statistics['energy']).toBe(from.statistics['energy']![row]);
    }
  });

  it('does not change earlier draws when more are asked for, nor a chain when others are added', async () => {
    const few = await sample(small).collect();
    const many = await sample({ ...small, chains: 5, draws: 200 }).collect();
    for (let c = 0; c < 3; c++) {
      expect(many.values['mu']!.subarray(c * 200, c * 200 + 80)).toEqual(few.values['mu']!.subarray(c * 80, c * 80 + 80));
    }
  });

  it('keeps every third draw with thin: 3, whose statistics speak for the transitions between', async () => {
    const whole = await sample({ ...small, draws: 90, targetAcceptance: 0.4, keepWarmup: true }).collect();
    const thinned = await sample({ ...small, draws: 30, thin: 3, targetAcceptance: 0.4, keepWarmup: true }).collect();
    expect([thinned.length, thinned.warmup!.length]).toEqual([30, 40]);
    for (const [part, of] of [
      [thinned, whole],
      [thinned.warmup!, whole.warmup!],
    ] as const) {
      for (let c = 0; c < 3; c++) {
        for (let n = 0; n < part.length; n++) {
          const last = c * of.length + 3 * n + 2;
          const window = (name: string) => [...of.statistics[name]!.subarray(last - 2, last + 1)];
          const at = (name: string) => part.statistics[name]![c * part.length + n];
          expect(part.values['mu']![c * part.length + n]).toBe(of.values['mu']![last]);
          expect(at('leapfrogSteps')).toBe(window('leapfrogSteps').reduce((a, b) => a + b));
          expect(at('divergent')).toBe(Math.max(...window('divergent')));
          expect(at('stepSize')).toBe(of.statistics['stepSize']![last]);
        }
      }
    }
    expect(whole.warmup!.statistics['divergent']!.some((x) => x === 1)).toBe(true);
    const counted = (of: typeof whole, c: number) =>
      of.statistics['divergent']!.subarray(c * of.length, (c + 1) * of.length).reduce((a, b) => a + b);
    for (const run of [whole, thinned]) {
      const records = run.provenance['chains'] as readonly { readonly divergences: object }[];
      // Of all transitions, whether they are kept or not.
      expect(records.map(({ divergences }) => divergences)).toEqual(
        records.map((_, c) => ({ warmup: counted(whole.warmup!, c), sampling: counted(whole, c) })),
      );
    }
  });

  it('finds the moments of a Gaussian, warm-up and all', async () => {
    const draws = await sample({ ...gaussian, key: key(1), draws: 4000 }).collect();
    const [x, y] = [moments(draws.values['x']!), moments(draws.values['y']!)];
    // NUTS draws of a Gaussian are worth at least their number here; 5 standard errors of 16 000 independent ones.
    expect(Math.abs(x.mean - 1)).toBeLessThan((5 * 2) / Math.sqrt(16_000));
    expect(Math.abs(y.sd / 0.5 - 1)).toBeLessThan((5 / Math.sqrt(2 * 16_000)) * 1.5);
    const chains = draws.provenance['chains'] as readonly { metric: { inverseMass: number[] } }[];
    for (const { metric } of chains) expect(metric.inverseMass[0]! / metric.inverseMass[1]!).toBeGreaterThan(8);
  });

  it('types parameters, data and starts by the names of the target', () => {
    const options = { key: key(1), parameters: { mu: real(), group: { tau: real() } }, data: { y: [1, 2] } } as const;
    sample({
      ...options,
      start: { mu: 1, group: { tau: 2 } },
      logDensity: ({ mu, group }, { y }) => {
        expectTypeOf(mu).toEqualTypeOf<Tensor>();
        expectTypeOf(group).toEqualTypeOf<{ readonly tau: Tensor }>();
        expectTypeOf(y).toEqualTypeOf<Tensor>();
        return sum(y) as Scalar;
      },
    });
    // @ts-expect-error there is no parameter nu
    sample({ ...options, logDensity: ({ nu }) => sum(nu) as Scalar });
    // @ts-expect-error there are no data x
    sample({ ...options, logDensity: (_, { x }) => sum(x) as Scalar });
    // @ts-expect-error a start names every parameter
    sample({ ...options, start: { mu: 1 }, logDensity: ({ mu }) => sum(mu) as Scalar });
    expect(options.data.y).toHaveLength(2);
  });

  it('samples one parameter alone, from a start per chain', async () => {
    const alone = target({ parameters: real([2]), logDensity: (x) => mul(sum(square(x)), -0.5) as Scalar });
    const start = [
      [1, 2],
      [3, 4],
    ];
    const draws = await sample({ ...alone, start, stepSize: 1e-9, warmup: 0, draws: 1, chains: 2, maxDepth: 1, key: key(0) }).collect();
    expect(draws.variables).toEqual([{ name: 'value', shape: [2], kind: 'parameter' }]);
    expect([...draws.values['value']!].map((x) => Math.round(x * 1e6) / 1e6)).toEqual([1, 2, 3, 4]);
    const one = await sample({
      ...alone,
      start: [5, 6],
      stepSize: 1e-9,
      warmup: 0,
      draws: 1,
      chains: 2,
      maxDepth: 1,
      key: key(0),
    }).collect();
    expect([...one.values['value']!].map(Math.round)).toEqual([5, 6, 5, 6]);
  });

  it('keeps a metric that is given, and tunes the step size alone', async () => {
    const metric = diagonalMetric([4, 0.25]);
    const { provenance } = await sample({ ...gaussian, key: key(1), metric, warmup: 200, draws: 10, chains: 1 }).collect();
    const [chain] = provenance['chains'] as readonly { metric: object; stepSize: number }[];
    expect(chain!.metric).toEqual({ kind: 'diagonal', inverseMass: [4, 0.25] });
    expect(chain!.stepSize).not.toBe(1);
  });

  it('says which version made the draws', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
    const { provenance } = await sample({ ...gaussian, key: key(1), warmup: 10, draws: 10 }).collect();
    expect(provenance['version']).toBe(version);
  });

  it('without a warm-up uses the step size that is given, or the one it finds', async () => {
    const run = (stepSize: { stepSize?: number }) =>
      sample({ ...gaussian, key: key(1), warmup: 0, draws: 5, chains: 1, ...stepSize }).collect();
    expect(new Set((await run({ stepSize: 0.125 })).statistics['stepSize'])).toEqual(new Set([0.125]));
    expect(new Set((await run({})).statistics['stepSize']).size).toBe(1);
  });

  it('samples exp(log density / T) at temperature T', async () => {
    const draws = await sample({ ...gaussian, key: key(1), temperature: 9, draws: 2000 }).collect();
    expect(moments(draws.values['x']!).sd / 6).toBeCloseTo(1, 1);
  });

  it('is the same for a prepared target, which serves many runs and is not disposed by them', async () => {
    const prepared = await prepareTarget(eightSchools);
    const { parameters: _, logDensity: __, data: ___, derived: ____, ...settings } = small;
    const [first, second] = await Promise.all([sample({ ...settings, prepared }).collect(), sample({ ...settings, prepared }).collect()]);
    const inline = numbersOf(await sample(small).collect());
    expect(numbersOf(first)).toEqual(inline);
    expect(numbersOf(second)).toEqual(inline);
    await prepared.dispose();
    await expect(sample({ ...settings, prepared }).collect()).rejects.toMatchObject({ code: 'CONFIG' });
  });

  it('runs on a runtime that answers later, in float32', async () => {
    await setBackend('cpu');
    const runtime = eagerRuntime();
    const before = memory().numTensors;
    const draws = await sample({ ...gaussian, key: key(1), runtime, chains: 2, warmup: 60, draws: 40 }).collect();
    expect(draws.provenance['runtime']).toMatchObject({ name: 'tfjs:cpu' });
    expect(draws.values['x']!.every(Number.isFinite)).toBe(true);
    expect(memory().numTensors).toBe(before);
    await runtime.dispose();
  });

  it('tells its progress over all chains, to the last transition', async () => {
    const seen: Progress<SamplingInfo>[] = [];
    await sample({ ...small, progressInterval: 0, onProgress: (p) => seen.push(p) }).collect();
    expect(seen.length).toBeGreaterThan(2);
    for (const [i, { step, total, info }] of seen.entries()) {
      expect(total).toBe(3 * 200);
      expect(step).toBeGreaterThan(seen[i - 1]?.step ?? 0);
      expect(info.warmup).toBe(step < 3 * 120 ? true : info.warmup);
    }
    expect(seen.at(-1)).toMatchObject({ step: 600, eta: 0, info: { warmup: false } });
  });
});

describe('an abort', () => {
  const long = { ...small, draws: 1_000_000 };

  it('makes collect resolve with the draws that all chains have, a beginning of the whole run', async () => {
    const controller = new AbortController();
    const onProgress = ({ step }: Progress<SamplingInfo>) => void (step > 1000 && controller.abort());
    const part = await sample({ ...long, signal: controller.signal, onProgress, progressInterval: 0, keepWarmup: true }).collect();
    expect(part.interrupted).toBe(true);
    expect(part.length).toBeGreaterThan(0);
    expect(part.length).toBeLessThan(1_000_000);
    const whole = numbersOf(await sample({ ...small, draws: part.length, keepWarmup: true }).collect());
    expect(numbersOf(part)).toEqual(whole);
  });

  it('before the first transition leaves no draws, but names and shapes', async () => {
    const part = await sample({ ...long, signal: AbortSignal.abort() }).collect();
    expect([part.length, part.interrupted, part.variables.length]).toEqual([0, true, 4]);
    expect(part.values['theta']).toHaveLength(0);
  });

  it('ends an iteration with InterruptedError, after the draws that there are', async () => {
    const controller = new AbortController();
    let count = 0;
    const run = async () => {
      for await (const _ of sample({ ...long, signal: controller.signal })) if (++count === 30) controller.abort(new Error('enough'));
    };
    const error = await run().catch((e: unknown) => e);
    expect(error).toBeInstanceOf(InterruptedError);
    expect((error as InterruptedError).cause).toMatchObject({ message: 'enough' });
    expect(count % 3).toBe(0);
  });

  it('leaves nothing behind when an iteration is left early', async () => {
    const before = memory().numTensors;
    for await (const { index } of sample(long)) if (index === 5) break;
    expect(memory().numTensors).toBe(before);
  });
});

describe('tensor algorithms', () => {
  const settings = { ...gaussian, key: key(5), chains: 2, warmup: 300, draws: 400 };

  it('sample the target, tuned by the same warm-up', async () => {
    const algorithm: Parameters<typeof sample>[0]['algorithm'] = ({ logDensity }) =>
      hmc({ logDensity, stepSize: 0.1, leapfrogSteps: [3, 8] });
    const before = memory().numTensors;
    const draws = await sample({ ...settings, draws: 3000, algorithm }).collect();
    expect(memory().numTensors).toBe(before);
    const x = moments(draws.values['x']!);
    expect(Math.abs(x.mean - 1)).toBeLessThan(0.25);
    expect(Math.abs(x.sd / 2 - 1)).toBeLessThan(0.1);
    const { acceptance, stepSize } = draws.statistics;
    expect(moments(acceptance!).mean).toBeGreaterThan(0.65);
    expect(moments(stepSize!).mean).toBeGreaterThan(0.3);
    const [chain] = draws.provenance['chains'] as readonly { metric: { inverseMass: number[] } }[];
    expect(chain!.metric.inverseMass[0]! / chain!.metric.inverseMass[1]!).toBeGreaterThan(6);
  });

  it('report the scalars of their info by name', async () => {
    const draws = await sample({ ...settings, draws: 10, algorithm: ({ logDensity }) => mala({ logDensity, stepSize: 0.05 }) }).collect();
    expect(Object.keys(draws.statistics)).toEqual(expect.arrayContaining(['acceptance', 'logDensity']));
  });

  it('give the same draws however many are asked for: blocks do not move', async () => {
    const algorithm: Parameters<typeof sample>[0]['algorithm'] = ({ logDensity }) =>
      sghmc({ logDensity, stepSize: 0.05, momentumDecay: 0.3 });
    const few = await sample({ ...settings, algorithm, warmup: 130, draws: 95 }).collect();
    const many = await sample({ ...settings, algorithm, warmup: 130, draws: 333 }).collect();
    for (let c = 0; c < 2; c++) {
      expect(many.values['x']!.subarray(c * 333, c * 333 + 95)).toEqual(few.values['x']!.subarray(c * 95, c * 95 + 95));
    }
    const keys = await sample({ ...settings, algorithm, warmup: 130, draws: 95, key: keyFromString('0123456789abcdef') }).collect();
    expect(keys.values['x']).not.toEqual(few.values['x']);
  });

  it('see the rows of a mini-batch, all of them in time, none twice in a step', async () => {
    const data = {
      row: Array.from({ length: 40 }, (_, i) => 2 ** (i % 20)),
      group: Int32Array.from({ length: 40 }, (_, i) => Math.floor(i / 20)),
    };
    const seen = target({
      parameters: { x: real() },
      data,
      logDensity: ({ x }, { row }) => add(mul(square(x), -0.5), mul(0, sum(row))) as Scalar,
    });
    // The info tells the rows: sums of powers of two by group, exact in float32.
    const algorithm: Parameters<typeof sample>[0]['algorithm'] = ({ logDensity }) => ({
      init: (position) => ({ position }),
      step: (_, { position }, rows) => {
        const { row, group } = rows as { row: Scalar; group: Scalar };
        const density = logDensity(position, rows);
        return [{ position }, { density, first: sum(mul(row, sub(1, group))), second: sum(mul(row, group)) }];
      },
    });
    const { statistics } = await sample({
      ...seen,
      key: key(2),
      chains: 1,
      warmup: 0,
      draws: 300,
      minibatch: { size: 8 },
      algorithm,
    }).collect();
    const bits = (x: number) => x.toString(2).replaceAll('0', '').length;
    const counts = new Float64Array(40);
    for (let i = 0; i < 300; i++) {
      const [first, second] = [statistics['first']![i]!, statistics['second']![i]!];
      expect(bits(first) + bits(second)).toBe(8);
      for (let k = 0; k < 20; k++) {
        counts[k]! += (first / 2 ** k) & 1;
        counts[20 + k]! += (second / 2 ** k) & 1;
      }
    }
    // Each row: binomial(300, 8/40), mean 60, sd 6.9.
    for (const count of counts) expect(Math.abs(count - 60)).toBeLessThan(5 * 6.9);
  });
});
