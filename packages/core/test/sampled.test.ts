import './support/backend.js';
import type { Coreset, Divergence, ExpertSource, Model, PreparedObjective, Runtime, SampledOptions, Tree } from '@bpc/core';
import {
  AUGMENTATION_GROUPS,
  ConfigError,
  contrastiveDivergence,
  disposeTree,
  foldIn,
  key,
  learn,
  memoryStore,
  normal,
  parseAugmentation,
  ShapeError,
  sampled,
  sgd,
} from '@bpc/core';
import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import { memory, mul, ones, reshape, scalar, square, sub, sum, tensor1d, tensor2d } from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runtimes } from './support/runtimes.js';

type Params = { readonly w: Tensor };

const model: Model<Params> = {
  init: (k) => ({ w: normal(k, [2]) }),
  logPrior: ({ w }) => mul(sum(square(w)), -0.5),
  logLikelihood: ({ w }, { x, y }) => reshape(mul(square(sub(sum(mul(x, w), 1, true), y)), -0.5), [-1]),
};

/** Snapshot (e, t) is the number 100e + t, so that results tell where they come from; loads are recorded. */
function numbered(count: number, epochs: number) {
  const loads: [expert: number, epoch: number][] = [];
  const experts: ExpertSource<Params> = {
    count,
    epochs,
    load: async (expert, epoch) => {
      loads.push([expert, epoch]);
      return { w: scalar(100 * expert + epoch) };
    },
  };
  return { experts, loads };
}

/** Value: the expert (plus the start over 1000); gradient: the augmented inputs. */
const probe: Divergence = {
  name: 'probe',
  requires: { real: false, synthetic: true, order: 1 },
  estimate: (_, { coreset, expert, start, augment }) => {
    const at = (p: Tree) => (p as Params).w;
    const first = augment ? augment(coreset.x, scalar(0, 'int32')) : coreset.x;
    const second = augment ? augment(coreset.x, scalar(1, 'int32')) : coreset.x;
    return {
      grad: { x: first, y: second as never },
      value: (start === undefined ? mul(at(expert), 1) : sub(at(expert), mul(at(start), 0.001))) as Scalar,
    };
  },
};

const images: Coreset = { x: ones([3, 8, 8, 1]), y: ones([3, 2]), weights: tensor1d([1, 1, 1]) };
const learnable = { x: true, y: false, weights: false };

describe.each(runtimes)('sampled on %s', (_, makeRuntime) => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await makeRuntime();
  });
  afterAll(async () => runtime.dispose());

  const prepare = async (divergence: Divergence, options: Omit<SampledOptions<Params>, 'model'>, coreset = images) =>
    sampled(divergence, { model, ...options }).prepare(runtime, coreset, learnable);
  const run = async (prepared: PreparedObjective<readonly Tree[]>, i: number) => {
    const { grad, value } = await prepared.step(foldIn(key(1), i), images, []);
    const result = { x: await grad.x?.data(), y: await grad.y?.data(), value: (await value?.data())?.[0] };
    disposeTree([grad as Tree, value as Tree]);
    return result;
  };

  it('draws every expert and every start epoch of the range, and nothing else', async () => {
    const { experts } = numbered(3, 10);
    const prepared = await prepare(probe, { experts, startEpochs: { from: 2, to: 5 } });
    const seen = new Set<number>();
    for (let i = 0; i < 120; i++) seen.add((await run(prepared, i)).value ?? -1);
    expect([...seen].sort((a, b) => a - b)).toEqual([0, 1, 2].flatMap((e) => [2, 3, 4].map((t) => 100 * e + t)));
    await prepared.dispose();
  });

  it('depends on the key alone', async () => {
    const prepared = await prepare(probe, { experts: numbered(5, 50).experts, augment: parseAugmentation('color_crop_cutout_flip') });
    const first = await Promise.all([3, 1, 2].map((i) => run(prepared, i)));
    const [one, two, three] = [await run(prepared, 1), await run(prepared, 2), await run(prepared, 3)];
    expect([three, one, two]).toEqual(first);
    await prepared.dispose();
  });

  it('hands over the start and the snapshot expertEpochs later', async () => {
    const { experts, loads } = numbered(3, 10);
    const prepared = await prepare(probe, { experts, expertEpochs: 3 });
    for (let i = 0; i < 20; i++) {
      loads.length = 0;
      const { value } = await run(prepared, i);
      const [[expert, end], [same, start]] = loads as [[number, number], [number, number]];
      expect([same, end]).toEqual([expert, start + 3]);
      expect(value).toBeCloseTo(100 * expert + end - (100 * expert + start) / 1000, 3);
    }
    await prepared.dispose();
  });

  it('averages value and gradient over the experts of a step', async () => {
    const { experts, loads } = numbered(4, 20);
    const prepared = await prepare(probe, { experts, expertsPerStep: 3 });
    for (let i = 0; i < 5; i++) {
      loads.length = 0;
      const { value, x } = await run(prepared, i);
      expect(loads.length).toBe(3);
      expect(value).toBeCloseTo(loads.reduce((total, [e, t]) => total + 100 * e + t, 0) / 3, 3);
      expect(x?.every((v) => Math.abs(v - 1) < 1e-6)).toBe(true);
    }
    await prepared.dispose();
  });

  it('augments with one group per estimate, with one draw or several', async () => {
    const once = await prepare(probe, { experts: numbered(1, 1).experts, augment: parseAugmentation('cutout') });
    const twice = await prepare(probe, { experts: numbered(1, 1).experts, augment: parseAugmentation('cutout'), augmentDraws: 2 });
    let different = 0;
    for (let i = 0; i < 5; i++) {
      const { x, y } = await run(once, i);
      expect(x?.some((v) => v === 0) && x.every((v) => v === 0 || v === 1)).toBe(true);
      expect(y).toEqual(x);
      const several = await run(twice, i);
      if (several.x?.join() !== several.y?.join()) different++;
    }
    expect(different).toBeGreaterThan(2);
    await Promise.all([once.dispose(), twice.dispose()]);
  });

  it('leaks nothing, in preparation, steps and failing loads', async () => {
    const start = memory().numTensors;
    const { experts } = numbered(2, 5);
    const prepared = await prepare(probe, { experts, expertsPerStep: 2, augment: parseAugmentation(AUGMENTATION_GROUPS.join('_')) });
    for (let i = 0; i < 4; i++) await run(prepared, i);
    await prepared.dispose();
    let left = 6;
    const broken = {
      ...experts,
      load: async (e: number, t: number) => {
        if (left-- === 0) throw new Error('unreadable');
        return experts.load(e, t);
      },
    };
    const failing = await prepare(probe, { experts: broken, expertsPerStep: 2, expertEpochs: 1 });
    await run(failing, 0);
    await expect(run(failing, 1)).rejects.toThrow('unreadable');
    await failing.dispose();
    expect(memory().numTensors).toBe(start);
  });

  it('learns with contrastive divergence, and resumes to the same bits', async () => {
    const coreset: Coreset = {
      x: tensor2d([
        [1, 0],
        [0, 1],
      ]),
      y: tensor2d([[2], [-1]]),
      weights: tensor1d([1, 1]),
    };
    const experts: ExpertSource<Params> = { count: 3, epochs: 2, load: async (e, t) => ({ w: tensor1d([2 + 0.1 * e, -1 - 0.1 * t]) }) };
    const objective = sampled(contrastiveDivergence({ steps: 3, stepSize: 0.05, temperature: 1e-3 }), { model, experts });
    const options = { objective, coreset, optimizer: sgd({ learningRate: 0.1, momentum: 0.5 }), runtime, steps: 12, key: key(5) };
    const bits = async (c: Coreset) => [...(await c.x.data())];
    const whole = await bits(await learn(options).collect());
    const checkpoint = { store: memoryStore(), every: 4 };
    for await (const { step } of learn({ ...options, checkpoint })) if (step === 7) break;
    expect(await bits(await learn({ ...options, checkpoint }).collect())).toEqual(whole);
    expect(whole).not.toEqual(await bits(coreset));
  });

  it('refuses to augment inputs that are no images', async () => {
    const coreset: Coreset = { x: tensor2d([[1, 0]]), y: tensor2d([[1]]), weights: tensor1d([1]) };
    await expect(prepare(probe, { experts: numbered(1, 1).experts, augment: parseAugmentation('crop') }, coreset)).rejects.toThrow(
      ShapeError,
    );
  });
});

describe('options outside their domain are refused', () => {
  const { experts } = numbered(2, 5);
  it.each([
    [{ startEpochs: { from: 0, to: 6 } }, /startEpochs.to is 6, but experts have 5 snapshots/],
    [{ startEpochs: { from: 3, to: 3 } }, /startEpochs.to is 3, expected an integer ≥ 4/],
    [{ startEpochs: { from: -1, to: 3 } }, /startEpochs.from is -1/],
    [{ expertEpochs: 5 }, /startEpochs.to is 0/],
    [{ expertsPerStep: 0 }, /expertsPerStep is 0/],
    [{ augmentDraws: 1.5 }, /augmentDraws is 1.5/],
    [{ experts: { ...experts, count: 0 } }, /experts.count is 0/],
  ])('%#', (options, message) => {
    const make = () => sampled(probe, { model, experts, ...options });
    expect(make).toThrow(ConfigError);
    expect(make).toThrow(message);
  });

  it('including a divergence that needs real data without any', () => {
    expect(() => sampled({ ...probe, requires: { ...probe.requires, real: true } }, { model, experts })).toThrow(/needs real data/);
  });
});
