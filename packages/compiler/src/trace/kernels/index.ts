import { elementwiseKernels } from './elementwise.js';
import type { TraceKernel } from './kernel.js';
import { reductionKernels } from './reductions.js';
import { shapeKernels } from './shapes.js';
import { windowKernels } from './windows.js';

/** Every tfjs kernel that can be traced. */
export const kernels: readonly TraceKernel[] = [...elementwiseKernels, ...shapeKernels, ...reductionKernels, ...windowKernels];
