import { ConfigError, ShapeError } from '@bpc/core';
import { denseMetric, diagonalMetric, nutsKernel, unitMetric } from '@bpc/samplers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const density = {
  size: 2,
  evaluate: (q: Float64Array, gradient: Float64Array) => {
    gradient.forEach((_, i) => {
      gradient[i] = -q[i]!;
    });
    return -0.5 * q.reduce((sum, x) => sum + x * x, 0);
  },
};

describe('metrics', () => {
  it('have a factor L with L Lᵀ the inverse mass', () => {
    expect(unitMetric(2).factor).toEqual(Float64Array.of(1, 1));
    expect(diagonalMetric([4, 0.25]).factor).toEqual(Float64Array.of(2, 0.5));
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: 36, maxLength: 36 }),
        (n, a) => {
          // A Aᵀ + I is positive definite.
          const entry = (i: number, j: number) => {
            let sum = i === j ? 1 : 0;
            for (let k = 0; k < n; k++) sum += a[i * n + k]! * a[j * n + k]!;
            return sum;
          };
          const matrix = Array.from({ length: n * n }, (_, k) => entry(Math.floor(k / n), k % n));
          const { factor } = denseMetric(matrix, n);
          for (let i = 0; i < n; i++) {
            for (let j = 0; j < n; j++) {
              let product = 0;
              for (let k = 0; k < n; k++) product += factor[i * n + k]! * factor[j * n + k]!;
              expect(product).toBeCloseTo(matrix[i * n + j]!, 10);
              if (j > i) expect(factor[i * n + j]).toBe(0);
            }
          }
        },
      ),
    );
  });

  it('copy what they are given', () => {
    const [variances, covariance] = [Float64Array.of(1, 2), Float64Array.of(2, 0, 0, 2)];
    const metrics = [diagonalMetric(variances), denseMetric(covariance, 2)];
    variances.fill(9);
    covariance.fill(9);
    expect(metrics.map(({ inverseMass }) => [...inverseMass])).toEqual([
      [1, 2],
      [2, 0, 0, 2],
    ]);
  });

  it.each([[[1, 0]], [[1, -1]], [[Number.NaN]], [[Number.POSITIVE_INFINITY]], [[]]])('refuse the variances %j', (variances) => {
    expect(() => diagonalMetric(variances)).toThrow(ConfigError);
  });

  it.each([
    ['is indefinite', [1, 2, 2, 1]],
    ['is singular', [1, 1, 1, 1]],
    ['has a negative variance', [-1, 0, 0, 1]],
    ['is not symmetric', [1, 0.5, 0.2, 1]],
    ['has a NaN', [1, Number.NaN, Number.NaN, 1]],
    ['is infinite', [Number.POSITIVE_INFINITY, 0, 0, 1]],
  ])('refuse a matrix that %s', (_, matrix) => {
    expect(() => denseMetric(matrix, 2)).toThrow(ConfigError);
  });

  it('refuse matrices of the wrong shape, also where they are used', () => {
    expect(() => denseMetric([1, 0, 0], 2)).toThrow(ShapeError);
    expect(() => denseMetric([1, 0, 0, 1], 3)).toThrow(ShapeError);
    expect(() => unitMetric(0)).toThrow(ConfigError);
    const kernel = nutsKernel({ density });
    const cut = { ...denseMetric([1, 0, 0, 1], 2), factor: new Float64Array(2) };
    for (const metric of [unitMetric(3), diagonalMetric([1]), denseMetric([1], 1), cut]) {
      expect(() => {
        kernel.metric = metric;
      }).toThrow(ShapeError);
    }
    expect(kernel.metric).toEqual(unitMetric(2));
  });
});
