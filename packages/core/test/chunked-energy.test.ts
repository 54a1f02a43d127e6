import { topologicalOrder, trace } from '@bpc/compiler';
import type { ContrastiveDivergenceOptions, Coreset, DivergenceInput, Tree } from '@bpc/core';
import {
  ConfigError,
  contrastiveDivergence,
  contrastiveEstimate,
  crossEntropyEnergy,
  disposeTree,
  gaussianPrior,
  grad,
  key,
  normal,
  softmax,
  supervised,
  treeEntries,
  uniform,
} from '@bpc/core';
import { relativeDeviation } from '@bpc/core/testing';
import { convNet } from '@bpc/models';
import type { Scalar, Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import { add, memory, mul, profile, setBackend } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { testBackend } from './support/backend.js';
import { runtimes } from './support/runtimes.js';

beforeAll(async () => {
  await setBackend(testBackend);
});

const network = convNet({ inputShape: [8, 8, 1], outputs: 3, depth: 2, width: 4 });
const model = supervised({ network, energy: crossEntropyEnergy(), prior: gaussianPrior({ precision: 2 }) });
type Params = ReturnType<typeof network.init>;
const coresetOf = (points: number): Coreset => ({
  x: normal(key(1), [points, 8, 8, 1]),
  y: softmax(normal(key(2), [points, 3])),
  weights: add(uniform(key(3), [points]), 0.5) as Tensor1D,
});
/** Depends on the draw, and on every image. */
const augment = (x: Tensor, draw: Scalar) => mul(x, add(mul(draw, 0.1), 1));
const everything = { x: true, y: true, weights: true };
const options: ContrastiveDivergenceOptions = { steps: 3, stepSize: 0.05, temperature: 0, sigma: 0 };
const estimate = (coreset: Coreset, expert: Params, more: ContrastiveDivergenceOptions, learnable = everything) => {
  const input: DivergenceInput<Params> = { model, coreset, learnable, expert, augment };
  return contrastiveEstimate(input, { expert: undefined, chain: undefined }, { ...options, ...more }) as unknown as Tree;
};
const closeTo = (found: Tree, expected: Tree) => {
  const references = new Map(treeEntries(expected));
  expect(treeEntries(found).map(([path]) => path)).toEqual([...references.keys()]);
  // Biases in front of an instance norm have gradient zero: what is left of them is rounding.
  for (const [path, tensor] of treeEntries(found)) {
    if (!/conv\d\/bias/.test(path)) expect(relativeDeviation(tensor, references.get(path) as Tensor), path).toBeLessThan(2e-5);
  }
};

describe.each(runtimes)('an estimate in chunks on %s', (_, makeRuntime) => {
  it.each([1, 3, 4])('of at most %i of 7 points equals that of all at once, whatever is learned', async (pointsAtOnce) => {
    const runtime = await makeRuntime();
    const [coreset, expert] = [coresetOf(7), network.init(key(0))];
    for (const [learnable, reduction] of [
      [everything, 'sum'],
      [{ x: true, y: false, weights: false }, 'mean'],
    ] as const) {
      const found = await runtime.compile((c: Coreset, p: Params) => estimate(c, p, { pointsAtOnce, reduction }, learnable))(
        coreset,
        expert,
      );
      closeTo(found, estimate(coreset, expert, { reduction }, learnable));
      disposeTree(found);
    }
    await runtime.dispose();
  });
});

describe('chunks', () => {
  it('are one loop in a program: it is as large for 60 points as for 30', () => {
    const operations = (points: number) => {
      const program = (c: Coreset, p: Params) => (estimate(c, p, { pointsAtOnce: 10 }) as { readonly grad: Tree }).grad;
      return topologicalOrder(trace(program, [coresetOf(points), network.init(key(0))]).graph.outputs).map(({ op }) => op);
    };
    expect(operations(60)).toEqual(operations(30));
    expect(operations(30).filter((op) => op === 'Scan').length).toBe(3);
  });

  it('bound the memory of an eager estimate, which the points together do not', async () => {
    const peak = async (points: number, pointsAtOnce: number) => {
      const [coreset, expert] = [coresetOf(points), network.init(key(0))];
      const before = memory().numBytes;
      const { peakBytes } = await profile(() => disposeTree(estimate(coreset, expert, { pointsAtOnce, steps: 1 })) as never);
      return peakBytes - before;
    };
    await peak(8, 8);
    const perPoint = (await peak(80, 80)) / 80;
    // 72 more points cost their own numbers and gradients, 65 each, a few times; not their feature maps.
    expect((await peak(80, 8)) - (await peak(8, 8))).toBeLessThan((72 * perPoint) / 4);
  });

  it('leak nothing', () => {
    const [coreset, expert] = [coresetOf(7), network.init(key(0))];
    const before = memory().numTensors;
    for (let i = 0; i < 3; i++) disposeTree(estimate(coreset, expert, { pointsAtOnce: 2 }));
    expect(memory().numTensors).toBe(before);
  });

  it('keep an enclosing gradient right', () => {
    const [coreset, expert] = [coresetOf(7), network.init(key(0))];
    const value = (pointsAtOnce: number) => (x: Tensor) =>
      (estimate({ ...coreset, x }, expert, { pointsAtOnce }) as { readonly value: Scalar }).value;
    expect(relativeDeviation(grad(value(3))(coreset.x), grad(value(7))(coreset.x))).toBeLessThan(2e-5);
  });

  it.each([0, -1, 2.5, Number.NaN])('of %d points are refused', (pointsAtOnce) => {
    expect(() => contrastiveDivergence({ pointsAtOnce })).toThrow(ConfigError);
    expect(() => contrastiveDivergence({ pointsAtOnce })).toThrow(/^pointsAtOnce is/);
  });
});
