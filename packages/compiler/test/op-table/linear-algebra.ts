import { cholesky, logDet, triangularSolve } from '@bpc/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { floats, type OpCase, type Result } from './case.js';

const make = (name: string, run: (...args: Tensor[]) => Result, args: () => Tensor[]): OpCase => ({
  name,
  run,
  args,
  except: { onnx: 'ONNX has no operation for it' },
});

/** M Mᵀ + I. */
const definite = (shape: readonly number[], seed = 1): Tensor => {
  const m = floats(shape, seed);
  return tf.add(tf.matMul(m, m, false, true), tf.eye(shape.at(-1) ?? 0));
};

/** What @bpc/core adds to tfjs: its eager kernels run on the host. */
export const linearAlgebraCases: readonly OpCase[] = [
  make(
    'cholesky, of symmetric parts and of batches',
    (a, b, c) => [cholesky(a!), cholesky(tf.add(a!, tf.mul(0.1, b!))), cholesky(c!), cholesky(tf.reshape(a!, [1, 1, 5, 5]))],
    () => [definite([5, 5]), floats([5, 5], 2), definite([2, 3, 4, 4], 3)],
  ),
  make(
    'cholesky of one number, of small and of larger matrices',
    (a, b, c) => [cholesky(a!), tf.matMul(cholesky(b!), b!), tf.exp(tf.neg(cholesky(c!)))],
    () => [tf.tensor2d([[2]]), definite([2, 2]), definite([13, 13])],
  ),
  make(
    'cholesky where there is none',
    (a, b) => [cholesky(a!), cholesky(b!), tf.sum(cholesky(a!), 1), logDet(b!)],
    () => [tf.tensor([1, 2, 2, 1, 4, 2, 2, 5], [2, 2, 2]), tf.zeros([6, 6])],
  ),
  make(
    'triangularSolve, both ways, of matrices and of vectors',
    (l, b, c) => [
      triangularSolve(l!, b!),
      triangularSolve(l!, b!, { transpose: true }),
      triangularSolve(l!, c!),
      triangularSolve(l!, tf.exp(c!), { transpose: true }),
    ],
    () => [definite([7, 7]), floats([7, 3], 2), floats([7], 3)],
  ),
  make(
    'triangularSolve of batches',
    (l, b, c) => [triangularSolve(l!, b!), triangularSolve(l!, b!, { transpose: true }), triangularSolve(l!, c!)],
    () => [definite([2, 3, 4, 4]), floats([2, 3, 4, 6], 2), floats([2, 3, 4], 3)],
  ),
  make(
    'logDet',
    (a, b) => [logDet(a!), logDet(b!)],
    () => [definite([6, 6]), definite([3, 4, 4], 3)],
  ),
];
