import { add, concat, log, mul, reshape, slice, square, sub, type Tensor } from '@tensorflow/tfjs-core';
import { type Target, target } from '../../target.js';
import { positiveOrdered, simplex } from '../../transforms/index.js';
import { column, type PosteriorData } from './data.js';
import { logAddExp, normal, sumOf } from './densities.js';

/** Entries `[n, 2, 2]` of logarithms of matrices: products A_t·B_t, in logarithms. */
function logProducts(a: Tensor, b: Tensor): Tensor {
  const n = a.shape[0] ?? 0;
  const through = (state: number) => add(slice(a, [0, 0, state], [n, 2, 1]), slice(b, [0, state, 0], [n, 1, 2]));
  return logAddExp(through(0), through(1));
}

/**
 * The logarithm of the product of n matrices, `[n, 2, 2]` to `[2, 2]`: neighbours are multiplied at once, then their
 * products, which takes log₂ n passes where the forward recursion takes n steps.
 */
function logChain(matrices: Tensor): Tensor {
  let left = matrices;
  for (let n = left.shape[0] ?? 0; n > 1; n = left.shape[0] ?? 0) {
    const half = Math.floor(n / 2);
    const pairs = reshape(slice(left, [0, 0, 0], [2 * half, 2, 2]), [half, 2, 4]);
    const member = (k: number) => reshape(slice(pairs, [0, k, 0], [half, 1, 4]), [half, 2, 2]);
    const products = logProducts(member(0), member(1));
    left = n % 2 === 0 ? products : concat([products, slice(left, [n - 1, 0, 0], [1, 2, 2])]);
  }
  return reshape(left, [2, 2]);
}

/**
 * A hidden Markov model of two states with the path summed out: y_t ~ N(mu_k, 1) in state k, rows theta1 and theta2 of the
 * transition matrix uniform, mu_1 ~ N(3, 1), mu_2 ~ N(10, 1) on 0 < mu_1 < mu_2, both states alike at first.
 */
export function hiddenMarkov(data: PosteriorData): Target {
  const y = column(data, 'y');
  return target({
    parameters: { theta1: simplex(2), theta2: simplex(2), mu: positiveOrdered(2) },
    data: { y, priorMeans: [3, 10] },
    logDensity: ({ theta1, theta2, mu }, { y, priorMeans }) => {
      const emissions = mul(-0.5, square(sub(reshape(y, [y.size, 1, 1]), reshape(mu, [1, 1, 2]))));
      const transitions = reshape(log(concat([theta1, theta2])), [1, 2, 2]);
      const first = reshape(slice(emissions, [0, 0, 0], [1, 1, 2]), [2, 1]);
      const steps = add(transitions, slice(emissions, [1, 0, 0], [y.size - 1, 1, 2]));
      // States at the start along rows, at the end along columns.
      const paths = add(first, logChain(steps));
      const ends = logAddExp(slice(paths, [0, 0], [1, 2]), slice(paths, [1, 0], [1, 2]));
      const likelihood = reshape(logAddExp(slice(ends, [0, 0], [1, 1]), slice(ends, [0, 1], [1, 1])), []);
      return sumOf(likelihood, normal(sub(mu, priorMeans)));
    },
  });
}
