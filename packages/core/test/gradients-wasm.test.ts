import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import { gatherRows, grad, gradDot, hostNormal, key } from '@bpc/core';
import { relativeDeviation } from '@bpc/core/testing';
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';

/** Runs `f` on both backends with equal inputs; WebAssembly lacks kernels for which the rules compose others. */
async function deviation(f: (...inputs: Tensor[]) => Tensor, shapes: readonly (readonly number[])[]): Promise<number> {
  const results: Float32Array[] = [];
  for (const backend of ['wasm', 'cpu']) {
    await tf.setBackend(backend);
    const inputs = shapes.map((shape, i) =>
      tf.tensor(
        hostNormal(
          key(i),
          shape.reduce((a, b) => a * b, 1),
        ),
        [...shape],
      ),
    );
    results.push(tf.tidy(() => f(...inputs)).dataSync() as Float32Array);
  }
  return relativeDeviation(results[0] as Float32Array, results[1] as Float32Array);
}

it.each([
  ['padding 1', 1, 1],
  ['no padding', 1, 'valid'],
  ['stride 2, same', 2, 'same'],
  ['stride 2 that leaves a row unused', 2, 'valid'],
  ['stride 3', 3, 1],
] as const)('WebAssembly, which has no filter-gradient kernel, agrees with cpu on convolutions: %s', async (_, stride, pad) => {
  const f = (x: Tensor, filter: Tensor) => tf.sum(tf.tanh(tf.conv2d(x as Tensor4D, filter as Tensor4D, stride, pad)));
  // Square filters: tfjs' WebAssembly kernel corrupts memory for others with explicit padding.
  const shapes = [
    [2, 6, 7, 2],
    [3, 3, 2, 3],
  ];
  expect(await deviation((x, filter) => grad((w: Tensor) => f(x as Tensor, w))(filter as Tensor), shapes)).toBeLessThan(1e-5);
  const second = (x: Tensor, filter: Tensor) => grad((w: Tensor) => gradDot((v: Tensor) => f(x, v))(w, filter))(filter);
  expect(await deviation((x, filter) => second(x as Tensor, filter as Tensor), shapes)).toBeLessThan(1e-4);
});

it('WebAssembly, which has no segment sum, agrees with cpu on the gradient of gathered rows', async () => {
  const f = (x: Tensor) => grad((p: Tensor) => tf.sum(tf.pow(gatherRows(p, tf.tensor1d([2, 0, 2], 'int32')), 3)))(x);
  expect(await deviation((x) => f(x as Tensor), [[3, 4]])).toBeLessThan(1e-5);
});
