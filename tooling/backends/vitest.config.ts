import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import root from '../../vitest.config.js';

/** Core's tests on another tfjs backend: the mode is the backend's name. */
export default defineConfig((environment) => {
  const { resolve, ssr, test } = root({ ...environment, mode: 'test' });
  return {
    root: fileURLToPath(new URL('../..', import.meta.url)),
    resolve,
    ssr,
    test: {
      ...test,
      include: ['packages/core/test/**/*.test.ts'],
      setupFiles: [fileURLToPath(new URL('skip-known.ts', import.meta.url))],
      // tensorflow's own chatter about processors.
      env: { BPC_TEST_BACKEND: environment.mode, TF_CPP_MIN_LOG_LEVEL: '3' },
    },
  };
});
