import { add, concat, div, log, log1p, mul, neg, pad, reshape, slice, square, sub, sum, type Tensor } from '@tensorflow/tfjs-core';
import { type Target, target } from '../../target.js';
import { interval, positive, real } from '../../transforms/index.js';
import { column, number, type PosteriorData } from './data.js';
import { sumOf } from './densities.js';

/**
 * h_t = x_t + factor·h_{t−1} from h_1 = x_1, for all t at once: after the pass with distance d, every h_t has the terms of the
 * 2d times before it. Ten passes over a thousand numbers, where a loop would be a thousand steps.
 */
function linearRecursion(x: Tensor, factor: Tensor): Tensor {
  let h = x;
  let power = factor;
  for (let distance = 1; distance < x.size; distance *= 2) {
    const earlier = pad(slice(h, [0], [x.size - distance]), [[distance, 0]]);
    h = add(h, mul(power, earlier));
    power = square(power);
  }
  return h;
}

/**
 * GARCH(1, 1): y_t ~ N(mu, s_t), s_t² = alpha0 + alpha1·(y_{t−1} − mu)² + beta1·s_{t−1}², s_1 known, all priors flat on
 * alpha0 > 0 and the triangle alpha1 + beta1 < 1.
 *
 * The triangle is alpha1 and the share of 1 − alpha1 that beta1 takes. beta1 is a fraction of that length, so the density over
 * (alpha1, share) has its factor 1 − alpha1.
 */
export function garch(data: PosteriorData): Target {
  const y = column(data, 'y');
  return target({
    parameters: { mu: real(), alpha0: positive(), alpha1: interval(0, 1), share: interval(0, 1) },
    data: { y, firstVariance: [number(data, 'sigma1') ** 2] },
    logDensity: ({ mu, alpha0, alpha1, share }, { y, firstVariance }) => {
      const squares = square(sub(y, mu));
      const inflow = add(alpha0, mul(alpha1, slice(squares, [0], [y.size - 1])));
      const beta1 = mul(sub(1, alpha1), share);
      const variances = linearRecursion(concat([reshape(firstVariance, [1]), inflow]), beta1);
      return sumOf(mul(-0.5, sum(add(log(variances), div(squares, variances)))), log1p(neg(alpha1)));
    },
    derived: ({ alpha1, share }) => ({ beta1: mul(sub(1, alpha1), share) }),
  });
}
