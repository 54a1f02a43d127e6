// Imports compiled fences one after the other in this process: `node tooling/fences/run.mjs LIST.json`.
//
// LIST.json holds [{ label, module }]. Failures go to stderr; the exit code is 1 if there were any. Snippets that make tensors
// assume that the reader has chosen a tfjs backend; here it is the plain JavaScript one, set anew for each.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';

const LIMIT_MS = 60_000;

/** @type {{ label: string, module: string }[]} */
const list = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'));
const { log } = console;
let current = '';
let failures = 0;

/** @param {string} label @param {unknown} error */
function fail(label, error) {
  failures++;
  console.error(`✗ ${label}: ${error instanceof Error ? error.stack : String(error)}`);
}

// A rejected promise that a fence forgot to await belongs to the fence that runs, or ran last.
process.on('unhandledRejection', (error) => fail(current, error));
process.on('uncaughtException', (error) => fail(current, error));
process.on('exit', (code) => {
  if (failures > 0 && code === 0) process.exitCode = 1;
});

for (const { label, module } of list) {
  current = label;
  const start = performance.now();
  // What snippets print is for readers.
  console.log = () => {};
  let timer;
  try {
    await setBackend('cpu');
    const limit = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`takes longer than ${LIMIT_MS / 1000} s`)), LIMIT_MS);
    });
    await Promise.race([import(pathToFileURL(module).href), limit]);
    console.error(`✓ ${label} (${((performance.now() - start) / 1000).toFixed(2)} s)`);
  } catch (error) {
    fail(label, error);
  } finally {
    clearTimeout(timer);
    console.log = log;
  }
}
// A snippet may leave a session or a timer behind; nothing is waited for.
process.exit(failures === 0 ? 0 : 1);
