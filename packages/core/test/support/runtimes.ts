import '@tensorflow/tfjs-backend-cpu';
import { eagerRuntime } from '@bpc/core';
import type { Runtime } from '@bpc/core';

/** The runtimes that numbers are checked on: eager tfjs, and compiled JavaScript. */
export const runtimes: readonly (readonly [name: string, make: () => Promise<Runtime>])[] = [
  ['eager tfjs', async () => eagerRuntime()],
];
