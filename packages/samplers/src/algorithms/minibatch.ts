import { constant, ShapeError, type Tree } from '@bpc/core';
import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import { add, mul, sum } from '@tensorflow/tfjs-core';
import { checkFunction, checkWhole } from '../check.js';

/** Options of `minibatchLogDensity`. */
export interface MinibatchOptions<P extends Tree, B extends Tree> {
  /** log p(θ), a scalar. */
  readonly logPrior: (params: P) => Tensor;
  /** log p(point | θ) of each point of a batch, shape `[B]`. */
  readonly logLikelihood: (params: P, batch: B) => Tensor;
  /** N, the number of points of the whole data set. */
  readonly size: number;
}

/**
 * The log density of all data, estimated without bias from a mini-batch: `log p(θ) + N/B Σ_b log p(point_b | θ)`.
 *
 * For `sgld`, `psgld`, `sghmc`: the batch is what `step` gets as `data`, drawn uniformly for each step (with replacement, or
 * without within an epoch). B is the length of `logLikelihood`'s result, so that batches may differ in size. Gradients are of
 * the *sum* over the data: step sizes shrink with N.
 *
 * @throws ConfigError unless `size` is a positive integer; the density throws ShapeError if `logLikelihood` does not give one
 * number per point.
 * @example
 * ```ts
 * import { log, mul, square, sub, sum, type Tensor } from '@tensorflow/tfjs-core';
 * import { minibatchLogDensity, sgld } from '@bpc/samplers';
 * const logDensity = minibatchLogDensity({
 *   logPrior: (mean: Tensor) => mul(sum(square(mean)), -0.5),
 *   logLikelihood: (mean: Tensor, batch: Tensor) => mul(square(sub(batch, mean)), -0.5),
 *   size: 10_000,
 * });
 * const { step } = sgld({ logDensity, stepSize: 1e-5 });
 * ```
 */
export function minibatchLogDensity<P extends Tree, B extends Tree>(options: MinibatchOptions<P, B>): (params: P, batch?: Tree) => Scalar {
  const { logPrior, logLikelihood, size } = options;
  checkFunction('logPrior', logPrior);
  checkFunction('logLikelihood', logLikelihood);
  checkWhole('size', size);
  return (params, batch) => {
    // The protocol's data is any tree; that it is a batch is between the author and whoever calls step.
    const each = logLikelihood(params, batch as B);
    const [count, ...rest] = each.shape;
    if (count === undefined || count === 0 || rest.length > 0) {
      throw new ShapeError(`logLikelihood returned shape [${each.shape}], expected [batch]`, 'return one log likelihood per point');
    }
    return add(logPrior(params), mul(sum(each), constant(size / count)));
  };
}
