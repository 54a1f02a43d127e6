// A model that chooses its own runtime: eager tfjs, whose values are float32.
import '@tensorflow/tfjs-backend-cpu';
import { eagerRuntime } from '@bpc/core';
import { setBackend } from '@tensorflow/tfjs-core';

export { target } from './worker-models.mjs';

export async function runtime() {
  await setBackend('cpu');
  return eagerRuntime();
}
