import type { ScalarOp } from '../expression.js';
import { binaryKernels } from './binary-kernels.js';
import type { Kernel } from './machine.js';
import { unaryKernels } from './unary-kernels.js';

/** Every operation on scalars, with the meaning that the JavaScript printer gives it. */
export const chunkKernels: Readonly<Record<ScalarOp, Kernel>> = {
  ...unaryKernels,
  ...binaryKernels,
  Select(r, n, d, a, b, c) {
    for (let i = 0; i < n; i++) r[d + i] = (r[a + i] as number) ? (r[b + i] as number) : (r[c + i] as number);
  },
  Gate(r, n, d, z, t) {
    for (let i = 0; i < n; i++) r[d + i] = Math.max(r[t + i] as number, (r[z + i] as number) >= 0 ? 1 : 0);
  },
};
