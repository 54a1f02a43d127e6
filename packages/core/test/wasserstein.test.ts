import './support/backend.js';
import { topologicalOrder, trace } from '@bpc/compiler';
import type { Coreset, Divergence, DivergenceInput, Key, Tree, WassersteinOptions } from '@bpc/core';
import {
  ConfigError,
  crossEntropyEnergy,
  disposeTree,
  gaussianPrior,
  grad,
  key,
  reduceEnergy,
  stopGradient,
  supervised,
  treeLeaves,
  treeMap,
  wasserstein,
  wassersteinEstimate,
} from '@bpc/core';
import { divergenceConformance, relativeDeviation } from '@bpc/core/testing';
import { mlp } from '@bpc/models';
import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import { add, cast, memory, mul, neg, profile, scalar, squaredDifference, sub, sum, tensor, tensor1d } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { runtimes } from './support/runtimes.js';
import { type PlainParams, type PlainProblem, plainGradient, plainLoss } from './support/unrolled-reference.js';

const [inputs, hidden, outputs, points, precision] = [3, 4, 3, 5, 0.3];
/** Numbers that float32 holds exactly. */
const numbers = (count: number, seed: number, scale = 1) =>
  Array.from({ length: count }, (_, i) => Math.fround(scale * Math.sin(12.9898 * (i + 1) + 78.233 * seed)));
const plainParams = (seed: number): PlainParams => ({
  kernel0: numbers(inputs * hidden, seed),
  bias0: numbers(hidden, seed + 1, 0.5),
  kernel1: numbers(hidden * outputs, seed + 2),
  bias1: numbers(outputs, seed + 3, 0.5),
});
const problem: PlainProblem = {
  inputs,
  hidden,
  outputs,
  start: plainParams(1),
  expert: plainParams(7),
  x: numbers(points * inputs, 20),
  // One class three times, one once, and a soft label.
  y: [1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1, 0, 0.25, 0.25, 0.5],
  weights: [1, 2, 0.5, 0, 1.5],
  stepSize: Math.fround(0.13),
  steps: 6,
  precision,
  reduction: 'mean',
  normalise: true,
  stretch: 0.125,
};

const network = mlp({ inputShape: [inputs], outputs, hidden: [hidden] });
const model = supervised({ network, energy: crossEntropyEnergy(), prior: gaussianPrior({ precision }) });
type Params = ReturnType<typeof network.init>;
const paramsOf = ({ kernel0, bias0, kernel1, bias1 }: PlainParams) =>
  ({
    hidden0: { kernel: tensor([...kernel0], [inputs, hidden]), bias: tensor1d([...bias0]) },
    dense: { kernel: tensor([...kernel1], [hidden, outputs]), bias: tensor1d([...bias1]) },
  }) as unknown as Params;
const coresetOf = ({ x, y, weights }: PlainProblem): Coreset => ({
  x: tensor([...x], [points, inputs]),
  y: tensor([...y], [points, outputs]),
  weights: tensor1d([...weights]),
});
const everything = { x: true, y: true, weights: true };
const augment = (x: Tensor, draw: Scalar): Tensor => mul(x, add(mul(cast(draw, 'float32'), problem.stretch), 1));
const inputOf = (given = problem): DivergenceInput<Params> => ({
  model,
  coreset: coresetOf(given),
  learnable: everything,
  expert: paramsOf(given.expert),
  start: paramsOf(given.start),
  augment,
});

describe.each(runtimes)('the gradient through unrolled steps on %s', (_, makeRuntime) => {
  it.each<[string, Partial<PlainProblem>]>([
    ['means, normalised', {}],
    ['sums, as a plain distance', { reduction: 'sum', normalise: false, stepSize: Math.fround(0.03) }],
    ['one step', { steps: 1 }],
  ])('agrees with float64 differences of code of its own, in points, labels, weights and step size: %s', async (_name, change) => {
    const changed = { ...problem, ...change };
    const { steps, reduction, normalise } = changed;
    const runtime = await makeRuntime();
    for (const pointsAtOnce of [25, 2]) {
      const program = runtime.compile((coreset: Coreset, start: Params, expert: Params, stepSize: Scalar) => {
        const input = { ...inputOf(changed), coreset, start, expert };
        return wassersteinEstimate(input, { steps, stepSize, reduction, normalise, pointsAtOnce }) as unknown as Tree;
      });
      const found = (await program(
        coresetOf(changed),
        paramsOf(changed.start),
        paramsOf(changed.expert),
        scalar(changed.stepSize),
      )) as unknown as {
        readonly grad: Coreset;
        readonly value: Tensor;
        readonly stepSizeGradient: Tensor;
      };
      expect(relativeDeviation(found.value, Float64Array.of(plainLoss(changed)))).toBeLessThan(1e-5);
      for (const part of ['x', 'y', 'weights'] as const) {
        expect(relativeDeviation(found.grad[part], Float64Array.from(plainGradient(changed, part))), part).toBeLessThan(2e-5);
      }
      expect(relativeDeviation(found.stepSizeGradient, Float64Array.from(plainGradient(changed, 'stepSize')))).toBeLessThan(2e-5);
      disposeTree(found as unknown as Tree);
      await program.dispose();
    }
    await runtime.dispose();
  });
});

describe('a gradient with a mistake', () => {
  const { steps, stepSize } = problem;
  /** The same loss by automatic differentiation through every step, with a gradient stopped or not. */
  const differentiated = (stop: 'nothing' | 'the parameters in each gradient' | 'the gradients', draws = (t: number) => t + 1) => {
    const { coreset, expert, start } = inputOf() as Required<DivergenceInput<Params>>;
    const distance = (a: Params) =>
      treeLeaves(treeMap((p, q) => sum(squaredDifference(p, q)), a, expert)).reduce((total, term): Tensor => add(total, term));
    return grad((x: Tensor) => {
      let theta = start;
      for (let t = 0; t < steps; t++) {
        const potential = (params: Params) =>
          mul(
            sub(
              reduceEnergy(
                neg(model.logLikelihood(params, { x: augment(x, scalar(draws(t), 'int32')), y: coreset.y })),
                coreset.weights,
                'sum',
              ),
              model.logPrior(params),
            ),
            1 / points,
          );
        const at = stop === 'the parameters in each gradient' ? stopGradient(theta) : theta;
        const gradient = grad(potential)(at);
        const used = stop === 'the gradients' ? stopGradient(gradient) : gradient;
        theta = treeMap((p, g) => sub(p, mul(g, stepSize)), theta, used);
      }
      return mul(
        distance(theta),
        1 /
          treeLeaves(treeMap((p, q) => sum(squaredDifference(p, q)), start, expert)).reduce(
            (total, term) => total + (term.dataSync()[0] ?? 0),
            0,
          ),
      );
    })(coreset.x);
  };
  const exact = Float64Array.from(plainGradient(problem, 'x'));
  const right = (x: Tensor) => relativeDeviation(x, exact) < 2e-5;

  it('is noticed by the same check, which automatic differentiation without one passes', () => {
    expect(right(differentiated('nothing'))).toBe(true);
    expect(right(differentiated('the parameters in each gradient'))).toBe(false);
    expect(right(differentiated('the gradients'))).toBe(false);
    expect(right(differentiated('nothing', (t) => t))).toBe(false);
    expect(right(neg(differentiated('nothing')))).toBe(false);
  });
});

describe('wasserstein', () => {
  const { stepSize } = problem;
  const options: WassersteinOptions = { steps: 4, stepSize };
  // Augmentations are programs of the suite's own making; this one looks at the draw.
  divergenceConformance({ divergence: wasserstein(options), input: inputOf, it });
  divergenceConformance({
    divergence: wasserstein({ ...options, pointsAtOnce: 2, normalise: false, reduction: 'sum' }),
    input: inputOf,
    it,
  });

  it('is two loops in a program, which is as large for 40 steps as for 4', () => {
    const input = inputOf();
    const operations = (steps: number) => {
      const estimate = (k: Key, expert: Params) => wasserstein({ ...options, steps }).estimate(k, { ...input, expert }).grad as Tree;
      return topologicalOrder(trace(estimate, [key(0), input.expert]).graph.outputs).map(({ op }) => op);
    };
    expect(operations(40)).toEqual(operations(4));
    expect(operations(40).filter((op) => op === 'Scan')).toHaveLength(2);
  });

  it('keeps of more steps only their parameters', async () => {
    const wide = mlp({ inputShape: [inputs], outputs, hidden: [64, 64] });
    const many: Coreset = {
      x: tensor(numbers(40 * inputs, 3), [40, inputs]),
      y: tensor(numbers(40 * outputs, 4), [40, outputs]),
      weights: tensor1d(numbers(40, 5)),
    };
    const input = {
      model: supervised({ network: wide, energy: crossEntropyEnergy() }),
      coreset: many,
      learnable: everything,
      expert: wide.init(key(0)),
      start: wide.init(key(1)),
    };
    const peak = async (steps: number) => {
      const before = memory().numBytes;
      const { peakBytes } = await profile(
        () => disposeTree(wassersteinEstimate(input, { steps, stepSize, pointsAtOnce: 40 }) as unknown as Tree) as never,
      );
      return peakBytes - before;
    };
    await peak(2);
    // θ_t, its copy in the stack and the stack reversed: three times the parameters per step, and nothing of 40 points' units.
    const perStep = ((await peak(22)) - (await peak(2))) / 20;
    expect(perStep).toBeLessThan(3.2 * 4 * wide.parameterCount);
  });

  it('says what is wrong before any work', () => {
    const learning = (learnStepSize: NonNullable<WassersteinOptions['learnStepSize']>) => () => wasserstein({ learnStepSize });
    expect(() => wasserstein({ steps: 0 })).toThrow(/^steps is 0, expected an integer ≥ 1/);
    for (const bad of [0, -0.1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => wasserstein({ stepSize: bad })).toThrow(/^stepSize is .*expected a finite number > 0/);
    }
    expect(() => wasserstein({ pointsAtOnce: 0 })).toThrow(/pointsAtOnce is 0/);
    expect(() => wasserstein({ reduction: 'none' as never })).toThrow(/reduction is 'none'/);
    expect(learning({ learningRate: -1 })).toThrow(/learnStepSize.learningRate is -1/);
    expect(learning({ learningRate: 1, momentum: 1 })).toThrow(/learnStepSize.momentum is 1/);
    const { start: _, ...without } = inputOf();
    expect(() => wasserstein().estimate(key(0), without)).toThrow(ConfigError);
    expect(() => wasserstein().estimate(key(0), without)).toThrow(/no start/);
    expect(() => wasserstein({ learnStepSize: { learningRate: 1 } }).estimate(key(0), inputOf())).toThrow(/no state/);
  });

  it('needs a start and second derivatives, and no real data', () => {
    expect(wasserstein().requires).toEqual({ real: false, start: true, synthetic: true, order: 2 });
  });
});

describe('a learned step size', () => {
  const read = (tree: Tree | undefined) =>
    Object.fromEntries(Object.entries(tree as Record<string, Tensor>).map(([name, leaf]) => [name, leaf.dataSync()[0] ?? Number.NaN]));
  const [learningRate, momentum, stepSize] = [0.02, 0.5, problem.stepSize];
  const divergence = wasserstein({ steps: problem.steps, stepSize, learnStepSize: { learningRate, momentum } });
  const first = () => divergence.init?.(key(0), model as never) as Tree;

  // Every estimate from a fresh state, which is disposed of with the next.
  const { init, ...rest } = divergence;
  const fromInit: Divergence = {
    ...rest,
    estimate: (own, input) => {
      const begin = init?.(own, input.model) as Tree;
      const { state, ...estimate } = divergence.estimate(own, { ...input, state: begin });
      disposeTree([begin, state as Tree]);
      return estimate;
    },
  };
  divergenceConformance({ divergence: fromInit, input: inputOf, it });

  it('starts where it was told to, and moves by SGD with momentum down the gradient that differences find', () => {
    expect(read(first())).toEqual({ stepSize, velocity: 0 });
    let state = first();
    let [alpha, velocity] = [stepSize, 0];
    for (let i = 0; i < 4; i++) {
      const [slope = Number.NaN] = plainGradient({ ...problem, stepSize: alpha }, 'stepSize');
      velocity = momentum * velocity + slope;
      alpha -= learningRate * velocity;
      state = divergence.estimate(key(i), { ...inputOf(), state }).state as Tree;
      const found = read(state);
      expect(found['velocity']).toBeCloseTo(velocity, 4);
      expect(found['stepSize']).toBeCloseTo(alpha, 5);
    }
    expect(Math.abs(alpha - stepSize)).toBeGreaterThan(1e-3);
  });

  it('lowers the distance', () => {
    let state = first();
    const values: number[] = [];
    for (let i = 0; i < 15; i++) {
      const estimate = divergence.estimate(key(i), { ...inputOf(), state });
      values.push(estimate.value?.dataSync()[0] ?? Number.NaN);
      state = estimate.state as Tree;
    }
    expect(values.at(-1)).toBeLessThan((values[0] ?? Number.NaN) - 1e-4);
  });

  it('stays positive whatever the gradient says', () => {
    const reckless = wasserstein({ steps: 2, stepSize, learnStepSize: { learningRate: 1e6 } });
    let state = reckless.init?.(key(0), model as never) as Tree;
    // Towards the start itself every step is one too many.
    const given = inputOf();
    for (let i = 0; i < 3; i++) {
      state = reckless.estimate(key(i), { ...given, expert: treeMap((p) => mul(p, 1.0001), given.start as Params), state }).state as Tree;
      const { stepSize: now } = read(state);
      expect(now).toBeGreaterThan(0);
      expect(Number.isFinite(now)).toBe(true);
    }
    expect(read(state)['stepSize']).toBeCloseTo(stepSize / 1000, 8);
  });
});
