import { choleskyKernel, triangularSolveKernel } from '@bpc/core';
import type { MatrixGeometry } from '../calls.js';

/** The numbers that are meant: an array that several results share in turn is as long as the longest of them. */
const exactly = (values: Float64Array, length: number): Float64Array => (values.length === length ? values : values.subarray(0, length));

/** Cholesky factors of a stack of matrices. */
export function Cholesky(g: MatrixGeometry, out: Float64Array, a: Float64Array): void {
  choleskyKernel(exactly(out, g.length), a, g.size);
}

/** Solutions of a stack of triangular systems. */
export function TriangularSolve(g: MatrixGeometry, out: Float64Array, l: Float64Array, b: Float64Array): void {
  triangularSolveKernel(exactly(out, g.length), l, exactly(b, g.length), g.size, g.columns, g.transpose);
}
