import './support/backend.js';
import { onnxRuntime } from '@bpc/backend-onnx';
import { jsRuntime } from '@bpc/compiler';
import { type Algorithm, eagerRuntime, type Key, key, type Runtime, scan, type Tree, treeEntries } from '@bpc/core';
import { bananaTarget, hmc, mala, psgld, sghmc, sgld, ula, underdampedLangevin } from '@bpc/samplers';
import { type Tensor, tensor1d, tensor2d } from '@tensorflow/tfjs-core';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';

const runtimes: readonly (readonly [string, () => Runtime | Promise<Runtime>])[] = [
  ['JavaScript', () => jsRuntime()],
  ['WebAssembly', () => jsRuntime({ printer: 'wasm' })],
  ['interpreter', () => jsRuntime({ printer: 'interpreter' })],
  ['ONNX Runtime', () => onnxRuntime({ ort, threads: 1 })],
];

type Position = { readonly x: Tensor };
type Sampler = Algorithm<Position, Tree & { readonly position: Position }, Tree>;
const { logDensity } = bananaTarget();
const options = { logDensity: (params: Position) => logDensity(params, {}), stepSize: 0.1, temperature: 0.7 };
const samplers: readonly (readonly [string, Sampler])[] = [
  ['ula', ula(options)],
  ['sgld', sgld(options)],
  ['psgld', psgld({ ...options, floor: 0.1 })],
  ['psgld with its correction', psgld({ ...options, floor: 0.1, correction: 'exact' })],
  ['mala', mala({ ...options, inverseMass: { x: tensor1d([2, 1]) } })],
  ['hmc', hmc({ ...options, leapfrogSteps: 4 })],
  ['hmc of random length', hmc({ ...options, leapfrogSteps: [1, 4], stepSizeJitter: 0.2 })],
  ['sghmc', sghmc(options)],
  ['underdampedLangevin', underdampedLangevin(options)],
];

const numbers = (tree: Tree) => treeEntries(tree).flatMap(([path, leaf]) => Array.from(leaf.dataSync(), (value) => [path, value] as const));
const expectClose = (found: Tree, expected: Tree) => {
  const other = numbers(found);
  numbers(expected).forEach(([path, value], i) => {
    expect(other[i]![0]).toBe(path);
    expect(Math.abs(other[i]![1] - value), `${path}: ${other[i]![1]}, expected ${value}`).toBeLessThan(2e-4 * Math.max(1, Math.abs(value)));
  });
};

describe.each(runtimes)('compiled for %s', (_, makeRuntime) => {
  it.each(samplers)('a block of steps of %s gives what eager steps give, and their diagnostics', async (__, { init, step }) => {
    const block = (k: Key, start: ReturnType<typeof init>) => {
      const [state, info] = scan((each: typeof start, { key: own }) => step(own, each), start, undefined, { length: 5, key: k });
      return { state, info: info as Tree };
    };
    const start = init({ x: tensor1d([0.5, -0.2]) }, key(1));
    const [eager, runtime] = [eagerRuntime(), await makeRuntime()];
    const [expected, found] = [await eager.compile(block)(key(2), start), await runtime.compile(block)(key(2), start)];
    expectClose(found, expected);
    await runtime.dispose();
  });
});

it('a dense mass is factored in a compiled loop', async () => {
  const dense = (x: Tensor) => logDensity({ x }, {});
  const { init, step } = hmc({
    logDensity: dense,
    stepSize: 0.2,
    leapfrogSteps: 3,
    inverseMass: tensor2d([
      [1, 0.3],
      [0.3, 0.5],
    ]) as Tensor,
  });
  const block = (k: Key, start: ReturnType<typeof init>) =>
    scan((each: typeof start, { key: own }) => [step(own, each)[0]] as const, start, undefined, { length: 4, key: k })[0];
  const start = init(tensor1d([0.5, -0.2]) as Tensor, key(1));
  const runtime = jsRuntime();
  expectClose(await runtime.compile(block)(key(2), start), block(key(2), start));
  await runtime.dispose();
});
