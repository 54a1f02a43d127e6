// `npm run test:browser`: a ConvNet training step and a Langevin step in headless Chromium, on the js target's printers and
// onnxruntime-web, and the README's snippet of @bpc/samplers from packed tarballs, compared with Node.
import { fileURLToPath } from 'node:url';
import { install } from '../bootstrap/install.mjs';
import { findChromium } from './chromium.mjs';

const log = (/** @type {string} */ message) => console.error(message);
const executable = findChromium();
if (executable === undefined) {
  const given = process.env['BPC_CHROMIUM'];
  log(
    given === undefined
      ? 'No Chromium found. Install one (Debian: apt-get install chromium) or name it with BPC_CHROMIUM=/path/to/chromium.'
      : `BPC_CHROMIUM is '${given}', which is not the path of a program.`,
  );
  process.exit(1);
}
if ((await install(fileURLToPath(new URL('.', import.meta.url)).replace(/[/\\]$/, ''), log)) !== 0) process.exit(1);

// By address: types of what is installed here only are not at hand where the rest is checked.
const { runInBrowser } = await import(new URL('run.mjs', import.meta.url).href);
/** @type {{ outcome: 'passed' | 'failed' | 'skipped', name: string, detail: string }[]} */
const rows = await runInBrowser(executable);
const width = Math.max(...rows.map(({ name }) => name.length));
const marks = { passed: '✓', failed: '✗', skipped: '-' };
for (const { outcome, name, detail } of rows) console.log(`${marks[outcome]} ${name.padEnd(width)}  ${detail}`);
const count = (/** @type {string} */ outcome) => rows.filter((row) => row.outcome === outcome).length;
console.log(`${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`);
process.exitCode = count('failed') === 0 ? 0 : 1;
