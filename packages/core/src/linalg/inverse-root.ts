import type { Tensor } from '@tensorflow/tfjs-core';
import { abs, add, concat, div, eye, matMul, max, mul, neg, slice, sqrt, sub, sum, tidy, transpose, zeros } from '@tensorflow/tfjs-core';
import { ShapeError } from '../errors.js';
import { scan } from '../scan.js';

/** Rows of a block whose root is iterated for as a whole: larger ones are cheaper in products with the rest. */
const BLOCK = 128;

/** Each iteration stretches small eigenvalues by 9/4, the last few square the error: enough for condition numbers of 1e8. */
const ITERATIONS = 30;

/**
 * B^{1/2} and B^{-1/2} by the coupled Newton–Schulz iteration (Higham 2008, Functions of Matrices, equation 6.35):
 * T = (3I − ZY)/2, Y ← YT, Z ← TZ from Y = B/c, Z = I, with c no less than the largest eigenvalue.
 */
function symmetricRoots(b: Tensor): { readonly root: Tensor; readonly inverse: Tensor } {
  const n = b.shape[0] ?? 0;
  const identity = eye(n);
  const bound = max(sum(abs(b), 1));
  const [{ y, z }] = scan(
    (now: { readonly y: Tensor; readonly z: Tensor }) => {
      const t = mul(sub(mul(identity, 3), matMul(now.z, now.y)), 0.5);
      return [{ y: matMul(now.y, t), z: matMul(t, now.z) }] as const;
    },
    { y: div(b, bound), z: identity as Tensor },
    undefined,
    { length: ITERATIONS },
  );
  const scale = sqrt(bound);
  return { root: mul(y, scale), inverse: div(z, scale) };
}

/** W of `inverseRoot`, block by block. */
function factor(b: Tensor): Tensor {
  const n = b.shape[0] ?? 0;
  if (n <= BLOCK) return symmetricRoots(b).inverse;
  const head = BLOCK * Math.ceil(n / BLOCK / 2);
  const tail = n - head;
  const part = (row: number, column: number, rows: number, columns: number) => slice(b, [row, column], [rows, columns]);
  // With W₁B₁₁W₁ᵀ = I: what is left of B₂₂ given the head is B₂₂ − (B₂₁W₁ᵀ)(B₂₁W₁ᵀ)ᵀ.
  const first = factor(part(0, 0, head, head));
  const below = matMul(part(head, 0, tail, head), first, false, true);
  const second = factor(sub(part(head, head, tail, tail), matMul(below, below, false, true)));
  const corner = neg(matMul(second, matMul(below, first)));
  return concat([concat([first, zeros([head, tail])], 1), concat([corner, second], 1)], 0);
}

/**
 * W with W B Wᵀ = I for a symmetric positive definite matrix B, hence WᵀW = B⁻¹: Wᵀz with z ~ N(0, I) has covariance B⁻¹.
 *
 * Block lower triangular, with symmetric blocks of 128 rows on the diagonal found by Newton–Schulz iterations. Nothing but
 * products of matrices, so that it runs on every runtime, which `cholesky` does not: on ONNX Runtime, too. For up to 128
 * rows it is B^{-1/2}. Accuracy: with condition number κ, W B Wᵀ was measured to be I within 1e-5 + 1e-8·κ in float32 (20 to 300
 * rows, κ up to 1e7), no worse than rounding B to float32 costs; above κ = 1e8 the iteration stops before it has converged. Only
 * the symmetric part (B + Bᵀ)/2 counts.
 *
 * Shape: `[n, n]` to `[n, n]`. Not meant to be differentiated. Fresh tensor, owned by the caller.
 *
 * @throws ShapeError if `b` is no square float32 matrix.
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { tensor2d } from '@tensorflow/tfjs-core';
 * import { inverseRoot } from '@bpc/core';
 * inverseRoot(tensor2d([[4, 0], [0, 25]])).print(); // [[0.5, 0], [0, 0.2]]
 * ```
 */
export function inverseRoot(b: Tensor): Tensor {
  if (b.dtype !== 'float32') throw new ShapeError(`inverseRoot got b of dtype ${b.dtype}, expected float32`, 'cast it first');
  if (b.rank !== 2 || b.shape[0] !== b.shape[1]) {
    throw new ShapeError(`inverseRoot got b of shape [${b.shape}], expected [n, n]`, 'pass a square matrix');
  }
  return tidy(() => factor(mul(add(b, transpose(b)), 0.5)));
}
