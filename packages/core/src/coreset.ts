import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import { ones } from '@tensorflow/tfjs-core';
import { ConfigError, ShapeError } from './errors.js';

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

/**
 * A coreset from its parts, checked. Takes over the tensors; weights are ones if left out.
 *
 * @throws ShapeError unless x is `[M, …]`, y `[M, k]` and weights `[M]`, all float32, with M ≥ 1.
 * @example
 * ```ts
 * import { tensor2d } from '@tensorflow/tfjs-core';
 * import { coreset } from '@bpc/core';
 * const two = coreset({ x: tensor2d([[0], [1]]), y: tensor2d([[1, 0], [0, 1]]) });
 * ```
 */
export function coreset(parts: { readonly x: Tensor; readonly y: Tensor; readonly weights?: Tensor }): Coreset {
  const { x, y, weights } = parts;
  for (const [name, tensor] of Object.entries(parts)) {
    if (tensor !== undefined && tensor.dtype !== 'float32')
      throw new ShapeError(`${name} is ${tensor.dtype}, expected float32`, `pass a float32 ${name}`);
  }
  const points = x.shape[0] ?? 0;
  if (x.rank < 2 || points < 1)
    throw new ShapeError(`x has shape [${x.shape}], expected [points, …] with at least one point`, 'put points on the first axis');
  if (y.rank !== 2 || y.shape[0] !== points)
    throw new ShapeError(`y has shape [${y.shape}], expected [${points}, outputs]`, 'pass one row of targets per point');
  if (weights !== undefined && (weights.rank !== 1 || weights.shape[0] !== points)) {
    throw new ShapeError(`weights has shape [${weights.shape}], expected [${points}]`, 'pass one weight per point');
  }
  return { x, y, weights: (weights ?? ones([points])) as Tensor1D };
}

/**
 * Which parts are learned; only x if nothing is said.
 *
 * @throws ConfigError if nothing would be learned.
 */
export function learnable(parts: Partial<Learnable> = {}): Learnable {
  const { x = true, y = false, weights = false } = parts;
  if (!x && !y && !weights)
    throw new ConfigError('learnable has no part set, expected at least one of x, y and weights', 'set one of them to true');
  return { x, y, weights };
}
