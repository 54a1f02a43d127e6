import type { Scalar, Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import type { Key } from './random.js';
import type { Tree } from './tree.js';

/** Inputs and targets of some points. `y` is one-hot or soft labels `[n, classes]`, or regression targets `[n, outputs]`. */
export type Batch = { readonly x: Tensor; readonly y: Tensor };

/**
 * A look into the affine layers of a network: what Kronecker-factored curvature needs. Layers go by their path in the
 * parameters, below which they have a `kernel` (`[…, units]`) and maybe a `bias`. Pure; fresh tensors.
 */
export interface Layerwise<P extends Tree> {
  /**
   * Inputs of every affine layer, `[n, positions, fan-in]`: rows of a dense layer (one position), patches of a convolution in
   * the order of its kernel.
   */
  inputs(params: P, x: Tensor): { readonly [layer: string]: Tensor };
  /** Outputs of the network with `shifts[layer] [n, positions, units]` added to the outputs of layers, before norm and activation. */
  shifted(params: P, x: Tensor, shifts: { readonly [layer: string]: Tensor }): Tensor;
}

/** A function with parameters: images to logits. Networks of `@bpc/models` are of this type. */
export interface Network<P extends Tree> {
  /** Fresh parameters, owned by the caller. Equal keys give equal parameters. */
  init(key: Key): P;
  /** `x [n, …]` to outputs `[n, outputs]`. Pure; runs inside programs. */
  apply(params: P, x: Tensor): Tensor;
  /** Number of scalar parameters. */
  readonly parameterCount: number;
  /** Shape of one input without the batch axis. */
  readonly inputShape: readonly number[];
  /** Length of one output. */
  readonly outputs: number;
  /** Its affine layers one by one, if it can be looked into. */
  readonly layerwise?: Layerwise<P>;
}

/**
 * A network whose last layer is linear, `apply(params, x) = features(params, x)·W + b`, and can be looked at without it.
 *
 * Features stand for images where distances and means matter (herding, k-centre), and where the last layer is solved for in
 * closed form. Networks of `@bpc/models` are of this type.
 */
export interface FeatureNetwork<P extends Tree> extends Network<P> {
  /** `x [n, …]` to what the last layer sees, `[n, featureCount]`. Pure; runs inside programs. */
  features(params: P, x: Tensor): Tensor;
  /** Length of one row of features. */
  readonly featureCount: number;
}

/**
 * A Bayesian model, what a model author writes.
 *
 * Posterior of points with weights `w`: `log p(θ | D) = logPrior(θ) + Σ_m w_m logLikelihood(θ)_m + const`.
 */
export interface Model<P extends Tree> {
  /** Fresh parameters, owned by the caller. */
  init(key: Key): P;
  /** Log prior density in nats, up to a constant. */
  logPrior(params: P): Scalar;
  /** Log likelihood in nats of each point, shape `[n]`. */
  logLikelihood(params: P, batch: Batch): Tensor1D;
  /** Affine layers of the network that the likelihood is one of, if it can be looked into; `kroneckerLaplaceDraws` needs them. */
  readonly layerwise?: Layerwise<P>;
}
