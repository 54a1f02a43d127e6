import { jsRuntime } from '@bpc/compiler';
import { cholesky, choleskyFactor, grad, logDet, ShapeError, solveLower, solveLowerTransposed, triangularSolve } from '@bpc/core';
import { gradientCheck } from '@bpc/core/testing';
import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { testBackend } from './support/backend.js';

beforeAll(async () => {
  await tf.setBackend(testBackend);
});

/** Reproducible numbers in (−1, 1). */
const noise = (size: number, seed = 1) =>
  Float64Array.from({ length: size }, (_, i) => Math.sin(1.7 * seed * i + 0.3 * i * i + 0.5 * seed));
/** M Mᵀ + n I, whose factor is not known beforehand. */
function spd(n: number, seed = 1): Float64Array {
  const m = noise(n * n, seed);
  return Float64Array.from({ length: n * n }, (_, e) => {
    const [i, j] = [Math.floor(e / n), e % n];
    let sum = i === j ? n : 0;
    for (let k = 0; k < n; k++) sum += (m[i * n + k] ?? 0) * (m[j * n + k] ?? 0);
    return sum;
  });
}
const at = (x: ArrayLike<number>, i: number): number => x[i] ?? Number.NaN;
/** Largest |found − expected| relative to the largest expected. */
const deviation = (found: ArrayLike<number>, expected: ArrayLike<number>) => {
  expect(found.length).toBe(expected.length);
  const scale = Math.max(...Array.from(expected, Math.abs), 1e-300);
  return Math.max(...Array.from(expected, (want, i) => Math.abs(at(found, i) - want))) / scale;
};
/** The factor by Gaussian elimination from the other corner of the formulas: A = (unit L) D (unit L)ᵀ, column by column. */
function eliminated(matrix: Float64Array, n: number): Float64Array {
  const a = matrix.slice();
  const l = new Float64Array(n * n);
  for (let k = 0; k < n; k++) {
    const pivot = at(a, k * n + k);
    for (let i = k; i < n; i++) l[i * n + k] = at(a, i * n + k) / Math.sqrt(pivot);
    for (let i = k + 1; i < n; i++)
      for (let j = k + 1; j < n; j++) a[i * n + j] = at(a, i * n + j) - (at(a, i * n + k) * at(a, k * n + j)) / pivot;
  }
  return l;
}

const SIZES = [1, 2, 3, 5, 10, 23, 50] as const;

describe('choleskyFactor, in float64 on the host', () => {
  it.each(SIZES)('is the factor of Gaussian elimination, and reconstructs A (n = %i)', (n) => {
    const a = spd(n);
    const l = a.slice();
    expect(choleskyFactor(l, n)).toBe(true);
    expect(deviation(l, eliminated(a, n))).toBeLessThan(1e-14);
    const product = a.map((_, e) => {
      let sum = 0;
      for (let k = 0; k < n; k++) sum += at(l, Math.floor(e / n) * n + k) * at(l, (e % n) * n + k);
      return sum;
    });
    expect(deviation(product, a)).toBeLessThan(1e-15);
  });

  it('is exact for Pascal matrices, whose factor is the triangle of binomial coefficients', () => {
    const n = 12;
    const binomial = (m: number, k: number): number => (k === 0 ? 1 : (binomial(m, k - 1) * (m - k + 1)) / k);
    const pascal = Float64Array.from({ length: n * n }, (_, e) => binomial(Math.floor(e / n) + (e % n), e % n));
    expect(choleskyFactor(pascal, n)).toBe(true);
    pascal.forEach((value, e) => expect(value).toBe(e % n <= Math.floor(e / n) ? binomial(Math.floor(e / n), e % n) : 0));
  });

  it('reads the lower triangle only, factors at an offset, and leaves the rest alone', () => {
    const a = Float64Array.of(9, 4, Number.NaN, 2, 5, 9);
    expect(choleskyFactor(a, 2, 1)).toBe(true);
    expect([...a]).toEqual([9, 2, 0, 1, 2, 9]);
  });

  it.each([
    ['indefinite', [1, 2, 2, 1]],
    ['singular', [1, 1, 1, 1]],
    ['not a number', [Number.NaN, 0, 0, 1]],
    ['zero', [0, 0, 0, 0]],
    ['negative', [-1, 0, 0, 1]],
  ])('says false and leaves NaN below zeros (%s)', (_, values) => {
    const a = Float64Array.from(values);
    expect(choleskyFactor(a, 2)).toBe(false);
    expect([...a]).toEqual([Number.NaN, 0, Number.NaN, Number.NaN]);
  });
});

describe('triangular systems, in float64 on the host', () => {
  it.each([
    [1, 1],
    [2, 1],
    [5, 3],
    [30, 1],
    [30, 7],
  ])('are solved for [%i, %i]', (n, m) => {
    const l = eliminated(spd(n, 2), n);
    const x = noise(n * m, 3);
    const product = (transpose: boolean) =>
      x.map((_, e) => {
        let sum = 0;
        for (let k = 0; k < n; k++) {
          const i = Math.floor(e / m);
          sum += at(l, transpose ? k * n + i : i * n + k) * at(x, k * m + (e % m));
        }
        return sum;
      });
    // Above the diagonal nothing is read.
    const poisoned = l.map((value, e) => (e % n > Math.floor(e / n) ? Number.NaN : value));
    const [b, c] = [product(false), product(true)];
    solveLower(poisoned, n, b, m);
    solveLowerTransposed(poisoned, n, c, m);
    expect(deviation(b, x)).toBeLessThan(1e-13);
    expect(deviation(c, x)).toBeLessThan(1e-13);
  });
});

describe(`cholesky, triangularSolve and logDet, eagerly on ${testBackend}`, () => {
  const matrix = (values: ArrayLike<number>, n: number) => tf.tensor2d(Float32Array.from(values), [n, n]);

  it('are the closed forms, of batches too', () => {
    const a = tf.tensor([4, 2, 2, 5, 9, 3, 3, 17], [2, 2, 2]);
    expect(Array.from(cholesky(a).dataSync())).toEqual([2, 0, 1, 2, 3, 0, 1, 4]);
    expect(deviation(logDet(a).dataSync(), [Math.log(16), Math.log(144)])).toBeLessThan(1e-6);
    const l = cholesky(a);
    expect(Array.from(triangularSolve(l, tf.tensor([2, 5, 6, 6], [2, 2])).dataSync())).toEqual([1, 2, 2, 1]);
    expect(Array.from(triangularSolve(l, tf.tensor([4, 4, 7, 8], [2, 2]), { transpose: true }).dataSync())).toEqual([
      1, 2, 1.6666666269302368, 2,
    ]);
    expect(triangularSolve(l, tf.ones([2, 2, 3])).shape).toEqual([2, 2, 3]);
  });

  it.each(SIZES)('reconstruct A and solve with it to float32 accuracy (n = %i)', (n) => {
    const a = matrix(spd(n), n);
    const l = cholesky(a);
    expect(deviation(tf.matMul(l, l, false, true).dataSync(), a.dataSync())).toBeLessThan(1e-6);
    const b = tf.tensor2d(Float32Array.from(noise(n * 3)), [n, 3]);
    const x = triangularSolve(l, triangularSolve(l, b), { transpose: true });
    expect(deviation(tf.matMul(a, x).dataSync(), b.dataSync())).toBeLessThan(3e-6);
  });

  it('take the symmetric part of A', () => {
    expect(Array.from(cholesky(matrix([4, 3, 1, 5], 2)).dataSync())).toEqual([2, 0, 1, 2]);
  });

  it('are NaN, and throw nothing, where A is not positive definite', () => {
    const a = matrix([1, 2, 2, 1], 2);
    expect(Array.from(cholesky(a).dataSync())).toEqual([Number.NaN, 0, Number.NaN, Number.NaN]);
    expect(Array.from(logDet(a).dataSync())).toEqual([Number.NaN]);
  });

  it('leak nothing, with gradients either', () => {
    const a = matrix(spd(4), 4);
    const before = tf.memory().numTensors;
    tf.dispose([cholesky(a), logDet(a), triangularSolve(a, a)]);
    const b = tf.ones([4]);
    tf.dispose([triangularSolve(a, b), b]);
    tf.dispose(grad((x: Tensor) => logDet(x))(a));
    expect(tf.memory().numTensors).toBe(before);
  });

  it('have gradients: of logDet, the inverse', () => {
    const gradient = grad((x: Tensor) => logDet(x))(matrix([4, 2, 2, 5], 2));
    expect(deviation(gradient.dataSync(), [5 / 16, -2 / 16, -2 / 16, 4 / 16])).toBeLessThan(1e-6);
  });

  it('refuse what are no matrices, and systems that do not fit', () => {
    const square = tf.ones([3, 3]);
    expect(() => cholesky(tf.ones([3]))).toThrow(ShapeError);
    expect(() => cholesky(tf.ones([2, 3]))).toThrow('[2,3], expected [..., n, n]');
    expect(() => logDet(tf.ones([3, 3], 'int32'))).toThrow('logDet got a of dtype int32');
    expect(() => triangularSolve(tf.ones([3, 2]), square)).toThrow(ShapeError);
    expect(() => triangularSolve(square, tf.ones([2]))).toThrow('l of shape [3,3] and b of shape [2]');
    expect(() => triangularSolve(square, tf.ones([2, 3, 3]))).toThrow(ShapeError);
    expect(() => triangularSolve(tf.ones([2, 3, 3]), square)).toThrow(ShapeError);
    expect(() => triangularSolve(square, tf.ones([3], 'int32'))).toThrow(ShapeError);
  });
});

describe('gradients agree with differences to second order, in float64', () => {
  const runtime = jsRuntime();
  /** Distinct weights: a plain sum hides wrong gradients of elements. */
  const weigh = (x: Tensor): Tensor => {
    const weights = tf.tensor(Float32Array.from(noise(x.size, 0.7)), x.shape);
    return tf.sum(tf.mul(x, tf.add(weights, tf.mul(0.3, x))));
  };
  const shaped = (data: Float64Array, ...shape: number[]) => ({ data, shape });
  /** Not symmetric: only the symmetric part counts, and the gradient must say so. */
  const askew = (n: number) => spd(n).map((value, e) => value + 0.3 * at(noise(n * n, 5), e));

  it.each([1, 2, 3, 6])('cholesky of a matrix (n = %i)', (n) =>
    gradientCheck((a: Tensor) => weigh(cholesky(a)), shaped(askew(n), n, n), { runtime }),
  );
  it.each([1, 3, 6])('logDet (n = %i)', (n) => gradientCheck((a: Tensor) => tf.square(logDet(a)), shaped(askew(n), n, n), { runtime }));
  it.each([
    [1, 1, false],
    [3, 2, false],
    [3, 2, true],
    [6, 6, true],
    [7, 1, false],
  ] as const)('triangularSolve (n = %i, m = %i, transpose %s)', (n, m, transpose) =>
    gradientCheck(
      ({ l, b }: { l: Tensor; b: Tensor }) => weigh(triangularSolve(l, b, { transpose })),
      { l: shaped(spd(n), n, n), b: shaped(noise(n * m, 3), n, m) },
      { runtime },
    ),
  );
  it('of batches and of vectors', () =>
    gradientCheck(
      ({ a, b }: { a: Tensor; b: Tensor }) => tf.add(weigh(triangularSolve(cholesky(a), b)), tf.sum(logDet(a))),
      { a: shaped(Float64Array.of(...askew(3), ...spd(3, 4)), 2, 3, 3), b: shaped(noise(6), 2, 3) },
      { runtime },
    ));
});
