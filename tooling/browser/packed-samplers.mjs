// The README's first snippet of @bpc/samplers as a user would put it on a page: from packed tarballs, bundled by vite without
// any configuration, under each Content-Security-Policy, compared with Node restricted in the same way.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'vite';
import { firstSnippet, installPacked, runIn } from '../packed.mjs';
import { serve } from './server.mjs';

/**
 * @typedef {{ rows: { name: string, mean: number, mcseMean: number, rhat: number }[], values: Record<string, number[]>,
 *   printers: string, first: number[], math: number[] }} Answer
 */
/** @typedef {{ outcome: 'passed' | 'failed', name: string, detail: string }} Row */

/** Policies, the options under which Node may do no more, and the printers that are left. */
const CASES = /** @type {const} */ ([
  { policy: 'open', node: [], printers: 'wasm, javascript' },
  { policy: 'no-eval', node: ['--disallow-code-generation-from-strings'], printers: 'wasm' },
  { policy: 'no-codegen', node: ['--disallow-code-generation-from-strings', '--jitless'], printers: 'interpreter' },
]);

/**
 * Behind the snippet, in its scope. `first` is a chain's beginning, before last digits have grown; `math` tells whether two
 * engines have the same functions: the language leaves their last digit open.
 */
const TELL = `
const start = { start: { x: 0.3 }, chains: 1, warmup: 0, stepSize: 0.7, draws: 5, key: key(2) };
const begun = await sample({ parameters: { x: real() }, logDensity: ({ x }) => mul(square(square(x)), -0.5), ...start }).collect();
globalThis.bpcSamplers = {
  rows: summary(draws).rows,
  values: Object.fromEntries(Object.entries(draws.values).map(([name, values]) => [name, Array.from(values)])),
  printers: draws.provenance.runtime.printers,
  first: Array.from(begun.values.x),
  math: Array.from({ length: 3000 }, (_, i) => [Math.exp(-i / 300), Math.log(1 + i), Math.log1p(i / 3000)]).flat(),
};
`;

const RUN = `
import { writeFileSync } from 'node:fs';
import './snippet.js';
writeFileSync(process.argv[2], JSON.stringify(globalThis.bpcSamplers));
`;

const PAGE = '<!doctype html><meta charset="utf-8"><title>samplers</title><script type="module" src="/snippet.js"></script>';

/** @param {string} folder */
async function bundle(folder) {
  writeFileSync(join(folder, 'snippet.js'), firstSnippet('packages/samplers/README.md').code + TELL);
  writeFileSync(join(folder, 'node.js'), RUN);
  writeFileSync(join(folder, 'index.html'), PAGE);
  await build({ root: folder, configFile: false, logLevel: 'error' });
}

const equal = (/** @type {readonly number[]} */ a, /** @type {readonly number[]} */ b) =>
  a.length === b.length && a.every((value, i) => Object.is(value, b[i]));

/** @param {Answer} a @param {Answer} b */
const sameDraws = (a, b) => Object.entries(a.values).every(([name, values]) => equal(values, b.values[name] ?? []));

/**
 * What is wrong with the page's draws: bits where engines compute alike, else the chain's beginning to nine digits and means
 * within Monte Carlo error.
 *
 * @param {Answer} found
 * @param {Answer} expected
 * @returns {string | undefined}
 */
function fault(found, expected) {
  if (found.printers !== expected.printers) return `printers are ${found.printers}, expected ${expected.printers}`;
  if (equal(found.math, expected.math)) return sameDraws(found, expected) ? undefined : 'draws differ from those of Node';
  const parted = found.first.findIndex((value, i) => !(Math.abs(value - (expected.first[i] ?? Number.NaN)) < 1e-9));
  if (parted >= 0 || found.first.length !== expected.first.length) return `draw ${parted} is ${found.first}, in Node ${expected.first}`;
  for (const [i, { name, mean, mcseMean, rhat }] of found.rows.entries()) {
    const other = expected.rows[i];
    const z = other === undefined || other.name !== name ? Number.NaN : (mean - other.mean) / Math.hypot(mcseMean, other.mcseMean);
    if (!(Math.abs(z) < 6 && rhat < 1.01)) return `${name} is ${mean} with R-hat ${rhat}, in Node ${other?.mean} (z = ${z})`;
  }
  return undefined;
}

/**
 * @param {import('playwright-core').Browser} browser
 * @returns {Promise<readonly Row[]>}
 */
export async function packedSamplersInBrowser(browser) {
  const folder = mkdtempSync(join(tmpdir(), 'bpc-page-'));
  /** @type {Row[]} */
  const rows = [];
  let server;
  /** @type {Answer | undefined} */
  let generated;
  try {
    installPacked(folder, ['core', 'compiler', 'samplers'], { '@tensorflow/tfjs-core': '4.22.0' });
    await bundle(folder);
    const built = join(folder, 'dist');
    server = await serve({ bundle: join(built, 'assets'), ort: built, page: readFileSync(join(built, 'index.html'), 'utf8') });
    for (const { policy, node, printers } of CASES) {
      const name = `README of samplers, packed (${policy})`;
      const page = await browser.newPage();
      try {
        const file = join(folder, `${policy}.json`);
        runIn(process.execPath, [...node, 'node.js', file], folder);
        /** @type {Answer} */
        const expected = JSON.parse(readFileSync(file, 'utf8'));
        const failure = new Promise((_, reject) => page.on('pageerror', reject));
        await page.goto(`${server.origin}/?policy=${policy}`);
        await Promise.race([failure, page.waitForFunction(() => 'bpcSamplers' in window, undefined, { timeout: 180_000 })]);
        /** @type {Answer} */
        const found = await page.evaluate(() => /** @type {any} */ (window).bpcSamplers);
        generated ??= found;
        const wrong =
          fault(found, { ...expected, printers }) ??
          // The interpreter has the bits of generated JavaScript, which prints so small a program.
          (printers === 'interpreter' && !sameDraws(found, generated) ? 'the interpreter differs from generated code' : undefined);
        const likeness = sameDraws(found, expected)
          ? 'bit-equal to Node'
          : 'equal to Node within Monte Carlo error (other functions of Math)';
        rows.push({ outcome: wrong === undefined ? 'passed' : 'failed', name, detail: wrong ?? `draws ${likeness}, printers ${printers}` });
      } catch (error) {
        rows.push({ outcome: 'failed', name, detail: error instanceof Error ? error.message : String(error) });
      } finally {
        await page.close();
      }
    }
  } finally {
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  }
  return rows;
}
