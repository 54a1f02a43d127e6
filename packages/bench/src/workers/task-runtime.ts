import { ensureHostBackend, type Runtime } from '@bpc/core';
import { openRuntime } from '../runtime-choice/index.js';
import type { TaskTools } from './protocol.js';
import type { SharedData } from './shared-data.js';

/** The runtime of this thread, opened at the first use. */
export async function openTaskRuntime({ shared, resource }: TaskTools<SharedData>): Promise<Runtime> {
  return resource(
    'runtime',
    async () => {
      // Initial parameters and batches are tensors before any engine is involved.
      ensureHostBackend();
      return openRuntime({ name: shared.runtime, threads: shared.threads });
    },
    (runtime) => runtime.dispose(),
  );
}
