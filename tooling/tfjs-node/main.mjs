// `npm run test:tfjs-node`: core's tests, eagerly, on the `tensorflow` backend of tfjs-node, which is installed when missing.
import { join } from 'node:path';
import { runBackend } from '../backends/run.mjs';
import { root } from '../steps.mjs';
import { InstallError, installTfjsNode } from './install.mjs';

const log = (/** @type {string} */ message) => console.error(message);

try {
  await installTfjsNode(join(root, '.cache', 'tfjs-node'), log);
  process.exitCode = await runBackend('tensorflow', process.argv.slice(2));
} catch (error) {
  if (!(error instanceof InstallError)) throw error;
  log(`tfjs-node: ${error.message}`);
  process.exitCode = 1;
}
