import { chunkedEnergy, crossEntropy, type Network, reduceEnergy, type Tree, treeDot } from '@bpc/core';
import { add, div, mul, type Scalar, type Tensor, type Tensor1D } from '@tensorflow/tfjs-core';

/** Points a chain is run on. Borrowed. */
export type ChainData = { readonly x: Tensor; readonly y: Tensor; readonly weights: Tensor1D };

/**
 * What changes from step to step or from setting to setting, so that no program is compiled twice for it.
 *
 * `stepSize`: the learning rate, λ of Langevin steps, ε of samplers with momentum. `precision`: ρ of the prior.
 */
export type ChainHyper = { readonly stepSize: Scalar; readonly momentum: Scalar; readonly precision: Scalar; readonly temperature: Scalar };

/** How the losses of a coreset's points become one energy. */
export interface ChainEnergy {
  readonly network: Network<Tree>;
  /** `sum`: `Σ w ℓ`; `mean`: `(1/M) Σ w ℓ`. */
  readonly reduction: 'mean' | 'sum';
  /** Most points whose loss is computed at once, so that a layer's activations stay in the cache; all if left out. Other sums round otherwise. */
  readonly pointsAtOnce?: number | undefined;
}

/** `reduce_m w_m ℓ_m(θ)`, nats. */
export function coresetLoss({ network, reduction, pointsAtOnce }: ChainEnergy, params: Tree, data: ChainData): Scalar {
  const loss = (theta: Tree, { x, y, weights }: ChainData, how: 'mean' | 'sum') =>
    reduceEnergy(crossEntropy(network.apply(theta, x), y), weights, how);
  const [points] = data.weights.shape;
  if (pointsAtOnce === undefined || points <= pointsAtOnce) return loss(params, data, reduction);
  const total = chunkedEnergy((theta: Tree, rows) => loss(theta, rows, 'sum'), params, data, { size: pointsAtOnce, of: 'params' });
  return reduction === 'sum' ? total : div(total, points);
}

/** `−U(θ) = −(reduce_m w_m ℓ_m(θ) + ½ρ‖θ‖²)`: the log density that chains sample at temperature T, exp(−U/T). */
export const logDensityOf =
  (energy: ChainEnergy, data: ChainData, precision: Scalar) =>
  (params: Tree): Scalar =>
    mul(add(coresetLoss(energy, params, data), mul(mul(precision, 0.5), treeDot(params, params))), -1);
