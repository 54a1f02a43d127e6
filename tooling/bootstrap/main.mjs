// Installs and builds what is missing, then runs the command in this process.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, isBuilt } from './build.mjs';
import { install, isInstalled } from './install.mjs';
import { withLock } from './lock.mjs';
import { ignoreRepeatedInterrupts, stopWhenOrphaned } from './signals.mjs';

/**
 * Each command: the module to run, the arguments that come before the user's, and whether dist/ must be there first.
 *
 * @type {Record<string, { module?: string, args?: string[], built?: boolean }>}
 */
const COMMANDS = {
  start: { module: 'packages/bench/dist/cli/main.js', args: ['learn'] },
  bpc: { module: 'packages/bench/dist/cli/main.js' },
  test: { module: 'node_modules/vitest/vitest.mjs', args: ['run'] },
  'test:wasm': { module: 'tooling/backends/run.mjs', args: ['wasm'] },
  'test:tfjs-node': { module: 'tooling/tfjs-node/main.mjs' },
  'test:browser': { module: 'tooling/browser/main.mjs' },
  'test:gpu': { module: 'tooling/gpu/main.mjs' },
  build: { module: 'tooling/turbo.mjs', args: ['run', 'build'], built: false },
  check: { module: 'tooling/check.mjs', built: false },
  examples: { module: 'tooling/examples.mjs' },
  fences: { module: 'tooling/fences.mjs' },
  'docs:api': { module: 'node_modules/typedoc/bin/typedoc' },
  prepare: {},
};

const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/[/\\]$/, '');
const log = (/** @type {string} */ message) => console.error(message);

/** @param {boolean} built @returns {Promise<number>} */
async function makeReady(built) {
  if (isInstalled(root) && (!built || isBuilt(root))) return 0;
  const onWait = () => log('Waiting for another command that installs or builds …');
  const work = async () => (await install(root, log)) || (built ? build(root, log) : 0);
  return withLock(join(root, '.cache', 'bootstrap.lock'), work, { onWait });
}

/**
 * Runs `<command> [arguments]` and leaves the exit code to it.
 *
 * @param {readonly string[]} argv
 */
export async function main([name = '', ...args]) {
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    log(`Unknown command '${name}', expected one of ${Object.keys(COMMANDS).join(', ')}.`);
    process.exit(2);
  }
  stopWhenOrphaned();
  // 1, whatever npm or tsc say: their codes mean other things here (2 is a usage error of the program).
  if ((await makeReady(command.built ?? true)) !== 0) process.exit(1);
  if (command.module === undefined) return;

  const file = join(root, command.module);
  if (!existsSync(file)) {
    log(`${command.module} is missing; run 'npm run clean' and try again.`);
    process.exit(1);
  }
  ignoreRepeatedInterrupts();
  process.argv = [process.execPath, file, ...(command.args ?? []), ...args];
  await import(pathToFileURL(file).href);
}
