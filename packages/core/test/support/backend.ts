import { existsSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { env, setBackend } from '@tensorflow/tfjs-core';

const TFJS_NODE = fileURLToPath(new URL('../../../../.cache/tfjs-node/node_modules/@tensorflow/tfjs-node/dist/index.js', import.meta.url));

/** How each backend gets registered. tfjs-node is not a dependency: `npm run test:tfjs-node` puts it there. */
const PACKAGES: Readonly<Record<string, () => Promise<unknown>>> = {
  cpu: () => import('@tensorflow/tfjs-backend-cpu'),
  wasm: () => import('@tensorflow/tfjs-backend-wasm'),
  tensorflow: () => {
    if (!existsSync(TFJS_NODE)) throw new Error("tfjs-node is not installed; run 'npm run test:tfjs-node'");
    return import(pathToFileURL(TFJS_NODE).href);
  },
};

/** The tfjs backend that core's tests compute on: `cpu`, or what `BPC_TEST_BACKEND` names. */
export const testBackend: string = process.env['BPC_TEST_BACKEND'] ?? 'cpu';

const register = PACKAGES[testBackend];
if (register === undefined) throw new Error(`BPC_TEST_BACKEND is '${testBackend}', expected one of ${Object.keys(PACKAGES).join(', ')}`);
// The backend greets every process with an advertisement otherwise.
env().set('PROD', true);
await register();
// Ready before the first line of a test file, some of which make runtimes at once.
if (!(await setBackend(testBackend))) throw new Error(`the tfjs backend '${testBackend}' does not start`);
