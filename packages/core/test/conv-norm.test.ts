import '@tensorflow/tfjs-backend-cpu';
import {
  avgPool,
  convInstanceNorm,
  convInstanceNormPool,
  convolveImages,
  grad,
  hessianVector,
  instanceNorm,
  key,
  maxPool,
  normal,
} from '@bpc/core';
import { add, fill, mul, ones, relu, setBackend, sin, square, sum, type Tensor, tensor4d } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';

type Params = { readonly x: Tensor; readonly kernel: Tensor; readonly gamma: Tensor; readonly beta: Tensor };

beforeAll(() => setBackend('cpu'));

function random(seed: number, [h, w, channels]: readonly [number, number, number], width: number): Params {
  return {
    x: normal(key(seed), [2, h, w, channels]),
    kernel: normal(key(seed + 1), [3, 3, channels, width]),
    gamma: add(ones([width]), mul(0.3, normal(key(seed + 2), [width]))),
    beta: normal(key(seed + 3), [width]),
  };
}

function distance(a: Tensor, b: Tensor): number {
  const [x, y] = [a.dataSync(), b.dataSync()];
  expect(a.shape).toEqual(b.shape);
  let difference = 0;
  let scale = 0;
  for (const [i, value] of x.entries()) {
    difference = Math.max(difference, Math.abs(value - (y[i] ?? NaN)));
    scale = Math.max(scale, Math.abs(y[i] ?? NaN));
  }
  return difference / scale;
}

const direct = ({ x, kernel, gamma, beta }: Params, padding: number, stride = 1) =>
  instanceNorm(convolveImages(x, kernel, stride, padding), gamma, beta);

/** Differs from pixel to pixel, so that no error cancels. */
const scalar = (y: Tensor) => sum(sin(mul(1.3, y)));

const CASES = [
  { name: 'one channel, padding 3', size: [8, 8, 1], width: 20, padding: 3 },
  { name: 'three channels', size: [6, 10, 3], width: 56, padding: 1 },
  { name: 'three channels, odd sizes', size: [5, 7, 3], width: 54, padding: 1 },
  { name: 'three channels, no padding', size: [6, 6, 3], width: 54, padding: 0 },
  { name: 'too few filters to gain', size: [6, 6, 3], width: 8, padding: 1 },
  { name: 'channels of no use', size: [6, 6, 2], width: 40, padding: 1 },
] as const;

describe('instance norm of a convolution', () => {
  it.each(CASES)('is the norm of the convolution: $name', ({ size, width, padding }) => {
    const params = random(1, size, width);
    const { x, kernel, gamma, beta } = params;
    expect(distance(convInstanceNorm(x, kernel, gamma, beta, { padding }), direct(params, padding))).toBeLessThan(5e-6);
  });

  it.each(CASES)('has the same gradients and Hessian-vector products: $name', ({ size, width, padding }) => {
    const params = random(2, size, width);
    const ours = (p: Params) => scalar(convInstanceNorm(p.x, p.kernel, p.gamma, p.beta, { padding }));
    const theirs = (p: Params) => scalar(direct(p, padding));
    const [a, b] = [grad(ours)(params), grad(theirs)(params)];
    const direction = random(9, size, width);
    const [c, d] = [hessianVector(ours)(params, direction), hessianVector(theirs)(params, direction)];
    for (const name of ['x', 'kernel', 'gamma', 'beta'] as const) {
      expect(distance(a[name], b[name]), name).toBeLessThan(2e-5);
      expect(distance(c[name], d[name]), `${name}, second order`).toBeLessThan(1e-4);
    }
  });

  it('strides', () => {
    const params = random(3, [8, 8, 3], 60);
    const { x, kernel, gamma, beta } = params;
    const y = convInstanceNorm(x, kernel, gamma, beta, { stride: 2, padding: 1 });
    expect(distance(y, direct(params, 1, 2))).toBeLessThan(1e-6);
  });

  it('loses no digits where filters see only the edges of smooth images', () => {
    const pixels = Float32Array.from({ length: 32 * 32 * 3 }, (_, i) => {
      const [row, column, channel] = [Math.floor(i / 96), Math.floor(i / 3) % 32, i % 3];
      return 3 + Math.sin(row / 9 + 0.2 * channel) * Math.cos(column / 11);
    });
    const params = { ...random(4, [32, 32, 3], 64), x: tensor4d(pixels, [1, 32, 32, 3]) };
    // Second differences along a row, of every filter a different multiple.
    const values = Float32Array.from({ length: 27 * 64 }, (_, i) => {
      const [column, channel] = [Math.floor(i / 192) % 3, Math.floor(i / 64) % 3];
      return (column === 1 ? -2 : 1) * (channel - 1) * (1 + 0.01 * (i % 64));
    });
    const kernel = tensor4d(values, [3, 3, 3, 64]);
    const y = convInstanceNorm(params.x, kernel, params.gamma, params.beta, { epsilon: 1e-12 });
    // In float64: the definition.
    const exact = definition(pixels, values, params.gamma.dataSync(), params.beta.dataSync());
    const found = y.dataSync();
    const error = Math.max(...exact.map((value, i) => Math.abs(value - (found[i] ?? NaN))));
    const naive = instanceNorm(convolveImages(params.x, kernel, 1, 0), params.gamma, params.beta, 1e-12).dataSync();
    const naiveError = Math.max(...exact.map((value, i) => Math.abs(value - (naive[i] ?? NaN))));
    expect(error).toBeLessThanOrEqual(naiveError);
  });

  it('is beta where an image is constant, with finite gradients', () => {
    const params = { ...random(5, [6, 6, 3], 60), x: fill([2, 6, 6, 3], 100) };
    const y = convInstanceNorm(params.x, params.kernel, params.gamma, params.beta, { padding: 0 });
    const beta = params.beta.dataSync();
    for (const [i, value] of y.dataSync().entries()) expect(Math.abs(value - (beta[i % 60] ?? NaN))).toBeLessThan(1e-3);
    const gradient = grad((p: Params) => sum(square(convInstanceNorm(p.x, p.kernel, p.gamma, p.beta))))(params);
    for (const leaf of Object.values(gradient)) for (const value of leaf.dataSync()) expect(Number.isFinite(value)).toBe(true);
  });
});

describe('a block of convolution, norm, rectifier and pooling', () => {
  const SIZES = [
    { name: 'even', size: [8, 6, 3], padding: 1 },
    { name: 'odd', size: [7, 6, 3], padding: 1 },
    { name: 'one channel', size: [6, 6, 1], padding: 3 },
  ] as const;
  const cases = SIZES.flatMap((each) => (['avg', 'max'] as const).map((pool) => ({ ...each, pool })));

  it.each(cases)('is what its parts are, with the same gradients: $name, $pool', ({ size, padding, pool }) => {
    const params = random(6, size, 60);
    const whole = (p: Params) => convInstanceNormPool(p.x, p.kernel, p.gamma, p.beta, { padding, pool });
    const parts = (p: Params) => (pool === 'avg' ? avgPool : maxPool)(relu(direct(p, padding)));
    expect(distance(whole(params), parts(params))).toBeLessThan(5e-6);
    const [a, b] = [grad((p: Params) => scalar(whole(p)))(params), grad((p: Params) => scalar(parts(p)))(params)];
    for (const name of ['x', 'kernel', 'gamma', 'beta'] as const) expect(distance(a[name], b[name]), name).toBeLessThan(2e-5);
  });
});

/** Instance norm of a 3×3 convolution of one 32×32×3 image with 64 filters, no padding, in float64. */
function definition(x: ArrayLike<number>, kernel: ArrayLike<number>, gamma: ArrayLike<number>, beta: ArrayLike<number>): number[] {
  const at = (values: ArrayLike<number>, i: number) => values[i] ?? NaN;
  const result = Array<number>(30 * 30 * 64).fill(0);
  for (let k = 0; k < 64; k++) {
    const y = Array.from({ length: 900 }, (_, pixel) => {
      let total = 0;
      for (let tap = 0; tap < 27; tap++) {
        const [i, j, c] = [Math.floor(tap / 9), Math.floor(tap / 3) % 3, tap % 3];
        total += at(x, ((Math.floor(pixel / 30) + i) * 32 + (pixel % 30) + j) * 3 + c) * at(kernel, tap * 64 + k);
      }
      return total;
    });
    const mean = y.reduce((a, b) => a + b, 0) / 900;
    const variance = y.reduce((a, b) => a + (b - mean) ** 2, 0) / 900;
    for (const [pixel, value] of y.entries())
      result[pixel * 64 + k] = ((value - mean) / Math.sqrt(variance + 1e-12)) * at(gamma, k) + at(beta, k);
  }
  return result;
}
