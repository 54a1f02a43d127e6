import { blockKernels } from './blocks.js';
import { cumulativeKernels } from './cumulative.js';
import { depthwiseKernels } from './depthwise.js';
import { elementwiseKernels } from './elementwise.js';
import { indexingKernels } from './indexing.js';
import type { TraceKernel } from './kernel.js';
import { linearAlgebraKernels } from './linear-algebra.js';
import { normalizationKernels } from './normalization.js';
import { productKernels } from './products.js';
import { reductionKernels } from './reductions.js';
import { resizeKernels } from './resize.js';
import { shapeKernels } from './shapes.js';
import { windowKernels } from './windows.js';

/** Every tfjs kernel that can be traced. */
export const kernels: readonly TraceKernel[] = [
  ...elementwiseKernels,
  ...shapeKernels,
  ...blockKernels,
  ...indexingKernels,
  ...reductionKernels,
  ...cumulativeKernels,
  ...productKernels,
  ...linearAlgebraKernels,
  ...normalizationKernels,
  ...windowKernels,
  ...depthwiseKernels,
  ...resizeKernels,
];
