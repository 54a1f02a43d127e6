import type { Scalar, Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import { valueAndGrad } from '../autodiff.js';
import type { Coreset, CoresetGrad, Learnable } from '../coreset.js';
import { learnable as checkedLearnable } from '../coreset.js';
import { scope } from '../scope.js';

type Parts = { readonly [part: string]: Tensor };

/**
 * Value and gradient of a scalar function of a coreset with respect to its learnable parts. Fresh tensors.
 *
 * @throws ConfigError if no part is learnable.
 */
export function coresetGradient(
  coreset: Coreset,
  learnable: Learnable,
  f: (coreset: Coreset) => Tensor,
): { readonly value: Scalar; readonly grad: CoresetGrad } {
  const { x, y, weights } = checkedLearnable(learnable);
  const parts: Parts = { ...(x && { x: coreset.x }), ...(y && { y: coreset.y }), ...(weights && { weights: coreset.weights }) };
  const complete = (replaced: Parts): Coreset => ({
    x: replaced['x'] ?? coreset.x,
    y: replaced['y'] ?? coreset.y,
    weights: (replaced['weights'] ?? coreset.weights) as Tensor1D,
  });
  return scope(() => valueAndGrad((replaced: Parts) => f(complete(replaced)))(parts));
}
