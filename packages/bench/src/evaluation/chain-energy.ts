import { crossEntropy, type Network, reduceEnergy, type Tree, treeDot } from '@bpc/core';
import { add, mul, type Scalar, type Tensor, type Tensor1D } from '@tensorflow/tfjs-core';

/** Points a chain is run on. Borrowed. */
export type ChainData = { readonly x: Tensor; readonly y: Tensor; readonly weights: Tensor1D };

/**
 * What changes from step to step or from setting to setting, so that no program is compiled twice for it.
 *
 * `stepSize`: the learning rate, λ of Langevin steps, ε of samplers with momentum. `precision`: ρ of the prior.
 */
export type ChainHyper = { readonly stepSize: Scalar; readonly momentum: Scalar; readonly precision: Scalar; readonly temperature: Scalar };

/** How the losses of a coreset's points become one energy: `Σ w ℓ`, or `(1/M) Σ w ℓ`. */
export type ChainReduction = 'mean' | 'sum';

/** `reduce_m w_m ℓ_m(θ)`, nats. */
export const coresetLoss = (network: Network<Tree>, params: Tree, { x, y, weights }: ChainData, reduction: ChainReduction): Scalar =>
  reduceEnergy(crossEntropy(network.apply(params, x), y), weights, reduction);

/** `−U(θ) = −(reduce_m w_m ℓ_m(θ) + ½ρ‖θ‖²)`: the log density that chains sample at temperature T, exp(−U/T). */
export const logDensityOf =
  (network: Network<Tree>, data: ChainData, precision: Scalar, reduction: ChainReduction) =>
  (params: Tree): Scalar =>
    mul(add(coresetLoss(network, params, data, reduction), mul(mul(precision, 0.5), treeDot(params, params))), -1);
