import { equal, greater, greaterEqual, mul, range, reshape, sum, type Tensor, transpose, where } from '@tensorflow/tfjs-core';

/** Row and column numbers of the matrices in `x`, to be compared: no mask is ever stored. */
function positions(x: Tensor): readonly [row: Tensor, column: Tensor] {
  const n = x.shape.at(-1) ?? 1;
  const numbers = range(0, n, 1, 'int32');
  return [reshape(numbers, [n, 1]), reshape(numbers, [1, n])];
}

/** Matrices with zeros above the diagonal. */
export function lowerTriangle(x: Tensor): Tensor {
  const [row, column] = positions(x);
  return where(greaterEqual(row, column), x, 0);
}

/** Φ: matrices with zeros above the diagonal and half of the diagonal itself. */
export function halvedLowerTriangle(x: Tensor): Tensor {
  const [row, column] = positions(x);
  return where(greater(row, column), x, where(equal(row, column), mul(x, 0.5), 0));
}

/** The diagonals of matrices `[..., n, n]`, `[..., n]`. */
export function diagonal(x: Tensor): Tensor {
  const [row, column] = positions(x);
  return sum(where(equal(row, column), x, 0), -1);
}

/** Matrices with rows and columns exchanged. */
export function transposed(x: Tensor): Tensor {
  const { rank } = x;
  return transpose(x, [...Array.from({ length: rank - 2 }, (_, i) => i), rank - 1, rank - 2]);
}
