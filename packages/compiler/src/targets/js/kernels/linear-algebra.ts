import { choleskyKernel, triangularSolveKernel } from '@bpc/core';
import type { MatrixGeometry } from '../calls.js';

/** Cholesky factors of a stack of matrices. */
export function Cholesky(g: MatrixGeometry, out: Float64Array, a: Float64Array): void {
  choleskyKernel(out, a, g.size);
}

/** Solutions of a stack of triangular systems. */
export function TriangularSolve(g: MatrixGeometry, out: Float64Array, l: Float64Array, b: Float64Array): void {
  triangularSolveKernel(out, l, b, g.size, g.columns, g.transpose);
}
