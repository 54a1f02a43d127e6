import { kernelCoverage } from '@bpc/compiler';
import { getKernel } from '@tensorflow/tfjs-core';
import type { RuntimeName } from './runtime-name.js';

/** Kernels of tfjs-core that a runtime does not have: what programs cannot use, or what the tfjs backend did not register. */
export function lackingKernels(name: RuntimeName): string[] {
  const { traced, untraced, composed } = kernelCoverage();
  if (name.family !== 'tfjs') return Object.keys(untraced).sort();
  return [...traced, ...Object.keys(untraced)]
    .filter((kernel) => !composed.includes(kernel) && getKernel(kernel, name.backend) === undefined)
    .sort();
}
