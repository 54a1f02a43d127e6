import './support/backend.js';
import { topologicalOrder, trace } from '@bpc/compiler';
import type { Batch, Coreset, DivergenceInput, Key, PosteriorDraws, Tree } from '@bpc/core';
import {
  ConfigError,
  classTargets,
  crossEntropyEnergy,
  descentDraws,
  disposeTree,
  gaussianPrior,
  key,
  laplaceDraws,
  normal,
  psvi,
  reverseKl,
  ShapeError,
  supervised,
  treeMap,
} from '@bpc/core';
import { divergenceConformance, relativeDeviation } from '@bpc/core/testing';
import { mlp } from '@bpc/models';
import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import { memory, mul, profile, tensor1d } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { runtimes } from './support/runtimes.js';

const network = mlp({ inputShape: [6], outputs: 3, hidden: [5], activation: 'tanh' });
const model = supervised({ network, energy: crossEntropyEnergy(), prior: gaussianPrior({ precision: 0.5 }) });
type Params = ReturnType<typeof network.init>;
const pointsOf = (count: number, seed: number): Batch => ({
  x: normal(key(seed), [count, 6]),
  // Imbalanced: a class is missing.
  y: classTargets(
    Array.from({ length: count }, (_, i) => (i % 4 === 0 ? 2 : 0)),
    3,
  ),
});
const coresetOf = (count: number): Coreset => ({
  ...pointsOf(count, 1),
  weights: tensor1d(Array.from({ length: count }, (_, i) => (i % 5) / 2)),
});
const everything = { x: true, y: true, weights: true };
const inputOf = (points = 4, batch = 9): DivergenceInput<Params> => ({
  model,
  coreset: coresetOf(points),
  learnable: everything,
  expert: network.init(key(0)),
  start: network.init(key(4)),
  real: pointsOf(batch, 2),
  dataCount: 90,
});
const descent = descentDraws({ steps: 3, stepSize: 0.1, sigma: 0.05 });
/** The same draws, all at once: what an outsider writes who does not know how to make one. */
const stackedOnly: PosteriorDraws = { name: 'stacked', requiresStart: true, draw: descent.draw };

/** Log-concave: a Hessian has no negative entry on its diagonal. */
const linear = mlp({ inputShape: [6], outputs: 3, hidden: [] });
const linearInput = () => ({
  ...inputOf(),
  model: supervised({ network: linear, energy: crossEntropyEnergy(), prior: gaussianPrior({ precision: 0.5 }) }),
  expert: linear.init(key(0)),
  start: linear.init(key(4)),
});

for (const [what, divergence, input] of [
  ['reverse KL', reverseKl({ draws: 3, posterior: descent }), inputOf],
  ['reverse KL, sums in chunks', reverseKl({ draws: 3, posterior: descent, reduction: 'sum', pointsAtOnce: 2 }), inputOf],
  ['reverse KL, stacked draws', reverseKl({ draws: 3, posterior: stackedOnly }), inputOf],
  ['PSVI', psvi({ draws: 3 }), inputOf],
  ['PSVI, Laplace draws', psvi({ draws: 3, posterior: laplaceDraws({ steps: 2, covariance: 'diagonal', stepSize: 1e-2 }) }), linearInput],
] as const) {
  describe(`conformance of ${what}`, () => divergenceConformance({ divergence, input, it }));
}

describe.each(runtimes)('chunks of real points and pseudo-points on %s', (_, makeRuntime) => {
  it.each([1, 5])('of at most %i change nothing, nor do draws that are made one at a time', async (pointsAtOnce) => {
    const runtime = await makeRuntime();
    const estimate = async (size: number, posterior: PosteriorDraws) => {
      const given = inputOf(7, 11);
      const program = runtime.compile((own: Key, coreset: Coreset, real: Batch, start: Params) => {
        const input = { ...given, coreset, real, start };
        // A key of its own for each draw, whether it is made once or twice.
        return reverseKl({ draws: 4, posterior, reduction: 'sum', pointsAtOnce: size }).estimate(own, input).grad as Tree;
      });
      const found = await program(key(3), given.coreset, given.real as Batch, given.start as Params);
      await program.dispose();
      return found as { readonly x: Tensor; readonly y: Tensor; readonly weights: Tensor };
    };
    const [chunked, whole] = [await estimate(pointsAtOnce, descent), await estimate(100, descent)];
    for (const part of ['x', 'y', 'weights'] as const) {
      expect(relativeDeviation(chunked[part], await whole[part].data()), part).toBeLessThan(5e-5);
    }
    disposeTree([chunked, whole] as unknown as Tree);
    await runtime.dispose();
  });
});

describe('reverseKl', () => {
  it('is as large a program for many draws and real points as for few', () => {
    const operations = (draws: number, batch: number) => {
      const input = inputOf(4, batch);
      const estimate = (own: Key, real: Batch) =>
        reverseKl({ draws, posterior: descent, pointsAtOnce: 5 }).estimate(own, { ...input, real }).grad as Tree;
      return topologicalOrder(trace(estimate, [key(0), input.real as Batch]).graph.outputs)
        .map(({ op }) => op)
        .filter((op) => op !== 'Const');
    };
    // Equal constants are one, so their number says nothing.
    expect(operations(40, 100)).toEqual(operations(4, 10));
  });

  it('takes as much memory for many draws and real points as for few, but for the points themselves', async () => {
    const peak = async (draws: number, batch: number) => {
      const input = inputOf(4, batch);
      const before = memory().numBytes;
      const divergence = reverseKl({ draws, posterior: descent, pointsAtOnce: 5 });
      const { peakBytes } = await profile(() => disposeTree(divergence.estimate(key(0), input).grad as Tree) as never);
      disposeTree([input.coreset, input.real] as unknown as Tree);
      return peakBytes - before;
    };
    await peak(2, 5);
    const [few, many] = [await peak(4, 10), await peak(40, 100)];
    // One number for each pair of draw and point, a few times, and the batch cut in chunks once more.
    expect(many - few).toBeLessThan(4 * (6 * 40 * 104 + 2 * 90 * 9));
    // All draws' parameters at once would be twice that.
    expect(many).toBeLessThan(4 * (40 * network.parameterCount + 6 * 40 * 104));
  });

  it('needs real data, and the start that its draws need', () => {
    expect(reverseKl().requires).toEqual({ real: true, start: true, synthetic: true, order: 1 });
    expect(reverseKl({ posterior: laplaceDraws() }).requires.start).toBe(false);
    expect(reverseKl({ posterior: laplaceDraws({ from: 'start' }) }).requires.start).toBe(true);
  });

  it('says what is wrong before any work', () => {
    for (const draws of [1, 0, 2.5]) expect(() => reverseKl({ draws })).toThrow(/^draws is .*expected an integer ≥ 2/);
    expect(() => psvi({ draws: 1 })).toThrow(ConfigError);
    expect(() => reverseKl({ pointsAtOnce: 0 })).toThrow(/^pointsAtOnce is 0/);
    expect(() => reverseKl({ reduction: 'weightedMean' as never })).toThrow(/reduction is 'weightedMean', expected 'sum' or 'mean'/);
    const { real: _, ...noReal } = inputOf();
    expect(() => reverseKl({ posterior: descent }).estimate(key(0), noReal)).toThrow(/no real data/);
    const { dataCount: __, ...noCount } = inputOf();
    expect(() => psvi({ posterior: descent }).estimate(key(0), noCount)).toThrow(/^dataCount is undefined.*reduction: 'mean'/s);
    expect(() => reverseKl({ posterior: descent }).estimate(key(0), noCount)).not.toThrow();
    const { start: ___, ...noStart } = inputOf();
    expect(() => reverseKl({ posterior: descent }).estimate(key(0), noStart)).toThrow(/start is not given/);
    const input = inputOf();
    const wide = { ...(input.real as Batch), x: normal(key(0), [9, 7]) };
    expect(() => reverseKl({ posterior: descent }).estimate(key(0), { ...input, real: wide })).toThrow(ShapeError);
    expect(() => reverseKl({ posterior: descent }).estimate(key(0), { ...input, real: wide })).toThrow(
      /real.x has shape \[9,7\], expected \[batch, 6\]/,
    );
    const single: PosteriorDraws = { name: 'unstacked', draw: (_key, { expert }) => treeMap((leaf) => mul(leaf, 1), expert) };
    expect(() => reverseKl({ posterior: single }).estimate(key(0), input)).toThrow(/draws have shape .*expected at least two rows/);
  });
});

describe('psvi', () => {
  it('draws from a descent whose length does not depend on what the weights add up to', () => {
    const input = { ...inputOf(), model: supervised({ network, energy: crossEntropyEnergy() }) };
    const gradient = (factor: number, posterior?: PosteriorDraws) => {
      const coreset = { ...input.coreset, weights: mul(input.coreset.weights, factor) as Tensor1D };
      const { grad } = psvi({ draws: 6, ...(posterior && { posterior }) }).estimate(key(1), { ...input, coreset });
      return Array.from((grad.x as Tensor).dataSync(), (value) => value / factor);
    };
    // At draws that stay the same, ∇/f is a straight line in the factor f of all weights: r = data − f·(points).
    const bend = (posterior?: PosteriorDraws) => {
      const [one, two, three] = [gradient(1, posterior), gradient(2, posterior), gradient(3, posterior)];
      return (
        Math.max(...two.map((value, i) => Math.abs((one[i] ?? Number.NaN) + (three[i] ?? Number.NaN) - 2 * value))) / Math.hypot(...two)
      );
    };
    expect(bend()).toBeLessThan(1e-4);
    expect(bend(descentDraws())).toBeGreaterThan(1e-3);
  });
});
