import './support/backend.js';
import type { Coreset, ExpertSource, LearnOptions, Model, Runtime, Tree } from '@bpc/core';
import {
  contrastiveDivergence,
  crossEntropyEnergy,
  disposeTree,
  eagerRuntime,
  foldIn,
  fromSurrogate,
  gaussianPrior,
  key,
  learn,
  memoryStore,
  normal,
  parseAugmentation,
  reduceEnergy,
  sampled,
  sgd,
  supervised,
} from '@bpc/core';
import { convNet } from '@bpc/models';
import type { Scalar, Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import { memory, mul, neg, relu, scalar, square, sub, sum, tensor1d, tensor2d } from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runtimes } from './support/runtimes.js';

const bits = async ({ x, y, weights }: Coreset) => ({
  x: [...(await x.data())],
  y: [...(await y.data())],
  weights: [...(await weights.data())],
});
const distance = (a: readonly number[], b: readonly number[]) => Math.hypot(...a.map((value, i) => value - (b[i] ?? Number.NaN)));

describe('images, labels and weights learned together by contrastive divergence', () => {
  const network = convNet({ inputShape: [8, 8, 1], outputs: 3, depth: 1, width: 3 });
  const model = supervised({ network, energy: crossEntropyEnergy({ targets: 'logits' }), prior: gaussianPrior({ precision: 0.01 }) });
  const experts: ExpertSource<Tree> = { count: 3, epochs: 2, load: async (e, t) => network.init(foldIn(key(e), t)) };
  const initial: Coreset = { x: normal(key(1), [3, 8, 8, 1]), y: normal(key(2), [3, 3]), weights: tensor1d([1, 0.5, 2]) };
  const options = (runtime: Runtime, temperature: number): LearnOptions<readonly Tree[]> => ({
    objective: sampled(contrastiveDivergence({ steps: 3, stepSize: 0.05, temperature, reduction: 'sum' }), {
      model: model as Model<Tree>,
      experts,
      augment: parseAugmentation('color_scale'),
      augmentDraws: 2,
    }),
    coreset: initial,
    learnable: { x: true, y: true, weights: true },
    // Rates far above the rounding of float32, so that agreement means something.
    optimizer: sgd({ learningRate: 0.2, momentum: 0.5 }),
    project: (coreset) => ({ ...coreset, weights: relu(coreset.weights) as Tensor1D }),
    runtime,
    steps: 9,
    key: key(5),
  });
  const learned = async (runtime: Runtime, temperature = 1e-2) => {
    const result = await learn(options(runtime, temperature)).collect();
    const values = await bits(result);
    disposeTree(result);
    return values;
  };
  let reference: Awaited<ReturnType<typeof learned>>;
  beforeAll(async () => {
    reference = await learned(eagerRuntime());
  });

  describe.each(runtimes)('on %s', (_, makeRuntime) => {
    let runtime: Runtime;
    beforeAll(async () => {
      runtime = await makeRuntime();
    });
    afterAll(() => runtime.dispose());

    it('move all three parts, and end where eager code ends; without the noise of the chain they end elsewhere', async () => {
      const start = await bits(initial);
      const found = await learned(runtime);
      const cold = await learned(runtime, 0);
      for (const part of ['x', 'y', 'weights'] as const) {
        const moved = distance(found[part], start[part]);
        expect(moved).toBeGreaterThan(1e-2);
        expect(distance(found[part], reference[part])).toBeLessThan(1e-3 * moved);
        expect(distance(cold[part], reference[part])).toBeGreaterThan(1e-2 * moved);
      }
      expect(found.weights.every((weight) => weight >= 0)).toBe(true);
    });

    it('end with the same bits when left and resumed, noise of the chain included, with as many tensors at every step', async () => {
      const whole = await learned(runtime);
      const checkpoint = { store: memoryStore(), every: 2 };
      const counts = new Set<number>();
      for await (const { step } of learn({ ...options(runtime, 1e-2), checkpoint })) {
        counts.add(memory().numTensors);
        if (step === 5) break;
      }
      expect(counts.size).toBe(1);
      const result = await learn({ ...options(runtime, 1e-2), checkpoint }).collect();
      expect(await bits(result)).toEqual(whole);
    });
  });
});

describe.each(runtimes)('a divergence from a scalar loss, learned on %s', (_, makeRuntime) => {
  // log p(x_m | θ) = −½‖x_m − θ‖²: the energy pulls each point to the expert with the strength of its weight.
  const model: Model<{ readonly theta: Tensor }> = {
    init: (k) => ({ theta: normal(k, [2]) }),
    logPrior: () => scalar(0),
    logLikelihood: ({ theta }, { x }) => mul(-0.5, sum(square(sub(x, theta)), 1)) as Tensor1D,
  };
  const theta = [3, -1];
  const experts: ExpertSource<{ readonly theta: Tensor }> = { count: 1, epochs: 1, load: async () => ({ theta: tensor1d(theta) }) };
  const energyAt = fromSurrogate(
    'expert-energy',
    { real: false, synthetic: true, order: 1 },
    (_, { model, coreset, expert }) => reduceEnergy(neg(model.logLikelihood(expert, coreset)), coreset.weights, 'sum') as Scalar,
  );
  const x = [
    [1, 2],
    [-4, 0.5],
  ];
  const weights = [1, 0.5];

  it('follows the closed form of its gradient descent, x_n = θ + (1 − ηw)ⁿ (x_0 − θ), and reports its value', async () => {
    const runtime = await makeRuntime();
    const coreset: Coreset = { x: tensor2d(x as [number, number][]), y: tensor2d([[0], [0]]), weights: tensor1d(weights) };
    const [rate, steps] = [0.1, 12];
    const objective = sampled(energyAt, { model, experts });
    const values: number[] = [];
    let last: number[] = [];
    const run = learn({ objective, coreset, optimizer: sgd({ learningRate: rate }), runtime, steps, key: key(0) });
    for await (const { value, coreset: now } of run) {
      values.push(value ?? Number.NaN);
      last = [...(await now.x.data())];
    }
    const after = (n: number) =>
      x.map((point, m) =>
        point.map((start, i) => (theta[i] as number) + (1 - rate * (weights[m] as number)) ** n * (start - (theta[i] as number))),
      );
    const energy = (points: readonly (readonly number[])[]) =>
      points.reduce((total, point, m) => total + (weights[m] as number) * 0.5 * distance(point, theta) ** 2, 0);
    last.forEach((value, i) => expect(value).toBeCloseTo(after(steps).flat()[i] as number, 5));
    values.forEach((value, n) => expect(value).toBeCloseTo(energy(after(n)), 4));
    await runtime.dispose();
  });
});
