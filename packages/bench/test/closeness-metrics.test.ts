import { generalisedLinearModel, laplaceKl } from '@bpc/baselines';
import { describe, expect, it } from 'vitest';
import { normalQuantile } from '../../samplers/src/diagnostics/normal-quantile.js';
import { columnDeviations, columnMeans, fitMoments, gaussianKl, type Moments } from '../src/bench-support/closeness/gaussian.js';
import { closenessOf, type Posterior, posteriorOf } from '../src/bench-support/closeness/metrics.js';
import { normalCdf } from '../src/bench-support/closeness/normal-cdf.js';
import { agreement, normalTotalVariation, type Predictive, totalVariation } from '../src/bench-support/closeness/predictive.js';

const moments = (mean: readonly number[], covariance: readonly number[]): Moments => ({
  mean: Float64Array.from(mean),
  covariance: Float64Array.from(covariance),
});

describe('KL of two normal distributions', () => {
  it('is the closed form of one dimension, both ways', () => {
    const [p, q] = [moments([0], [1]), moments([1], [4])];
    expect(gaussianKl(p, q)).toBeCloseTo(Math.log(2) + (1 + 1) / 8 - 0.5, 14);
    expect(gaussianKl(q, p)).toBeCloseTo(-Math.log(2) + (4 + 1) / 2 - 0.5, 14);
    expect(gaussianKl(p, p)).toBe(0);
  });

  it('adds over independent dimensions and does not see a linear map of both', () => {
    const [p, q] = [moments([0, 2], [1, 0, 0, 9]), moments([1, 1], [4, 0, 0, 0.25])];
    const parts = gaussianKl(moments([0], [1]), moments([1], [4])) + gaussianKl(moments([2], [9]), moments([1], [0.25]));
    expect(gaussianKl(p, q)).toBeCloseTo(parts, 12);
    // A = [[1, 2], [0, 1]]: A Σ Aᵀ of a diagonal Σ.
    const mapped = ({ mean: [a = 0, b = 0], covariance: [s = 0, , , t = 0] }: Moments) =>
      moments([a + 2 * b, b], [s + 4 * t, 2 * t, 2 * t, t]);
    expect(gaussianKl(mapped(p), mapped(q))).toBeCloseTo(parts, 12);
  });

  it('agrees with the KL of Laplace approximations, which is computed from precisions', () => {
    const x = { data: Float64Array.of(1, -2, 1, -1, 1, 1, 1, 2), shape: [4, 2] } as const;
    const model = generalisedLinearModel({ family: 'logistic', x, y: [0, 0, 1, 1], priorPrecision: 1 });
    const [one, all] = [model.laplace({ indices: Int32Array.of(0, 3), weights: Float64Array.of(1, 2) }), model.laplace()];
    const of = (fit: typeof one) => ({ mean: fit.mode, covariance: fit.covariance() });
    expect(gaussianKl(of(one), of(all))).toBeCloseTo(laplaceKl(one, all), 10);
    expect(gaussianKl(of(all), of(one))).toBeCloseTo(laplaceKl(all, one), 10);
  });

  it('is no number where draws stand still', () => {
    const still = fitMoments(Float64Array.of(1, 2, 1, 2, 1, 2), 2);
    expect(gaussianKl(still, moments([1, 2], [1, 0, 0, 1]))).toBeNaN();
  });

  it('is of moments with divisor n − 1', () => {
    const { mean, covariance } = fitMoments(Float64Array.of(0, 0, 2, 4, 4, 2), 2);
    expect([...mean]).toEqual([2, 2]);
    // Deviations (−2, −2), (0, 2), (2, 0).
    expect([...covariance].map((value) => Number(value.toFixed(12)))).toEqual([4, 2, 2, 4]);
    expect([...columnDeviations(Float64Array.of(0, 0, 2, 4, 4, 2), mean)]).toEqual([2, 2]);
    for (const fit of [fitMoments, columnMeans]) expect(() => fit(Float64Array.of(1, 2), 2)).toThrow(/two or more rows/);
  });
});

describe('total variation', () => {
  it('of normal distributions rests on Φ', () => {
    expect(normalCdf(0)).toBe(0.5);
    for (const p of [1e-12, 1e-6, 0.001, 0.2, 0.4999, 0.7, 0.999, 1 - 1e-9]) {
      expect(Math.abs(normalCdf(normalQuantile(p)) / p - 1)).toBeLessThan(1e-10);
    }
    expect([normalCdf(-50), normalCdf(50), normalCdf(Number.NaN)]).toEqual([0, 1, Number.NaN]);
  });

  it('of normal distributions of equal variance is 2Φ(δ/2σ) − 1', () => {
    // Φ(1) = 0.841344746068543.
    expect(normalTotalVariation(0, 4, 4, 4)).toBeCloseTo(2 * 0.841344746068543 - 1, 12);
    expect(normalTotalVariation(3, 2, 3, 2)).toBe(0);
  });

  it.each([
    [0, 1, 0, 4],
    [0, 1, 3, 0.25],
    [-1, 0.01, 2, 100],
    [0, 1, 0.3, 1.000001],
    [5, 2, 5.1, 1.9],
  ])('of N(%d, %d) and N(%d, %d) is half the integral of the difference, either way round', (m1, v1, m2, v2) => {
    const density = (x: number, m: number, v: number) => Math.exp(-((x - m) ** 2) / (2 * v)) / Math.sqrt(2 * Math.PI * v);
    const reach = 12 * Math.sqrt(Math.max(v1, v2));
    const [from, to, steps] = [Math.min(m1, m2) - reach, Math.max(m1, m2) + reach, 400_000];
    let integral = 0;
    for (let i = 0; i < steps; i++) {
      const x = from + ((i + 0.5) * (to - from)) / steps;
      integral += Math.abs(density(x, m1, v1) - density(x, m2, v2)) * ((to - from) / steps);
    }
    expect(normalTotalVariation(m1, v1, m2, v2)).toBeCloseTo(integral / 2, 7);
    expect(normalTotalVariation(m2, v2, m1, v1)).toBeCloseTo(integral / 2, 7);
  });

  const classes = (...probabilities: number[]): Predictive => ({ kind: 'classes', classes: 3, probabilities });
  const [p, q] = [classes(0.5, 0.5, 0, 0.2, 0.3, 0.5), classes(0.1, 0.6, 0.3, 0.2, 0.3, 0.5)];

  it('of classes is half the absolute difference, averaged over inputs', () => {
    expect(totalVariation(p, q)).toBeCloseTo((0.4 + 0.1 + 0.3) / 2 / 2, 14);
    expect(totalVariation(classes(1, 0, 0), classes(0, 0, 1))).toBe(1);
  });

  it('and agreement refuse predictives of other inputs or kinds', () => {
    const line: Predictive = { kind: 'normal', mean: [0, 1], variance: [1, 1] };
    for (const compare of [totalVariation, agreement]) {
      expect(() => compare(p, classes(1, 0, 0))).toThrow(/same inputs and kind/);
      expect(() => compare(p, line)).toThrow(/same inputs and kind/);
      expect(() => compare(line, p)).toThrow(/same inputs and kind/);
    }
  });

  it('leaves to agreement how often the most probable class is the same', () => {
    // The first input: class 0 (the first of a tie) and class 1; the second: class 2 twice.
    expect(agreement(p, q)).toBe(0.5);
    expect(agreement(p, p)).toBe(1);
  });

  it('leaves to agreement how many pairs a regression puts in the same order', () => {
    const means = (...mean: number[]): Predictive => ({ kind: 'normal', mean, variance: mean.map(() => 1) });
    expect(agreement(means(1, 2, 3), means(10, 20, 30))).toBe(1);
    expect(agreement(means(1, 2, 3), means(3, 2, 1))).toBe(0);
    // Pairs (1, 2) and (1, 3) alike, (2, 3) not.
    expect(agreement(means(1, 2, 3), means(0, 5, 4))).toBeCloseTo(2 / 3, 14);
    expect(agreement(means(1, 2, 3), means(7, 7, 7))).toBe(0.5);
  });
});

describe('closeness of two posteriors', () => {
  const predictive: Predictive = { kind: 'normal', mean: [0, 1], variance: [1, 1] };
  const truth = posteriorOf(moments([1, 2], [4, 0, 0, 0.25]), predictive);

  it('has errors in units of the true standard deviations, root mean square over parameters', () => {
    const other = posteriorOf(moments([3, 2], [9, 0, 0, 0.25]), predictive);
    const metrics = closenessOf(other, truth);
    expect(metrics.meanError).toBeCloseTo(Math.sqrt((1 + 0) / 2), 14);
    expect(metrics.sdError).toBeCloseTo(Math.sqrt((0.25 + 0) / 2), 14);
    expect(metrics.klFromTruth).toBeCloseTo(gaussianKl(moments([1], [4]), moments([3], [9])), 12);
    expect(metrics.klToTruth).toBeCloseTo(gaussianKl(moments([3], [9]), moments([1], [4])), 12);
    // Units are those of the truth: the other way round the mean is off by 2/3.
    expect(closenessOf(truth, other).meanError).toBeCloseTo(Math.sqrt(4 / 9 / 2), 14);
  });

  it('is nothing for a posterior and itself, and has no KL without covariances', () => {
    expect(closenessOf(truth, truth)).toEqual({ meanError: 0, sdError: 0, agreement: 1, totalVariation: 0, klFromTruth: 0, klToTruth: 0 });
    const { covariance: _, ...network }: Posterior = truth;
    expect(closenessOf(network, network)).toEqual({ meanError: 0, sdError: 0, agreement: 1, totalVariation: 0 });
  });
});
