import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import type { Coreset, CoresetGrad, Learnable } from '../coreset.js';
import type { Batch, Model } from '../model.js';
import type { Key } from '../random.js';
import type { Tree } from '../tree.js';

/** What an estimator may look at. All tensors are borrowed. */
export interface DivergenceInput<P extends Tree> {
  readonly model: Model<P>;
  readonly coreset: Coreset;
  /** Which parts of the coreset need a gradient. */
  readonly learnable: Learnable;
  /** θ_D: parameters of an expert trained on the full data (the positive phase). */
  readonly expert: P;
  /** An earlier snapshot of the same expert, if the divergence starts its own inner steps elsewhere. */
  readonly start?: P;
  /** Real data, if `requires.real`. */
  readonly real?: Batch;
  /** N, how many points the full data have that `real` was drawn from. */
  readonly dataCount?: number;
  /** What the last estimate returned as `state`, or what `init` made; present if the divergence has `init`. */
  readonly state?: Tree;
  /**
   * Differentiable augmentation of coreset inputs with parameters fixed for this estimate. `draw` tells draws apart: 0 is
   * that of the loss terms, t + 1 that of inner step t, as an int32 scalar: inner steps are iterations of a `scan`. With K pairs
   * of loss terms (`forwardKl`) they have 0 to K − 1, and inner step t has K + t. A function that ignores it applies one draw
   * everywhere.
   */
  readonly augment?: (x: Tensor, draw: Scalar) => Tensor;
}

/** A gradient estimate, and the value a progress line shows. Fresh tensors. */
export interface DivergenceEstimate {
  readonly grad: CoresetGrad;
  readonly value?: Scalar;
  /** For the next estimate; present if the divergence has `init`, with the structure and shapes that it made. */
  readonly state?: Tree;
}

/**
 * What a library author writes: a gradient *estimator*, not a loss. `fromSurrogate` makes one from a scalar.
 *
 * `estimate` is a pure tensor program; everything random comes from `key`.
 */
export interface Divergence {
  readonly name: string;
  /** What the estimator needs: real data, an earlier snapshot to start from, synthetic points, first or second derivatives. */
  readonly requires: { readonly real: boolean; readonly start?: boolean; readonly synthetic: boolean; readonly order: 1 | 2 };
  /** State carried from estimate to estimate (a learned step size, a persistent chain); leave it out if there is none. Fresh tensors. */
  init?<P extends Tree>(key: Key, model: Model<P>): Tree;
  estimate<P extends Tree>(key: Key, input: DivergenceInput<P>): DivergenceEstimate;
}
