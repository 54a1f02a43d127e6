// `npm run examples`: runs every example after the build; names choose some. `--json FILE` writes the outcome.
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root, runSteps } from './steps.mjs';

const { values, positionals } = parseArgs({ options: { json: { type: 'string' } }, allowPositionals: true });
const all = readdirSync(join(root, 'examples')).filter((name) => existsSync(join(root, 'examples', name, 'package.json')));
const unknown = positionals.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  console.error(`no example ${unknown.join(', ')}, expected some of ${all.join(', ')}`);
  process.exit(2);
}

const chosen = positionals.length > 0 ? positionals : all;
const results = await runSteps(
  chosen.map((name) => ({ name, command: [process.execPath, join('dist', 'main.js')], cwd: join(root, 'examples', name) })),
);
if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(results));
process.exitCode = results.every(({ code }) => code === 0) ? 0 : 1;
