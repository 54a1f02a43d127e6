import { add, div, mul, sub } from '@tensorflow/tfjs-core';
import { type Target, target } from '../../target.js';
import { positive, real } from '../../transforms/index.js';
import { column, type PosteriorData } from './data.js';
import { cauchy, normal, sumOf } from './densities.js';

/**
 * Effects of coaching in eight schools (Rubin 1981), not centred: theta = mu + tau·z, z ~ N(0, 1), mu ~ N(0, 5),
 * tau ~ half-Cauchy(5), y ~ N(theta, sigma).
 */
export function eightSchools(data: PosteriorData): Target {
  const y = column(data, 'y');
  return target({
    parameters: { mu: real(), tau: positive(), z: real([y.length]) },
    data: { y, sigma: column(data, 'sigma') },
    logDensity: ({ mu, tau, z }, { y, sigma }) =>
      sumOf(normal(z), normal(mu, 5), cauchy(tau, 5), normal(div(sub(y, add(mu, mul(tau, z))), sigma))),
    derived: ({ mu, tau, z }) => ({ theta: add(mu, mul(tau, z)) }),
  });
}
