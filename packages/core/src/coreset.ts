import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';

/**
 * A pseudo-coreset: points, targets and weights whose posterior stands in for that of the full data.
 *
 * `x [M, …]` normalised inputs; `y [M, classes]` label logits or probabilities, or regression targets (see `labels` of
 * the coreset's metadata); `weights [M]` non-negative.
 */
export type Coreset = { readonly x: Tensor; readonly y: Tensor; readonly weights: Tensor1D };

/** Which parts of a coreset are learned. */
export type Learnable = { readonly x: boolean; readonly y: boolean; readonly weights: boolean };

/** Gradient with respect to the learnable parts; the other parts are absent. */
export type CoresetGrad = { readonly x?: Tensor; readonly y?: Tensor; readonly weights?: Tensor1D };
