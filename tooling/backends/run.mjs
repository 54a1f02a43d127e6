// Core's tests on another tfjs backend, or those of the ONNX operations on another provider:
// `node tooling/backends/run.mjs BACKEND [vitest arguments]`, BACKEND being `wasm`, `tensorflow` or `onnx:PROVIDER`.
//
// Says what was skipped and why. An entry of skipped.json that skipped nothing is an error: the test was renamed, or passes.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { root, runStep } from '../steps.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));

/**
 * Runs the tests on `backend`. `args` go to vitest; with file names among them, unused entries are not looked for.
 *
 * @param {string} backend
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<number>} exit code
 */
export async function runBackend(backend, args, env = {}) {
  const cache = join(root, '.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'backend-'));
  const json = join(folder, 'report.json');
  try {
    const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
    const config = ['--config', join(here, 'vitest.config.ts'), '--mode', backend];
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${json}`];
    const { code } = await runStep({ name: backend, command: [process.execPath, vitest, 'run', ...config, ...reporters, ...args], env });
    if (!existsSync(json)) return code || 1;
    /** @type {{ numPassedTests: number, numFailedTests: number, testResults: { assertionResults: { ancestorTitles: string[], title: string, status: string }[] }[] }} */
    const report = JSON.parse(readFileSync(json, 'utf8'));
    /** @type {Record<string, { pattern: string, reason: string }[]>} */
    const skipped = JSON.parse(readFileSync(join(here, 'skipped.json'), 'utf8'));
    const results = report.testResults.flatMap(({ assertionResults }) => assertionResults);
    const notRun = new Set(
      results
        .filter(({ status }) => status === 'skipped' || status === 'pending')
        .map(({ ancestorTitles, title }) => [...ancestorTitles.filter((name) => name !== ''), title].join(' > ')),
    );
    const entries = skipped[backend] ?? [];
    const found = entries.map((entry) => ({ ...entry, tests: [...notRun].filter((name) => new RegExp(entry.pattern).test(name)) }));
    const complete = !args.some((argument) => !argument.startsWith('-'));
    for (const { tests, reason } of found) for (const test of tests) console.error(`skipped on ${backend}: ${test}: ${reason}`);
    const unused = complete ? found.filter(({ tests }) => tests.length === 0) : [];
    for (const { pattern } of unused) console.error(`✗ skipped.json names tests that were not skipped on ${backend}: ${pattern}`);
    console.error(
      `${backend.includes(':') ? backend : `tfjs ${backend}`}: ${report.numPassedTests} passed, ${report.numFailedTests} failed, ${notRun.size} skipped`,
    );
    return code || (unused.length > 0 ? 1 : 0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [backend = 'wasm', ...args] = process.argv.slice(2);
  process.exitCode = await runBackend(backend, args);
}
