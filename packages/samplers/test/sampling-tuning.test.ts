import './support/backend.js';
import { ConfigError, NonFiniteError, type Progress, ShapeError, type Tree, tensorsFromHost } from '@bpc/core';
import {
  type AlgorithmFactory,
  denseMetric,
  diagonalMetric,
  hmc,
  key,
  mala,
  minibatchLogDensity,
  real,
  type SamplingInfo,
  sample,
  sgld,
  target,
  unitMetric,
  windowedAdaptation,
} from '@bpc/samplers';
import { add, cast, equal, memory, mod, mul, type Scalar, scalar, square, sum, type Tensor } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { searchStepSize } from '../src/sampling/search-step-size.js';

/** Two numbers on scales 100 apart. */
const uneven = target({
  parameters: { a: real(), b: real() },
  logDensity: ({ a, b }) => mul(add(square(a), square(mul(b, 100))), -0.5) as Scalar,
});
const settings = { ...uneven, key: key(2), chains: 2, warmup: 300, draws: 50, start: { a: 0.5, b: 0.01 } };
const withHmc =
  (stepSize: number): AlgorithmFactory =>
  ({ logDensity }) =>
    hmc({ logDensity, stepSize, leapfrogSteps: 5 });

type Provenance = readonly { readonly stepSize: number; readonly metric?: { readonly inverseMass: readonly number[] } }[];

describe('the warm-up of a tensor algorithm', () => {
  it('is windowedAdaptation: dual averaging throughout, variances after each window, the averaged step size at the end', async () => {
    const draws = await sample({ ...settings, algorithm: withHmc(0.1), keepWarmup: true }).collect();
    const { warmup, draws: length } = settings;
    const made = draws.warmup!;
    for (const c of [0, 1]) {
      const at = (t: number, name: string): number =>
        t < warmup ? made.statistics[name]![c * warmup + t]! : draws.statistics[name]![c * length + t - warmup]!;
      const warmUp = windowedAdaptation({ size: 2, warmup });
      warmUp.begin(at(0, 'stepSize'));
      let changes = 0;
      for (let t = 0; t < warmup; t++) {
        expect(at(t, 'stepSize')).toBe(Math.fround(warmUp.stepSize));
        const changed = warmUp.update(made.unconstrained.subarray((c * warmup + t) * 2, (c * warmup + t + 1) * 2), at(t, 'acceptance'));
        if (!changed) continue;
        changes += 1;
        // After a change the search starts anew; a factor 2 each, from where dual averaging was.
        const factor = Math.log2(at(t + 1, 'stepSize') / Math.fround(warmUp.stepSize));
        expect(Math.abs(factor - Math.round(factor))).toBeLessThan(1e-5);
        warmUp.begin(at(t + 1, 'stepSize'));
      }
      warmUp.finish();
      expect(changes).toBeGreaterThan(1);
      for (let t = warmup; t < warmup + length; t++) expect(at(t, 'stepSize')).toBe(Math.fround(warmUp.stepSize));
      const record = (draws.provenance['chains'] as Provenance)[c]!;
      expect(record.metric!.inverseMass).toEqual([...warmUp.metric.inverseMass]);
    }
  });

  it('moves by the variances it has learnt: steps of the size of 1, not of the narrowest direction', async () => {
    const learnt = await sample({ ...settings, algorithm: withHmc(0.01) }).collect();
    const plain = await sample({ ...settings, algorithm: withHmc(0.01), metric: 'unit' }).collect();
    for (const stepSize of learnt.statistics['stepSize']!) expect(stepSize).toBeGreaterThan(0.3);
    // Stable up to 2/100.
    for (const stepSize of plain.statistics['stepSize']!) expect(stepSize).toBeLessThan(0.02);
  });

  it.each([1e-8, 1e4])('searches a step size first, so that a start of %s costs nothing', async (stepSize) => {
    const algorithm: AlgorithmFactory = ({ logDensity }) => mala({ logDensity, stepSize });
    const parameters = { x: real() };
    const before = memory().numTensors;
    const draws = await sample({
      parameters,
      logDensity: ({ x }) => mul(square(x), -0.5) as Scalar,
      key: key(3),
      chains: 2,
      warmup: 1,
      draws: 20,
      keepWarmup: true,
      algorithm,
    }).collect();
    expect(memory().numTensors).toBe(before);
    for (const first of draws.warmup!.statistics['acceptance']!) expect(Number.isFinite(first)).toBe(true);
    for (const size of (draws.provenance['chains'] as Provenance).map((chain) => chain.stepSize)) {
      expect(size).toBeGreaterThan(0.01);
      expect(size).toBeLessThan(1000);
    }
  });

  it('says so where every step size is accepted', async () => {
    const flat = sample({
      parameters: { x: real() },
      logDensity: () => scalar(0),
      key: key(1),
      warmup: 10,
      draws: 10,
      algorithm: withHmc(1),
    });
    await expect(flat.collect()).rejects.toThrow(NonFiniteError);
    await expect(flat.collect()).rejects.toThrow(/every step size is accepted/);
  });
});

describe('the search for a step size', () => {
  it('ends at the first step size on the other side of an acceptance of 0.8', async () => {
    const acceptance = async (stepSize: number) => Math.exp(-stepSize);
    // exp(−h) = 0.8 at h = 0.223.
    expect(await searchStepSize(1, acceptance)).toBe(0.125);
    expect(await searchStepSize(0.01, acceptance)).toBe(0.32);
  });

  it('counts NaN as rejected, and gives every try a number of its own', async () => {
    const tries: number[] = [];
    const found = await searchStepSize(8, async (stepSize, i) => {
      tries.push(i);
      return stepSize > 1 ? Number.NaN : 1;
    });
    expect(found).toBe(1);
    expect(tries).toEqual([0, 1, 2, 3]);
  });

  it('gives up where every step size is accepted, or none', async () => {
    await expect(searchStepSize(1, async () => 1)).rejects.toThrow(/every step size is accepted/);
    await expect(searchStepSize(1, async () => 0)).rejects.toThrow(/no step size is accepted/);
  });
});

describe('a metric that is given', () => {
  const variances = diagonalMetric([1, 1e-4]);
  const first = (metric: object | string, warmup: number) =>
    sample({ ...settings, warmup, draws: 30, algorithm: withHmc(0.5), metric: metric as 'unit' }).collect();

  it('is used without a warm-up too', async () => {
    const accepted = (await first(variances, 0)).statistics['acceptance']!;
    expect(accepted.reduce((a, b) => a + b) / accepted.length).toBeGreaterThan(0.8);
    const refused = (await first(unitMetric(2), 0)).statistics['acceptance']!;
    expect(Math.max(...refused)).toBeLessThan(0.01);
  });

  it('stays as it is in the warm-up', async () => {
    const draws = await first(variances, 100);
    for (const stepSize of draws.statistics['stepSize']!) expect(stepSize).toBeGreaterThan(0.3);
  });

  const withSgld: AlgorithmFactory = ({ logDensity }) => sgld({ logDensity, stepSize: 1e-5 });
  it.each<[string, object | string]>([
    ['variances', variances],
    ['a covariance', denseMetric([1, 0, 0, 1], 2)],
    ['a kind', 'dense'],
  ])('(%s) is refused by an algorithm that has none', async (_, metric) => {
    const run = sample({ ...settings, algorithm: withSgld, metric: metric as 'dense' }).collect();
    await expect(run).rejects.toThrow(ConfigError);
    await expect(run).rejects.toThrow(/metric is (diagonal|dense), but the algorithm has no inverse mass/);
  });

  it('is refused beside a dense inverse mass', async () => {
    const dense = tensorsFromHost([
      [2, 0],
      [0, 1],
    ]) as Tensor;
    const run = sample({
      parameters: real([2]),
      logDensity: (x) => mul(sum(square(x)), -0.5) as Scalar,
      key: key(1),
      metric: diagonalMetric([1, 1]),
      algorithm: ({ logDensity }) => hmc({ logDensity, stepSize: 0.1, leapfrogSteps: 2, inverseMass: dense }),
    }).collect();
    await expect(run).rejects.toThrow(/metric has variances, but the algorithm has a dense inverseMass/);
  });

  it.each([0, -1, Number.NaN])('is refused in the algorithm when a variance is %s', async (variance) => {
    const inverseMass = tensorsFromHost({ a: 1, b: variance });
    const run = sample({
      ...settings,
      algorithm: ({ logDensity }) => hmc({ logDensity, stepSize: 0.1, leapfrogSteps: 2, inverseMass }),
    }).collect();
    await expect(run).rejects.toThrow(ConfigError);
    await expect(run).rejects.toThrow(new RegExp(`inverseMass 'b' is ${variance}, expected positive finite variances`));
  });

  it('has the size of the target', async () => {
    await expect(first(diagonalMetric([1, 1, 1]), 10)).rejects.toThrow(ShapeError);
  });
});

it('counts the divergences that a tensor algorithm reports, kept or not, in the warm-up and after', async () => {
  const algorithm: AlgorithmFactory = ({ logDensity }) => ({
    init: (position) => ({ position, t: scalar(0) }),
    step: (_, state) => {
      const { position, t } = state as unknown as { position: Tree; t: Scalar };
      return [
        { position, t: add(t, 1) },
        { divergent: cast(equal(mod(t, 3), 0), 'float32'), logDensity: logDensity(position) },
      ];
    },
  });
  let seen = 0;
  const onProgress = ({ info }: Progress<SamplingInfo>) => void (seen = info.divergences);
  const options = { ...settings, warmup: 30, draws: 10, thin: 5, algorithm, onProgress, progressInterval: 0 };
  const { provenance, statistics } = await sample(options).collect();
  // Transitions 0, 3, …, 27 and 30, 33, …, 78.
  const expected = { warmup: 10, sampling: 17 };
  expect(provenance['chains']).toMatchObject([{ divergences: expected }, { divergences: expected }]);
  expect(seen).toBe(2 * 27);
  expect([...statistics['divergent']!]).toEqual(new Array(20).fill(1));
});

it('refuses mini-batches for algorithms that accept or reject, whose chain would stand still', async () => {
  const run = sample({
    parameters: { m: real() },
    data: { y: [1, 2, 3, 4] },
    logDensity: minibatchLogDensity({
      logPrior: ({ m }: { m: Tensor }) => mul(square(m), -0.5),
      logLikelihood: ({ m }: { m: Tensor }, { y }: { y: Tensor }) => mul(square(add(y, mul(m, -1))), -0.5),
      size: 4,
    }) as never,
    minibatch: { size: 2 },
    key: key(1),
    algorithm: withHmc(0.1),
  }).collect();
  await expect(run).rejects.toThrow(ConfigError);
  await expect(run).rejects.toThrow(/minibatch is given, but the algorithm accepts or rejects.*sgld/);
});
