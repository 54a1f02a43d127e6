import { cholesky, triangularSolve } from '../../ir/index.js';
import { kernel, type TraceKernel } from './kernel.js';

/** Kernels of `cholesky` and `triangularSolve` of @bpc/core, which checks the shapes. */
export const linearAlgebraKernels: readonly TraceKernel[] = [
  kernel<'a'>('Cholesky', (g, { a }) => cholesky(g, a)),
  kernel<'l' | 'b', { transpose: boolean }>('TriangularSolve', (g, { l, b }, { transpose }) => triangularSolve(g, l, b, transpose)),
];
