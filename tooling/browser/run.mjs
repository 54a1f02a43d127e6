// Bundles the page, runs every case in headless Chromium, and compares with Node. Imported by main.mjs after the install.
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { root } from '../steps.mjs';
import { packedSamplersInBrowser } from './packed-samplers.mjs';
import { serve } from './server.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));

/**
 * Every runtime under the policies that matter for it. `tolerance` is relative, per tensor: WebGPU's functions are coarser.
 *
 * @type {readonly { runtime: string, policy: string, tolerance: number, refused?: RegExp }[]}
 */
const CASES = [
  { runtime: 'js:auto', policy: 'open', tolerance: 1e-4 },
  { runtime: 'js:javascript', policy: 'open', tolerance: 1e-4 },
  { runtime: 'js:wasm', policy: 'open', tolerance: 1e-4 },
  { runtime: 'js:interpreter', policy: 'open', tolerance: 1e-4 },
  { runtime: 'js:auto', policy: 'no-eval', tolerance: 1e-4 },
  { runtime: 'js:wasm', policy: 'no-eval', tolerance: 1e-4 },
  { runtime: 'js:javascript', policy: 'no-eval', tolerance: 1e-4, refused: /ConfigError.*Content-Security-Policy/ },
  { runtime: 'js:auto', policy: 'no-codegen', tolerance: 1e-4 },
  { runtime: 'js:interpreter', policy: 'no-codegen', tolerance: 1e-4 },
  { runtime: 'js:wasm', policy: 'no-codegen', tolerance: 1e-4, refused: /ConfigError.*Content-Security-Policy/ },
  { runtime: 'onnx:wasm', policy: 'open', tolerance: 1e-4 },
  { runtime: 'onnx:wasm', policy: 'no-eval', tolerance: 1e-4 },
  { runtime: 'onnx:webgpu', policy: 'open', tolerance: 1e-3 },
];

/** @typedef {{ outcome: 'passed' | 'failed' | 'skipped', name: string, detail: string }} Row */

/** @param {string} folder */
async function bundle(folder) {
  const common = { bundle: true, format: /** @type {const} */ ('esm'), logLevel: /** @type {const} */ ('error'), target: 'es2022' };
  // onnxruntime-web is installed here only; the packages are found as in any folder of the repository.
  const nodePaths = [join(here, 'node_modules')];
  await build({
    ...common,
    entryPoints: [join(here, 'page.ts')],
    outfile: join(folder, 'page.js'),
    platform: 'browser',
    nodePaths,
    conditions: ['onnxruntime-web-use-extern-wasm'],
  });
  await build({
    ...common,
    entryPoints: [join(here, 'reference.ts')],
    outfile: join(folder, 'reference.mjs'),
    platform: 'node',
    packages: 'external',
  });
}

/** Arguments of a Chromium that has WebGPU in software, if it has it at all. */
const ARGUMENTS = [
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
  '--ignore-gpu-blocklist',
  '--disable-dev-shm-usage',
];

/**
 * @param {string} executablePath of the browser
 * @returns {Promise<readonly Row[]>}
 */
export async function runInBrowser(executablePath) {
  mkdirSync(join(root, '.cache'), { recursive: true });
  // Inside the repository, from which the reference imports its packages.
  const folder = mkdtempSync(join(root, '.cache', 'browser-'));
  /** @type {Row[]} */
  const rows = [];
  const server = await serve({ bundle: folder, ort: join(here, 'node_modules', 'onnxruntime-web', 'dist') });
  // As root, Chromium refuses to start with its sandbox; the pages are our own.
  const isRoot = process.getuid?.() === 0;
  const browser = await chromium.launch({ executablePath, args: [...ARGUMENTS, ...(isRoot ? ['--no-sandbox'] : [])], headless: true });
  try {
    await bundle(folder);
    const { reference, largestDeviation } = await import(pathToFileURL(join(folder, 'reference.mjs')).href);
    const expected = await reference();
    for (const { runtime, policy, tolerance, refused } of CASES) {
      for (const step of Object.keys(expected.steps)) {
        const name = `${runtime} (${policy}): ${step}`;
        const page = await browser.newPage();
        try {
          page.on('pageerror', (error) => console.error(`page: ${error.message}`));
          await page.goto(`${server.origin}/?${new URLSearchParams({ policy, runtime, step })}`);
          await page.waitForFunction(() => 'bpcAnswer' in window, undefined, { timeout: 180_000 });
          const answer = await page.evaluate(() => window.bpcAnswer ?? { error: 'no answer' });
          rows.push(judge(name, answer, { expected: expected.steps[step], noise: expected.noise, tolerance, refused, largestDeviation }));
        } catch (error) {
          rows.push({ outcome: 'failed', name, detail: error instanceof Error ? error.message : String(error) });
        } finally {
          await page.close();
        }
      }
    }
    rows.push(...(await packedSamplersInBrowser(browser)));
  } finally {
    await browser.close();
    await server.close();
    if (existsSync(folder)) rmSync(folder, { recursive: true, force: true });
  }
  return rows;
}

/**
 * @param {string} name
 * @param {{ error?: string, skipped?: string, numbers?: object, noise?: readonly number[], description?: Readonly<Record<string, string | number | boolean>> }} answer
 * @param {{ expected: object, noise: readonly number[], tolerance: number, refused: RegExp | undefined,
 *   largestDeviation: (found: object, expected: object) => number }} wanted
 * @returns {Row}
 */
function judge(name, answer, { expected, noise, tolerance, refused, largestDeviation }) {
  const { error, skipped, numbers = {}, description = {} } = answer;
  if (skipped !== undefined) return { outcome: 'skipped', name, detail: skipped };
  if (refused !== undefined) {
    const ok = error !== undefined && refused.test(error);
    return {
      outcome: ok ? 'passed' : 'failed',
      name,
      detail: ok ? 'refused, as it must be' : `expected a refusal, found ${error ?? 'numbers'}`,
    };
  }
  if (error !== undefined) return { outcome: 'failed', name, detail: error };
  const deviation = largestDeviation(numbers, expected);
  const sameNoise = answer.noise?.length === noise.length && noise.every((value, i) => Object.is(value, answer.noise?.[i]));
  const about = ['printer', 'adapter', 'threads'].flatMap((key) => (description[key] === undefined ? [] : [`${key} ${description[key]}`]));
  const detail = [`deviation ${deviation.toExponential(1)}`, `noise ${sameNoise ? 'bit-equal' : 'DIFFERS'}`, ...about].join(', ');
  return { outcome: deviation <= tolerance && sameNoise ? 'passed' : 'failed', name, detail };
}
