// What .ci/run runs on a fresh clone; imports nothing that must be installed.
//
// Prints `N passed, N failed` as its last line: tests as vitest counts them, and one for each check, example and command.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { findChromium } from './browser/chromium.mjs';
import { addCounts, countCommand, countSteps, countTests } from './ci-counts.mjs';
import { root, runStep } from './steps.mjs';

const LIMIT_MS = 58 * 60_000;
const deadline = Date.now() + LIMIT_MS;

mkdirSync(join(root, '.cache'), { recursive: true });
const out = mkdtempSync(join(root, '.cache', 'ci-'));
const npm = ['npm', 'run', '--silent'];
const vitest = (/** @type {string} */ file) => ['--', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`];

/**
 * The commands of the README and CONTRIBUTING, in the order of a newcomer: the first one installs and builds.
 *
 * @type {{ name: string, command: (json: string) => string[], count: typeof countTests | typeof countSteps }[]}
 */
const COMMANDS = [
  { name: 'npm test', command: (json) => ['npm', 'test', ...vitest(json)], count: countTests },
  { name: 'npm run build', command: () => [...npm, 'build'], count: countCommand },
  { name: 'npm run check', command: (json) => [...npm, 'check', '--', '--json', json], count: countSteps },
  { name: 'npm run examples', command: (json) => [...npm, 'examples', '--', '--json', json], count: countSteps },
  {
    name: 'npm start on digits',
    command: () => ['npm', 'start', '--silent', '--', '--dataset', 'digits', '--quiet', '--out', join(out, 'digits')],
    count: countCommand,
  },
  { name: 'npm run test:wasm', command: () => [...npm, 'test:wasm'], count: countCommand },
  // Says what it skips where there is no driver, not even a software one.
  { name: 'npm run test:gpu', command: () => [...npm, 'test:gpu'], count: countCommand },
  ...(findChromium() === undefined ? [] : [{ name: 'npm run test:browser', command: () => [...npm, 'test:browser'], count: countCommand }]),
  { name: 'npm run docs:api', command: () => [...npm, 'docs:api'], count: countCommand },
  { name: 'npm run test:slow', command: (json) => [...npm, 'test:slow', ...vitest(json)], count: countTests },
];

let total = { passed: 0, failed: 0 };
const lines = findChromium() === undefined ? ['- npm run test:browser: skipped, there is no Chromium'] : [];
for (const [index, { name, command, count }] of COMMANDS.entries()) {
  const json = join(out, `${index}.json`);
  console.error(`\n━━ ${name} ━━`);
  const { code, seconds } = await runStep({ name, command: command(json), timeoutMs: Math.max(1, deadline - Date.now()) });
  const counted = count(code, existsSync(json) ? JSON.parse(readFileSync(json, 'utf8')) : undefined);
  total = addCounts(total, counted);
  lines.push(`${counted.failed === 0 ? '✓' : '✗'} ${name}: ${counted.passed} passed, ${counted.failed} failed, ${seconds.toFixed(0)} s`);
}
rmSync(out, { recursive: true, force: true });
console.log(['', ...lines, `${total.passed} passed, ${total.failed} failed`].join('\n'));
process.exitCode = total.failed === 0 ? 0 : 1;
