import { cholesky } from '@bpc/core';
import { add, div, exp, log, matMul, mul, reshape, square, sub, sum, type Tensor } from '@tensorflow/tfjs-core';
import { type Target, target } from '../../target.js';
import { positive, real } from '../../transforms/index.js';
import { column, type PosteriorData } from './data.js';
import { normal, sumOf } from './densities.js';

/** L·z for the Cholesky factor L of alpha²·exp(−d²/(2 rho²)) + 10⁻¹⁰·I. Nearly singular: needs float64. */
function latent(rho: Tensor, alpha: Tensor, z: Tensor, { squaredDistances, jitter }: { squaredDistances: Tensor; jitter: Tensor }): Tensor {
  const kernel = mul(square(alpha), exp(div(mul(-0.5, squaredDistances), square(rho))));
  return reshape(matMul(cholesky(add(kernel, jitter)), reshape(z, [z.size, 1])), [z.size]);
}

/**
 * Poisson counts with a latent Gaussian process: k ~ Poisson(exp f), f = L·z, z ~ N(0, 1), rho ~ Gamma(25, 4),
 * alpha ~ half-normal(2).
 */
export function gaussianProcess(data: PosteriorData): Target {
  const [x, k] = [column(data, 'x'), column(data, 'k')];
  return target({
    parameters: { rho: positive(), alpha: positive(), z: real([x.length]) },
    data: {
      k,
      squaredDistances: x.map((a) => x.map((b) => (a - b) ** 2)),
      jitter: x.map((_, i) => x.map((__, j) => (i === j ? 1e-10 : 0))),
    },
    logDensity: ({ rho, alpha, z }, data) => {
      const f = latent(rho, alpha, z, data);
      const likelihood = sum(sub(mul(data.k, f), exp(f)));
      return sumOf(likelihood, normal(z), normal(alpha, 2), sub(mul(24, log(rho)), mul(4, rho)));
    },
    derived: ({ rho, alpha, z }, data) => ({ f: latent(rho, alpha, z, data) }),
  });
}
