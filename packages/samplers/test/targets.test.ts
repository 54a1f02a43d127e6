import './support/backend.js';
import { jsRuntime } from '@bpc/compiler';
import { ConfigError, key, ShapeError } from '@bpc/core';
import {
  bananaTarget,
  funnelTarget,
  gaussianTarget,
  type KnownTarget,
  mixtureTarget,
  skewedTarget,
  unconstrainedDensity,
  unconstrainedLike,
} from '@bpc/samplers';
import { expectStationary } from '@bpc/samplers/testing';
import { describe, expect, it } from 'vitest';

const covariance = [
  [2, -0.7, 0.3],
  [-0.7, 1, 0.2],
  [0.3, 0.2, 0.5],
] as const;

const targets: readonly (readonly [string, KnownTarget])[] = [
  ['a Gaussian with a covariance', gaussianTarget({ mean: [1, -2, 0.5], covariance })],
  [
    'a Gaussian with a precision',
    gaussianTarget({
      mean: [0, 1],
      precision: [
        [2, 0.5],
        [0.5, 1],
      ],
    }),
  ],
  ['a Gaussian with variances', gaussianTarget({ mean: [3, -1], covariance: [0.25, 4] })],
  ['the logarithm of an exponential variable', skewedTarget()],
  ['logarithms of gamma variables', skewedTarget({ shape: 4, size: 2 })],
  // A narrower one than Neal's: variances of order exp 4.5 need more draws than there are.
  ['a funnel', funnelTarget({ size: 4, scale: 0.8 })],
  ['a banana', bananaTarget()],
  [
    'a mixture',
    mixtureTarget({
      means: [
        [-2, 0],
        [1, 1],
        [3, -2],
      ],
      scales: [0.5, 1, 2],
      weights: [1, 3, 2],
    }),
  ],
];

const COUNT = 40_000;
const columns = (values: Float64Array, size: number) =>
  Array.from({ length: size }, (_, i) => Float64Array.from({ length: values.length / size }, (__, n) => values[n * size + i]!));

describe.each(targets)('%s', (name, law) => {
  const size = law.moments.mean.length;
  const values = law.draw(key(11), COUNT);

  it('draws with the mean and the variance that it says', () => {
    columns(values, size).forEach((chain, i) => {
      expectStationary({ name: `${name}[${i}]`, chains: [chain], mean: law.moments.mean[i]!, variance: law.moments.variance[i]! });
    });
  });

  it('draws from its log density: Stein’s identity E[x_j ∂_i log p] = −[i = j], and E[∂_i log p] = 0', async () => {
    const runtime = jsRuntime();
    const density = await runtime.density(unconstrainedDensity(law), unconstrainedLike(law.parameters));
    const gradient = new Float64Array(size);
    const count = 20_000;
    const products = Array.from({ length: size * (size + 1) }, () => new Float64Array(count));
    for (let n = 0; n < count; n++) {
      density.evaluate(values.subarray(n * size, (n + 1) * size), gradient);
      for (let i = 0; i < size; i++) {
        products[i * (size + 1)]![n] = gradient[i]!;
        for (let j = 0; j < size; j++) products[i * (size + 1) + j + 1]![n] = gradient[i]! * (values[n * size + j]! - law.moments.mean[j]!);
      }
    }
    products.forEach((chain, k) => {
      const [i, j] = [Math.floor(k / (size + 1)), (k % (size + 1)) - 1];
      const mean = chain.reduce((a, b) => a + b, 0) / count;
      const sd = Math.sqrt(chain.reduce((a, b) => a + (b - mean) ** 2, 0) / count);
      const expected = i === j ? -1 : 0;
      expect(Math.abs(mean - expected), `∂${i}, x${j}: ${mean}, expected ${expected}`).toBeLessThan((4.5 * sd) / Math.sqrt(count) + 1e-12);
    });
    await runtime.dispose();
  });

  it('draws the same from the same key, and something else from another', () => {
    expect([...law.draw(key(11), COUNT)]).toEqual([...values]);
    expect([...law.draw(key(12), 5)]).not.toEqual([...law.draw(key(11), 5)]);
  });
});

it('the moments of log-gamma variables are the digamma and trigamma functions', () => {
  // ψ(4) and ψ′(4), from tables.
  expect(skewedTarget({ shape: 4 }).moments.mean[0]).toBeCloseTo(1.2561176684318005, 13);
  expect(skewedTarget({ shape: 4 }).moments.variance[0]).toBeCloseTo(0.2838229557371153, 13);
});

describe('bad options', () => {
  it.each([
    [() => gaussianTarget({ mean: [] }), ShapeError, /mean has 0 numbers/],
    [() => gaussianTarget({ mean: [0] }), ConfigError, /either covariance or precision/],
    [() => gaussianTarget({ mean: [0], covariance: [1], precision: [1] }), ConfigError, /either/],
    [() => gaussianTarget({ mean: [0, 1], covariance: [1] }), ShapeError, /covariance has 1 rows, expected 2/],
    [
      () =>
        gaussianTarget({
          mean: [0, 1],
          covariance: [
            [1, 2, 3],
            [1, 2, 3],
          ],
        }),
      ShapeError,
      /covariance\[0\] has 3/,
    ],
    [
      () =>
        gaussianTarget({
          mean: [0, 1],
          covariance: [
            [1, 0.5],
            [0.4, 1],
          ],
        }),
      ConfigError,
      /symmetric/,
    ],
    [
      () =>
        gaussianTarget({
          mean: [0, 1],
          precision: [
            [1, 2],
            [2, 1],
          ],
        }),
      ConfigError,
      /precision is not positive definite/,
    ],
    [() => gaussianTarget({ mean: [Number.NaN], covariance: [1] }), ConfigError, /mean\[0\] is NaN/],
    [() => skewedTarget({ shape: 0.5 }), ConfigError, /shape is 0.5/],
    [() => skewedTarget({ size: 0 }), ConfigError, /size is 0/],
    [() => funnelTarget({ size: 1 }), ConfigError, /size is 1/],
    [() => funnelTarget({ scale: 0 }), ConfigError, /scale\[0\] is 0/],
    [() => bananaTarget({ curvature: Number.POSITIVE_INFINITY }), ConfigError, /curvature/],
    [() => mixtureTarget({ means: [] }), ConfigError, /means is empty/],
    [() => mixtureTarget({ means: [[1], [1, 2]] }), ShapeError, /means\[1\] has 2/],
    [() => mixtureTarget({ means: [[1], [2]], weights: [1, 0] }), ConfigError, /weights\[1\] is 0/],
    [() => mixtureTarget({ means: [[1], [2]], scales: [1] }), ShapeError, /scales has 1/],
  ])('%s is refused', (make, kind, message) => {
    expect(make).toThrow(kind);
    expect(make).toThrow(message);
  });
});
