import {
  type DivergenceInput,
  disposeTree,
  independentDraws,
  key,
  type Model,
  normal,
  type PosteriorDraws,
  type Tree,
  treeMap,
} from '@bpc/core';
import {
  add,
  div,
  mul,
  type Scalar,
  sqrt,
  square,
  squeeze,
  sub,
  sum,
  type Tensor1D,
  tensor1d,
  tensor2d,
  zeros,
} from '@tensorflow/tfjs-core';
import { predictiveMmd } from './predictive-mmd.js';

/** x ~ N(θ, 1), θ ~ N(0, 1): the posterior of weighted points is normal. */
const model: Model<Tree> = {
  init: () => zeros([1]),
  logPrior: () => zeros([]) as Scalar,
  logLikelihood: (theta, { x }) => mul(-0.5, squeeze(square(sub(x, theta as Tensor1D)), [1])) as Tensor1D,
};

type Points = Pick<DivergenceInput<Tree>['coreset'], 'x' | 'weights'>;

/** Exact draws mean + sd·z from the posterior of some points, or of the coreset. */
const exactDraws = (points?: Points): PosteriorDraws =>
  independentDraws({
    name: 'exact',
    independent: (_, { coreset, expert }) => {
      const { x, weights } = points ?? coreset;
      const precision = add(1, sum(weights));
      const mean = div(sum(mul(weights, squeeze(x, [1]))), precision);
      return (own) => treeMap((leaf) => add(mean, div(normal(own, leaf.shape), sqrt(precision))), expert);
    },
  });

/**
 * The gradient at one pseudo-point, and what it should be: the slope of the value, by differences that draw the same noise on both
 * sides. Both are means over keys with their standard errors.
 */
export function slopes(count: number) {
  const data = { x: tensor2d([[1.5], [2], [2.5], [0.5]]), weights: tensor1d([1, 1, 1, 1]) };
  const divergence = predictiveMmd({ draws: 200, posterior: exactDraws(), data: exactDraws(data) });
  const real = { x: data.x, y: zeros([4, 1]) };
  const at = (place: number, seed: number) => {
    const coreset = { x: tensor2d([[place], [1]]), y: zeros([2, 1]), weights: tensor1d([1, 1]) };
    const learnable = { x: true, y: false, weights: false };
    const { grad, value } = divergence.estimate(key(seed), { model, coreset, learnable, expert: zeros([1]) as Tree, real });
    const found = { gradient: grad.x?.dataSync()[0] ?? Number.NaN, value: value?.dataSync()[0] ?? Number.NaN };
    disposeTree([coreset, grad as Tree, value ?? []]);
    return found;
  };
  const step = 0.05;
  const summary = (values: readonly number[]) => {
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    const variance = values.reduce((total, value) => total + (value - mean) ** 2, 0) / (values.length - 1);
    return { mean, error: Math.sqrt(variance / values.length) };
  };
  const seeds = Array.from({ length: count }, (_, seed) => seed);
  return {
    estimated: summary(seeds.map((seed) => at(-1, seed).gradient)),
    expected: summary(seeds.map((seed) => (at(-1 + step, seed).value - at(-1 - step, seed).value) / (2 * step))),
  };
}
