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
  /** z ≥ 0 ? r : t·r, computed as the JavaScript printer does, so that the bits agree. */
  Gate(r, n, d, z, t, s) {
    for (let i = 0; i < n; i++) {
      const low = r[t + i] as number;
      r[d + i] = (r[s + i] as number) * (low + ((r[z + i] as number) >= 0 ? 1 : 0) * (1 - low));
    }
  },
};
