import './support/backend.js';
import type { Coreset, Divergence, ExpertSource, LearnOptions, Model, Runtime, Tree } from '@bpc/core';
import {
  crossEntropyEnergy,
  disposeTree,
  foldIn,
  InterruptedError,
  key,
  learn,
  memoryStore,
  normal,
  parseAugmentation,
  sampled,
  sgd,
  supervised,
  treeLeaves,
  wasserstein,
} from '@bpc/core';
import { relativeDeviation } from '@bpc/core/testing';
import { mlp } from '@bpc/models';
import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import { add, memory, mul, scalar, sum, tensor1d, tensor2d, zeros } from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runtimes } from './support/runtimes.js';

const network = mlp({ inputShape: [4, 4, 1], outputs: 3, hidden: [4] });
const model = supervised({ network, energy: crossEntropyEnergy() }) as unknown as Model<Tree>;
const experts: ExpertSource<Tree> = { count: 3, epochs: 3, load: async (e, t) => network.init(foldIn(key(e), t)) as unknown as Tree };
const initial: Coreset = {
  x: normal(key(1), [3, 4, 4, 1]),
  // Two points of one class, none of another.
  y: tensor2d([
    [1, 0, 0],
    [1, 0, 0],
    [0, 0, 1],
  ]),
  weights: tensor1d([1, 0.5, 2]),
};
const onlyX = { x: true, y: false, weights: false };
const stepSize = 0.05;
const divergence = wasserstein({ steps: 3, stepSize, learnStepSize: { learningRate: 0.02 } });
const values = (tree: Tree | undefined) => (tree === undefined ? [] : treeLeaves(tree).map((leaf) => Array.from(leaf.dataSync())));

/** Counts its estimates and sums what it is given, so that a lost or repeated state shows. */
const counting: Divergence = {
  name: 'counting',
  requires: { real: false, synthetic: true, order: 1 },
  init: () => ({ count: scalar(0), total: zeros([2]) }),
  estimate: (_, { coreset, state }) => {
    const { count, total } = state as { readonly count: Scalar; readonly total: Tensor };
    return {
      grad: { x: mul(coreset.x, 0) },
      value: mul(count, 1) as Scalar,
      state: { count: add(count, 1), total: add(mul(total, 2), add(count, sum(mul(coreset.x, 0)))) },
    };
  },
};

describe.each(runtimes)('the state of a divergence in sampled, on %s', (_, makeRuntime) => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await makeRuntime();
  });
  afterAll(() => runtime.dispose());

  const learning = (more: Partial<LearnOptions<readonly Tree[]>> = {}, from = experts): LearnOptions<readonly Tree[]> => ({
    objective: sampled(divergence, {
      model,
      experts: from,
      expertEpochs: 1,
      expertsPerStep: 2,
      augment: parseAugmentation('color'),
      augmentDraws: 3,
    }),
    coreset: initial,
    optimizer: sgd({ learningRate: 1, momentum: 0.5 }),
    runtime,
    steps: 6,
    key: key(5),
    ...more,
  });
  /** The bytes of the last checkpoint: coreset, optimiser and learned step size. */
  const lastCheckpoint = async (run: (checkpoint: { store: ReturnType<typeof memoryStore>; every: number }) => Promise<void>) => {
    const store = memoryStore();
    await run({ store, every: 2 });
    return store.read('checkpoint.safetensors');
  };
  const finish = async (more: Partial<LearnOptions<readonly Tree[]>>) => disposeTree(await learn(learning(more)).collect());
  let whole: Uint8Array | undefined;
  beforeAll(async () => {
    whole = await lastCheckpoint((checkpoint) => finish({ checkpoint }));
  });

  it('is carried from estimate to estimate, those of one step included, and averaged over by none', async () => {
    const prepared = await sampled(counting, { model, experts, expertsPerStep: 3 }).prepare(runtime, initial, onlyX);
    let state: readonly Tree[] = [counting.init?.(key(0), model) as Tree];
    const counts: number[] = [];
    for (let i = 0; i < 3; i++) {
      const { grad, value, state: next } = await prepared.step(foldIn(key(1), i), initial, state);
      disposeTree(state);
      state = next;
      counts.push((await (value as Tensor).data())[0] ?? Number.NaN);
      disposeTree([grad as Tree, value as Tree]);
    }
    // The value is the mean count of the three estimates of a step.
    expect(counts).toEqual([1, 4, 7]);
    // Σ_i 2^(8−i) i for i = 0 … 8: any estimate skipped, repeated or out of order gives another number.
    expect(values(state[0])).toEqual([[9], [502, 502]]);
    disposeTree(state);
    await prepared.dispose();
  });

  it('of a learned step size is after one step of two experts what it is after two steps of one', async () => {
    // One expert, no augmentation, no noise: an estimate depends on coreset and state alone.
    const single: ExpertSource<Tree> = { ...experts, count: 1, epochs: 2 };
    const prepare = (expertsPerStep: number) =>
      sampled(divergence, { model, experts: single, expertEpochs: 1, expertsPerStep }).prepare(runtime, initial, onlyX);
    const [one, two] = [await prepare(1), await prepare(2)];
    const start: readonly Tree[] = [divergence.init?.(key(0), model) as Tree];
    const first = await one.step(key(1), initial, start);
    const second = await one.step(key(2), initial, first.state);
    const both = await two.step(key(3), initial, start);
    expect(values(both.state[0])).toEqual(values(second.state[0]));
    const [[alpha = Number.NaN] = []] = values(both.state[0]);
    expect(Math.abs(alpha - stepSize)).toBeGreaterThan(1e-4);
    const [a, b] = [values(first.grad as Tree)[0] ?? [], values(second.grad as Tree)[0] ?? []];
    // The step size has moved in between, so that the two gradients differ.
    expect(relativeDeviation(a, b)).toBeGreaterThan(1e-4);
    const mean = Float64Array.from(a, (value, i) => (value + (b[i] ?? Number.NaN)) / 2);
    expect(relativeDeviation(values(both.grad as Tree)[0] ?? [], mean)).toBeLessThan(1e-5);
    for (const made of [first, second, both]) disposeTree(made as unknown as Tree);
    disposeTree(start);
    await Promise.all([one.dispose(), two.dispose()]);
  });

  it('is saved, and a run that was left, aborted or struck by a failing disk ends with the same bytes', async () => {
    const left = await lastCheckpoint(async (checkpoint) => {
      for await (const { step } of learn(learning({ checkpoint }))) if (step === 3) break;
      await finish({ checkpoint });
    });
    expect(left).toEqual(whole);
    const aborted = await lastCheckpoint(async (checkpoint) => {
      const controller = new AbortController();
      const run = learn(
        learning({
          checkpoint,
          signal: controller.signal,
          progressInterval: 0,
          onProgress: ({ step }) => step === 3 && controller.abort(),
        }),
      );
      await expect(run.collect()).rejects.toThrow(InterruptedError);
      await finish({ checkpoint });
    });
    expect(aborted).toEqual(whole);
    const failed = await lastCheckpoint(async (checkpoint) => {
      let loads = 0;
      // Two loads to compile, then four a step: the second estimate of the fourth step.
      const unreadable: ExpertSource<Tree> = {
        ...experts,
        load: async (e, t) => {
          if (++loads === 17) throw new Error('unreadable');
          return experts.load(e, t);
        },
      };
      await expect(learn(learning({ checkpoint }, unreadable)).collect()).rejects.toThrow('unreadable');
      await finish({ checkpoint });
    });
    expect(failed).toEqual(whole);
  });

  it('is another for another learning rate of the step size, which a checkpoint would show', async () => {
    const slower = wasserstein({ steps: 3, stepSize, learnStepSize: { learningRate: 0.01 } });
    const other = await lastCheckpoint((checkpoint) =>
      finish({
        checkpoint,
        objective: sampled(slower, {
          model,
          experts,
          expertEpochs: 1,
          expertsPerStep: 2,
          augment: parseAugmentation('color'),
          augmentDraws: 3,
        }),
      }),
    );
    expect(other).not.toEqual(whole);
  });

  it('leaks nothing: as many tensors at every step, and after failures as before', async () => {
    const before = memory().numTensors;
    const counts = new Set<number>();
    for await (const { step } of learn(learning())) {
      counts.add(memory().numTensors);
      if (step === 4) break;
    }
    expect(counts.size).toBe(1);
    let loads = 0;
    const unreadable: ExpertSource<Tree> = {
      ...experts,
      load: async (e, t) => {
        if (++loads > 10 && loads % 2 === 1) throw new Error('unreadable');
        return experts.load(e, t);
      },
    };
    await expect(learn(learning({}, unreadable)).collect()).rejects.toThrow('unreadable');
    expect(memory().numTensors).toBe(before);
  });
});
