import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type JsTargetOptions, jsRuntime, jsTarget, type Printer, trace } from '@bpc/compiler';
import { ConfigError, iterate, key, memoryStore, type Runtime } from '@bpc/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { lowerGraph } from '../src/targets/js/lower.js';
import { choosePrinter, LONG_FOR_WASM } from '../src/targets/js/printers.js';
import { compileToJs } from '../src/targets/js/target.js';
import { PRINTERS, random } from './helpers.js';

afterEach(() => vi.unstubAllGlobals());

/** What a strict Content-Security-Policy does to `new Function`. */
function forbidJavascript(): void {
  vi.stubGlobal('Function', function forbidden() {
    throw new EvalError('Code generation from strings disallowed for this context');
  });
}

/** What a policy without `'wasm-unsafe-eval'` does to WebAssembly. */
function forbidWasm(): void {
  vi.stubGlobal('WebAssembly', {
    ...WebAssembly,
    Module: function forbidden() {
      throw new WebAssembly.CompileError('Compiling or instantiating WebAssembly module violates the following policy');
    },
  });
}

const sumOfExp = (x: Tensor) => tf.sum(tf.exp(x));
const graphOf = (length: number) => trace(sumOfExp, [random([length])]).graph;
const programOf = (length: number) => lowerGraph(graphOf(length));
/** Printers of a short and of a long program. */
async function chosen(options: JsTargetOptions = {}): Promise<Printer[]> {
  const printers: Printer[] = [];
  const target = jsTarget({ ...options, onSource: (_source, _name, printer) => printers.push(printer) });
  for (const length of [LONG_FOR_WASM - 1, 10 * LONG_FOR_WASM]) await (await target.lower(graphOf(length))).dispose();
  return printers;
}

describe('the automatic choice', () => {
  it.each<[string, { javascript: boolean; wasm: boolean }, Printer, Printer]>([
    ['everything is allowed', { javascript: true, wasm: true }, 'javascript', 'wasm'],
    ['WebAssembly is forbidden', { javascript: true, wasm: false }, 'javascript', 'javascript'],
    ['compiling JavaScript is forbidden', { javascript: false, wasm: true }, 'wasm', 'wasm'],
    ['both are forbidden', { javascript: false, wasm: false }, 'interpreter', 'interpreter'],
  ])('where %s: one printer for short loops, one for long ones', (_, allowed, short, long) => {
    expect([choosePrinter(programOf(LONG_FOR_WASM), allowed), choosePrinter(programOf(LONG_FOR_WASM + 1), allowed)]).toEqual([short, long]);
  });

  it('leaves programs that WebAssembly could not address to the others', () => {
    const storages = [...programOf(1000).storages, { id: 99, kind: 'temporary', size: 2 ** 29, level: 0 } as const];
    const program = { ...programOf(1000), storages };
    expect(choosePrinter(program, { javascript: true, wasm: true })).toBe('javascript');
    expect(choosePrinter(program, { javascript: false, wasm: true })).toBe('interpreter');
  });

  it('follows what the environment allows, and says what it was between', async () => {
    expect(await chosen()).toEqual(['javascript', 'wasm']);
    expect(jsTarget().describe()).toEqual({
      runtime: 'js',
      printer: 'auto',
      printers: 'wasm, javascript',
      precision: 'float64',
      threads: 1,
    });
    forbidJavascript();
    expect(await chosen()).toEqual(['wasm', 'wasm']);
    expect(jsTarget().describe()).toMatchObject({ printer: 'auto', printers: 'wasm' });
    forbidWasm();
    expect(await chosen()).toEqual(['interpreter', 'interpreter']);
    expect(jsTarget().describe()).toMatchObject({ printer: 'auto', printers: 'interpreter' });
    vi.unstubAllGlobals();
    vi.stubGlobal('WebAssembly', undefined);
    expect(await chosen()).toEqual(['javascript', 'javascript']);
    expect(jsTarget().describe()).toMatchObject({ printers: 'javascript' });
  });

  it('is made once per target, so that a program is not computed differently when it is compiled again', async () => {
    const target = jsTarget();
    const describeBefore = target.describe();
    forbidJavascript();
    forbidWasm();
    expect(target.describe()).toEqual(describeBefore);
  });
});

describe('a printer that is asked for', () => {
  it.each(PRINTERS)('%s runs every program, and is told', async (printer) => {
    expect(await chosen({ printer })).toEqual([printer, printer]);
    expect(compileToJs(graphOf(500), { printer }).printer).toBe(printer);
    expect(jsTarget({ printer }).describe()).toEqual({ runtime: 'js', printer, precision: 'float64', threads: 1 });
  });

  it.each<[Printer, () => void, RegExp]>([
    ['javascript', forbidJavascript, /'javascript'.*unsafe-eval.*printer: 'auto'/],
    ['wasm', forbidWasm, /'wasm'.*wasm-unsafe-eval.*printer: 'auto'/],
    ['wasm', () => vi.stubGlobal('WebAssembly', undefined), /'wasm'.*no WebAssembly/],
  ])('%s is refused with a remedy where it cannot run', (printer, forbid, message) => {
    forbid();
    expect(() => jsTarget({ printer })).toThrow(ConfigError);
    expect(() => jsRuntime({ printer })).toThrow(message);
  });

  it('in float32 is WebAssembly, and nothing else', async () => {
    expect(await chosen({ precision: 'float32' })).toEqual(['wasm', 'wasm']);
    expect(jsTarget({ precision: 'float32' }).describe()).toMatchObject({ printer: 'wasm', precision: 'float32' });
    expect(() => jsTarget({ precision: 'float32', printer: 'javascript' })).toThrow(/'float32' with printer 'javascript'/);
    expect(() => jsTarget({ precision: 'float32', printer: 'interpreter' })).toThrow(ConfigError);
    forbidWasm();
    expect(() => jsTarget({ precision: 'float32' })).toThrow(ConfigError);
  });
});

describe.each(PRINTERS)('results of the printer %s', (printer) => {
  it('are the same bits after a second compilation', () => {
    const { graph } = trace(
      (x: Tensor, y: Tensor) => [tf.sum(tf.sigmoid(tf.mul(x, y)), 1), tf.softplus(tf.matMul(x, tf.transpose(y))), tf.logSumExp(x)],
      [random([70, 90]), random([70, 90], 2)],
    );
    const inputs = [random([70, 90], 3), random([70, 90], 4)].map((x) => Float64Array.from(x.dataSync()));
    const bits = () => {
      const outputs = graph.outputs.map(({ shape }) => new Float64Array(shape.reduce((a, b) => a * b, 1)));
      compileToJs(graph, { printer }).runSync(inputs, outputs);
      return outputs.map((each) => [...new BigUint64Array(each.buffer)]);
    };
    expect(bits()).toEqual(bits());
  });
});

describe('a checkpoint', () => {
  async function run(runtime: Runtime, store: ReturnType<typeof memoryStore>, steps: number, allowInexact = false): Promise<void> {
    const double = runtime.compile((x: Tensor) => tf.mul(x, 2));
    const turns = iterate<{ x: Tensor }, object>({
      init: () => ({ x: tf.scalar(1) }),
      step: async (_, { x }) => ({ state: { x: await double(x) }, info: {} }),
      steps,
      key: key(0),
      environment: runtime.describe(),
      checkpoint: { store, config: {}, allowInexact },
    });
    for await (const { step } of turns) expect(step).toBeLessThanOrEqual(steps);
  }

  it('of a run with one printer is refused by another, unless inexact results are allowed', async () => {
    const store = memoryStore();
    await run(jsRuntime({ printer: 'javascript' }), store, 2);
    await expect(run(jsRuntime({ printer: 'interpreter' }), store, 3)).rejects.toThrow(
      /printer: saved "javascript", now "interpreter".*allow-inexact/,
    );
    await run(jsRuntime({ printer: 'javascript' }), store, 3);
    await run(jsRuntime({ printer: 'interpreter' }), store, 4, true);
  });

  it('of the automatic choice is refused where the choice is between others', async () => {
    const store = memoryStore();
    await run(jsRuntime(), store, 2);
    forbidJavascript();
    await expect(run(jsRuntime(), store, 3)).rejects.toThrow(/printers: saved "wasm, javascript", now "wasm"/);
  });
});

describe('Node with code generation forbidden', () => {
  const root = fileURLToPath(new URL('../../..', import.meta.url));
  const folder = join(root, 'packages/compiler');

  beforeAll(() => {
    // Child processes run what users run; an up-to-date build takes about a second.
    const build = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b', folder], { encoding: 'utf8' });
    if (!existsSync(join(folder, 'dist/index.js'))) throw new Error(`no build: ${build.stdout}`);
  }, 180_000);

  const script = (before: string) => `
    ${before}
    const { jsRuntime } = await import('@bpc/compiler');
    const tf = await import('@tensorflow/tfjs-core');
    const printers = [];
    const runtime = jsRuntime({ onSource: (_source, _name, printer) => printers.push(printer) });
    const results = [];
    for (const length of [5, 500]) {
      const numbers = Float64Array.from({ length }, (_, i) => Math.sin(i));
      const density = await runtime.density((p, d) => tf.sum(tf.mul(d.w, tf.log(tf.add(1, tf.exp(p.z))))), { z: numbers }, { w: numbers.map((v) => v + 2) });
      const gradient = new Float64Array(length);
      results.push(density.evaluate(numbers, gradient), ...gradient);
    }
    let forbidden = false;
    try { new Function('return 0'); } catch { forbidden = true; }
    console.log(JSON.stringify({ printers, results, forbidden }));`;

  function child(flags: readonly string[], before = ''): { printers: Printer[]; results: number[]; forbidden: boolean } {
    const { stdout, stderr } = spawnSync(process.execPath, [...flags, '--input-type=module', '-e', script(before)], {
      cwd: folder,
      encoding: 'utf8',
    });
    const line = stdout.split('\n').find((each) => each.startsWith('{'));
    if (line === undefined) throw new Error(stderr);
    return JSON.parse(line);
  }

  it('computes the same numbers with WebAssembly, and without either with the interpreter', () => {
    const flag = '--disallow-code-generation-from-strings';
    const free = child([]);
    const strict = child([flag]);
    const strictest = child([flag], 'delete globalThis.WebAssembly;');
    expect(free).toMatchObject({ printers: ['javascript', 'wasm'], forbidden: false });
    expect(strict).toMatchObject({ printers: ['wasm', 'wasm'], forbidden: true });
    expect(strictest).toMatchObject({ printers: ['interpreter', 'interpreter'], forbidden: true });
    expect(free.results).toHaveLength(507);
    for (const { results } of [strict, strictest]) {
      free.results.forEach((want, i) => expect(Math.abs(results[i]! - want)).toBeLessThanOrEqual(1e-13 * Math.max(1, Math.abs(want))));
    }
    // Σ w log(1 + e^z), by hand.
    const z = Array.from({ length: 500 }, (_, i) => Math.sin(i));
    const value = z.reduce((sum, v) => sum + (v + 2) * Math.log1p(Math.exp(v)), 0);
    expect(Math.abs(free.results[6]! - value)).toBeLessThan(1e-12 * value);
  }, 60_000);
});
