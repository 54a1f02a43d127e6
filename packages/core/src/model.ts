import type { Scalar, Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import type { Key } from './random.js';
import type { Tree } from './tree.js';

/** Inputs and targets of some points. `y` is one-hot or soft labels `[n, classes]`, or regression targets `[n, outputs]`. */
export type Batch = { readonly x: Tensor; readonly y: Tensor };

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
}
