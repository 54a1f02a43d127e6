import type { Tensor } from '@tensorflow/tfjs-core';
import { log, mul, reshape, sum, tidy } from '@tensorflow/tfjs-core';
import { ShapeError } from '../errors.js';
import { runLinearAlgebra } from './kernels.js';
import { diagonal } from './triangles.js';

function checkSquare(name: string, argument: string, x: Tensor): void {
  if (x.dtype !== 'float32') throw new ShapeError(`${name} got ${argument} of dtype ${x.dtype}, expected float32`, 'cast it first');
  if (x.rank < 2 || x.shape.at(-1) !== x.shape.at(-2)) {
    throw new ShapeError(`${name} got ${argument} of shape [${x.shape}], expected [..., n, n]`, 'pass square matrices');
  }
}

/**
 * The Cholesky factor L of a symmetric positive definite matrix: A = L Lᵀ, L lower triangular with a positive diagonal.
 *
 * Only the symmetric part (A + Aᵀ)/2 counts, so that the gradient is symmetric. Differentiable at any order:
 * Ā = (S + Sᵀ)/2 with S = L⁻ᵀ Φ(Lᵀ L̄) L⁻¹, where Φ takes the lower triangle with half of the diagonal (Murray 2016,
 * arXiv:1602.07527, equation 10). Shape: `[..., n, n]` to `[..., n, n]`, one factor per matrix.
 *
 * Where A is not positive definite, numerically, L is NaN on and below the diagonal, on every runtime; nothing is thrown, since
 * a program cannot branch on a value. A sampler rejects such a point. The js runtime factors in float64, which nearly
 * singular matrices need. ONNX Runtime has no such operation. Eagerly the factor is computed on the host, in float64
 * from float32 values; that waits for the tfjs backend, which must be one that can be read synchronously.
 *
 * @throws ShapeError if `a` is not square or not float32. MissingKernelError from runtimes that cannot have it.
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { tensor2d } from '@tensorflow/tfjs-core';
 * import { cholesky } from '@bpc/core';
 * cholesky(tensor2d([[4, 2], [2, 5]])).print(); // [[2, 0], [1, 2]]
 * ```
 */
export function cholesky(a: Tensor): Tensor {
  checkSquare('cholesky', 'a', a);
  return runLinearAlgebra('Cholesky', { a }, {});
}

/** Options of `triangularSolve`. */
export interface TriangularSolveOptions {
  /** Solve Lᵀ X = B. Default false. */
  readonly transpose?: boolean;
}

/**
 * Solves L X = B for X, or Lᵀ X = B, with L lower triangular; what stands above its diagonal is not read.
 *
 * Differentiable at any order: B̄ = L⁻ᵀ X̄ and L̄ = −tril(B̄ Xᵀ); with `transpose`, B̄ = L⁻¹ X̄ and L̄ = −tril(X B̄ᵀ). Shapes:
 * `l [..., n, n]` and `b [..., n, m]` with equal leading axes to `[..., n, m]`; a vector per matrix, `b [..., n]`, gives
 * `[..., n]`. A zero on the diagonal gives infinities and NaN.
 *
 * Runs where `cholesky` does, in the same precision.
 *
 * @throws ShapeError if the shapes do not fit or a dtype is not float32. MissingKernelError from runtimes that cannot have it.
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { tensor1d, tensor2d } from '@tensorflow/tfjs-core';
 * import { triangularSolve } from '@bpc/core';
 * triangularSolve(tensor2d([[2, 0], [1, 2]]), tensor1d([2, 5])).print(); // [1, 2]
 * ```
 */
export function triangularSolve(l: Tensor, b: Tensor, options: TriangularSolveOptions = {}): Tensor {
  checkSquare('triangularSolve', 'l', l);
  if (b.dtype !== 'float32') throw new ShapeError(`triangularSolve got b of dtype ${b.dtype}, expected float32`, 'cast it first');
  const vector = b.rank === l.rank - 1;
  const fits = (vector || b.rank === l.rank) && l.shape.slice(0, -1).every((length, axis) => length === b.shape[axis]);
  if (!fits) {
    throw new ShapeError(
      `triangularSolve got l of shape [${l.shape}] and b of shape [${b.shape}]`,
      'pass b with as many rows as l, [..., n, m] or [..., n], and the same leading axes',
    );
  }
  const solve = (columns: Tensor): Tensor =>
    runLinearAlgebra('TriangularSolve', { l, b: columns }, { transpose: options.transpose ?? false });
  return vector ? tidy(() => reshape(solve(reshape(b, [...b.shape, 1])), b.shape)) : solve(b);
}

/**
 * log |A| of a symmetric positive definite matrix, in nats: 2 Σ log L_ii of its Cholesky factor. Shape: `[..., n, n]` to `[...]`.
 *
 * Differentiable at any order (the gradient is A⁻¹). NaN where A is not positive definite. Runs where `cholesky` does.
 *
 * @throws ShapeError if `a` is not square or not float32. MissingKernelError from runtimes that cannot have it.
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { tensor2d } from '@tensorflow/tfjs-core';
 * import { logDet } from '@bpc/core';
 * logDet(tensor2d([[4, 2], [2, 5]])).print(); // log 16
 * ```
 */
export function logDet(a: Tensor): Tensor {
  checkSquare('logDet', 'a', a);
  return tidy(() => mul(2, sum(log(diagonal(cholesky(a))), -1)));
}
