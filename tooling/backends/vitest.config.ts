import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import root from '../../vitest.config.js';

const OPERATIONS = ['elementwise', 'pooling', 'convolution', 'structure', 'op-table', 'scan', 'device'];

/** Core's tests on another tfjs backend, or the ONNX operations on another provider: the mode is the backend's name. */
export default defineConfig((environment) => {
  const base = root({ ...environment, mode: 'test' });
  const [, provider] = environment.mode.split(':');
  const include =
    provider === undefined ? ['packages/core/test/**/*.test.ts'] : OPERATIONS.map((name) => `packages/backend-onnx/test/${name}.test.ts`);
  return {
    ...base,
    root: fileURLToPath(new URL('../..', import.meta.url)),
    test: {
      ...base.test,
      include,
      setupFiles: [fileURLToPath(new URL('skip-known.ts', import.meta.url))],
      // tensorflow's own chatter about processors.
      env: {
        TF_CPP_MIN_LOG_LEVEL: '3',
        ...(provider === undefined ? { BPC_TEST_BACKEND: environment.mode } : { BPC_TEST_PROVIDER: provider }),
      },
      testTimeout: provider === undefined ? 60_000 : 600_000,
    },
  };
});
