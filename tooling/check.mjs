// `npm run check`: everything that is not a test. `--only a,b` runs some steps, `--json FILE` writes the outcome.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root, runSteps } from './steps.mjs';

const node = process.execPath;
const bin = (/** @type {string} */ path) => [node, join(root, 'node_modules', path)];
const tool = (/** @type {string} */ path) => [node, join(root, 'tooling', path)];

const STEPS = [
  { name: 'lint', command: [...bin('@biomejs/biome/bin/biome'), 'ci', '--diagnostic-level=error'] },
  { name: 'build', command: [...bin('typescript/bin/tsc'), '-b'] },
  // Types of tests (`expectTypeOf` among them), benches and scripts.
  { name: 'types', command: [...bin('typescript/bin/tsc'), '-p', 'tsconfig.tooling.json'] },
  { name: 'unused', command: [...bin('knip/bin/knip.js'), '--no-progress', '--no-config-hints'] },
  { name: 'packages', command: [...tool('turbo.mjs'), 'run', 'check', '--output-logs=errors-only'] },
  { name: 'size', command: [...bin('size-limit/bin.js')] },
  { name: 'strings', command: tool('strings.mjs') },
  { name: 'fences', command: tool('fences.mjs') },
];

const { values } = parseArgs({ options: { only: { type: 'string' }, json: { type: 'string' } } });
const only = values.only?.split(',');
const unknown = only?.filter((name) => !STEPS.some((step) => step.name === name)) ?? [];
if (unknown.length > 0) {
  console.error(`--only names ${unknown.join(', ')}, expected some of ${STEPS.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

const results = await runSteps(STEPS.filter(({ name }) => only === undefined || only.includes(name)));
if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(results));
process.exitCode = results.every(({ code }) => code === 0) ? 0 : 1;
