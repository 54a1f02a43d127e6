import type { Scalar, Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import { add, mul, neg, scalar, square, sum, tidy } from '@tensorflow/tfjs-core';
import type { Energy } from './energy.js';
import { ConfigError } from './errors.js';
import type { Model, Network } from './model.js';
import type { Tree } from './tree.js';
import { treeLeaves } from './tree.js';

/** Log prior density of parameters in nats, up to a constant. */
export type Prior = (params: Tree) => Scalar;

/**
 * log π(θ) = −½·precision·‖θ‖², independent normals of variance 1/precision on every parameter.
 *
 * @throws ConfigError unless the precision is positive and finite.
 */
export function gaussianPrior(options: { readonly precision: number }): Prior {
  const { precision } = options;
  if (!Number.isFinite(precision) || precision <= 0) {
    throw new ConfigError(`precision is ${precision}, expected a positive number`, 'pass a positive precision, or use flatPrior()');
  }
  return (params) =>
    tidy(() => {
      const squares = treeLeaves(params).map((leaf) => sum(square(leaf)));
      return mul(
        squares.reduce((total, term): Tensor => add(total, term)),
        -precision / 2,
      ) as Scalar;
    });
}

/** log π(θ) = 0: improper, the implicit prior of the pseudo-coreset papers. */
export function flatPrior(): Prior {
  return () => scalar(0);
}

/**
 * A network, an energy and a prior as a Bayesian model: log p(y|x, θ) = −energy(network(x; θ), y).
 *
 * @example
 * ```ts
 * import { crossEntropyEnergy, gaussianPrior, supervised } from '@bpc/core';
 * import { mlp } from '@bpc/models';
 * const network = mlp({ inputShape: [8, 8, 1], outputs: 10 });
 * const model = supervised({ network, energy: crossEntropyEnergy(), prior: gaussianPrior({ precision: 1 }) });
 * ```
 */
export function supervised<P extends Tree>(options: {
  readonly network: Network<P>;
  readonly energy: Energy;
  /** Default `flatPrior()`. */
  readonly prior?: Prior;
}): Model<P> {
  const { network, energy, prior = flatPrior() } = options;
  return {
    init: (key) => network.init(key),
    logPrior: (params) => prior(params),
    logLikelihood: (params, { x, y }) => tidy(() => neg(energy(network.apply(params, x), y)) as Tensor1D),
    ...(network.layerwise === undefined ? {} : { layerwise: network.layerwise }),
  };
}
