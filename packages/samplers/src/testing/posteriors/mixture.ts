import { add, div, log, log1p, mul, neg, slice, square, sub, sum, type Tensor } from '@tensorflow/tfjs-core';
import { type Target, target } from '../../target.js';
import { interval, ordered, positive } from '../../transforms/index.js';
import { column, type PosteriorData } from './data.js';
import { logAddExp, normal, sumOf } from './densities.js';

/**
 * Two normal components, told apart by the order of their means: mu, sigma ~ N(0, 2) (sigma half-normal),
 * theta ~ Beta(5, 5) the weight of the first.
 */
export function mixture(data: PosteriorData): Target {
  return target({
    parameters: { mu: ordered(2), sigma: positive([2]), theta: interval(0, 1) },
    data: { y: column(data, 'y') },
    logDensity: ({ mu, sigma, theta }, { y }) => {
      const component = (c: number): Tensor => {
        const [mean, scale] = [slice(mu, [c], [1]), slice(sigma, [c], [1])];
        return sub(mul(-0.5, square(div(sub(y, mean), scale))), log(scale));
      };
      const [first, second] = [log(theta), log1p(neg(theta))];
      const likelihood = sum(logAddExp(add(first, component(0)), add(second, component(1))));
      return sumOf(likelihood, normal(mu, 2), normal(sigma, 2), mul(4, add(first, second)));
    },
  });
}
