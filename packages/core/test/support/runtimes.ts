import '@tensorflow/tfjs-backend-cpu';
import type { Runtime } from '@bpc/core';
import { eagerRuntime } from '@bpc/core';

/** Runtimes on which results must agree. */
export const runtimes: readonly (readonly [string, () => Runtime | Promise<Runtime>])[] = [['tfjs cpu, eagerly', () => eagerRuntime()]];
