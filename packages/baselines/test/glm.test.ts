import { type GeneralisedLinearModel, generalisedLinearModel, laplaceKl } from '@bpc/baselines';
import { ConfigError, foldIn, hostNormal, hostUniform, key, ShapeError } from '@bpc/core';
import { determinant, inverse, Matrix } from 'ml-matrix';
import { describe, expect, it } from 'vitest';

const count = 40;
const size = 3;
const inputs = Float64Array.from(hostNormal(key(1), count * size), (z, i) => (i % size === 0 ? 1 : z));
const x = { data: inputs, shape: [count, size] as const };
const truth = [0.3, -1, 0.7];
const eta = Array.from({ length: count }, (_, n) => truth.reduce((t, b, j) => t + b * inputs[n * size + j]!, 0));
const uniform = hostUniform(key(2), count);
const targets = {
  logistic: eta.map((t, n) => (uniform[n]! < 1 / (1 + Math.exp(-t)) ? 1 : 0)),
  gaussian: eta.map((t, n) => t + 0.5 * hostNormal(foldIn(key(3), n), 1)[0]!),
  poisson: eta.map((t, n) => Math.floor(uniform[n]! * 2 * Math.exp(t) + 0.5)),
};
const noiseVariance = 0.25;
const priorPrecision = 0.5;
const weights = Float64Array.from({ length: 10 }, (_, i) => 0.5 * i);
const subset = { indices: Int32Array.from({ length: 10 }, (_, i) => 3 * i), weights };

/** log posterior of a weighted subset by the formulas, not by the model. */
const logPosterior: Record<keyof typeof targets, (theta: readonly number[]) => number> = {
  logistic: (theta) => posterior(theta, (t, y) => Math.log(y === 1 ? 1 / (1 + Math.exp(-t)) : 1 / (1 + Math.exp(t))), targets.logistic),
  gaussian: (theta) => posterior(theta, (t, y) => -((y - t) ** 2) / (2 * noiseVariance), targets.gaussian),
  poisson: (theta) => posterior(theta, (t, y) => y * t - Math.exp(t), targets.poisson),
};
function posterior(theta: readonly number[], log: (eta: number, y: number) => number, y: readonly number[]): number {
  let total = (-priorPrecision / 2) * theta.reduce((t, b) => t + b * b, 0);
  subset.indices.forEach((n, i) => {
    const linear = theta.reduce((t, b, j) => t + b * inputs[n * size + j]!, 0);
    total += weights[i]! * log(linear, y[n]!);
  });
  return total;
}

const modelOf = (family: keyof typeof targets): GeneralisedLinearModel =>
  generalisedLinearModel({ family, x, y: targets[family], priorPrecision, noiseVariance });

describe.each(['logistic', 'gaussian', 'poisson'] as const)('a %s regression', (family) => {
  const model = modelOf(family);
  const fit = model.laplace(subset);
  const at = (changes: readonly (readonly [number, number])[]) => {
    const theta = Array.from(fit.mode);
    for (const [j, change] of changes) theta[j]! += change;
    return logPosterior[family](theta);
  };

  it('has its mode where the log posterior is flat, and the precision of its curvature', () => {
    const step = 1e-4;
    const precision = inverse(
      new Matrix(Array.from({ length: size }, (_, i) => Array.from(fit.covariance().slice(i * size, (i + 1) * size)))),
    );
    for (let j = 0; j < size; j++) {
      expect(Math.abs(at([[j, step]]) - at([[j, -step]])) / (2 * step)).toBeLessThan(1e-6);
      for (let k = 0; k < size; k++) {
        const mixed = [
          [1, 1],
          [-1, -1],
          [1, -1],
          [-1, 1],
        ].map(([a, b]) =>
          at([
            [j, a! * step],
            [k, b! * step],
          ]),
        );
        const second = (mixed[0]! + mixed[1]! - mixed[2]! - mixed[3]!) / (4 * step * step);
        expect(precision.get(j, k)).toBeCloseTo(-second, 4);
      }
    }
  });

  it('has log-likelihoods whose differences are those of the formula, at any points and draws', () => {
    const draws = fit.draw(key(5), 4);
    const rows = Int32Array.of(7, 0, 7, 39);
    const { data, shape } = model.logLikelihoods(draws, rows);
    expect(shape).toEqual([4, 4]);
    const whole = model.logLikelihoods(draws).data;
    rows.forEach((n, i) => {
      for (let s = 0; s < 4; s++) {
        expect(data[i * 4 + s]).toBe(whole[n * 4 + s]);
        const linear = Array.from({ length: size }, (_, j) => inputs[n * size + j]! * draws.data[s * size + j]!).reduce((a, b) => a + b, 0);
        const y = targets[family][n]!;
        const logFactorial = Array.from({ length: y }, (_, k) => Math.log(k + 1)).reduce((a, b) => a + b, 0);
        const expected = {
          logistic: -Math.log1p(Math.exp(y === 1 ? -linear : linear)),
          gaussian: -((y - linear) ** 2) / (2 * noiseVariance) - Math.log(2 * Math.PI * noiseVariance) / 2,
          poisson: y * linear - Math.exp(linear) - logFactorial,
        }[family];
        expect(data[i * 4 + s]).toBeCloseTo(expected, 9);
      }
    });
  });

  it('draws with the mean and covariance of the fit', () => {
    const draws = 20_000;
    const { data } = fit.draw(key(7), draws);
    const covariance = fit.covariance();
    for (let j = 0; j < size; j++) {
      for (let k = 0; k < size; k++) {
        let total = 0;
        for (let s = 0; s < draws; s++) total += (data[s * size + j]! - fit.mode[j]!) * (data[s * size + k]! - fit.mode[k]!);
        const spread = Math.sqrt((covariance[j * size + j]! * covariance[k * size + k]! + covariance[j * size + k]! ** 2) / draws);
        expect(Math.abs(total / draws - covariance[j * size + k]!)).toBeLessThan(5 * spread);
      }
    }
  });

  it('gives the prior without points, and weights of 1 the whole posterior', () => {
    const prior = model.laplace({ indices: new Int32Array(0), weights: new Float64Array(0) });
    expect(Array.from(prior.mode)).toEqual([0, 0, 0]);
    expect(prior.covariance()[0]).toBeCloseTo(1 / priorPrecision, 12);
    const all = { indices: Int32Array.from({ length: count }, (_, n) => n), weights: new Float64Array(count).fill(1) };
    expect(model.laplace(all).mode).toEqual(model.laplace().mode);
  });
});

describe('laplaceKl', () => {
  it('is the closed form, by determinants and inverses', () => {
    const [p, q] = [modelOf('logistic').laplace(subset), modelOf('logistic').laplace()];
    const matrixOf = (values: Float64Array) =>
      new Matrix(Array.from({ length: size }, (_, i) => Array.from(values.slice(i * size, (i + 1) * size))));
    const [sp, sq] = [matrixOf(p.covariance()), matrixOf(q.covariance())];
    const shift = Matrix.columnVector(Array.from(q.mode, (m, j) => m - p.mode[j]!));
    const quadratic = shift.transpose().mmul(inverse(sq)).mmul(shift).get(0, 0);
    const expected = (inverse(sq).mmul(sp).trace() + quadratic - size + Math.log(determinant(sq) / determinant(sp))) / 2;
    expect(laplaceKl(p, q)).toBeCloseTo(expected, 9);
    expect(laplaceKl(p, p)).toBeCloseTo(0, 12);
    expect(laplaceKl(q, p)).not.toBeCloseTo(expected, 3);
  });
});

describe('bad input', () => {
  const make = (changes: object) => () =>
    generalisedLinearModel({ family: 'logistic', x, y: targets.logistic, priorPrecision, ...changes });
  it('is refused with the argument, what was found, and a remedy', () => {
    expect(make({ y: targets.logistic.map((y) => y + 1) })).toThrow(/y\[\d+\] is 2, expected 0 or 1/);
    expect(make({ y: targets.logistic.map((y, n) => (n === 3 ? -1 : y)) })).toThrow(/y\[3\] is -1.*not all three/);
    expect(make({ family: 'poisson', y: targets.gaussian })).toThrow(/a count/);
    expect(make({ y: [1] })).toThrow(ShapeError);
    expect(make({ family: 'probit' })).toThrow(ConfigError);
    expect(make({ priorPrecision: 0 })).toThrow(/priorPrecision is 0/);
    expect(make({ noiseVariance: Number.NaN })).toThrow(/noiseVariance is NaN/);
    expect(make({ x: { data: inputs.map(() => Number.NaN), shape: x.shape } })).toThrow(/NaN in row 0/);
    const model = modelOf('logistic');
    expect(() => model.laplace({ indices: Int32Array.of(0), weights: Float64Array.of(-1) })).toThrow(/weights\[0\] is -1/);
    expect(() => model.laplace({ indices: Int32Array.of(40), weights: Float64Array.of(1) })).toThrow(/indices\[0\] is 40/);
    expect(() => model.laplace({ indices: Int32Array.of(0), weights: new Float64Array(2) })).toThrow(ShapeError);
    expect(() => model.logLikelihoods({ data: new Float64Array(4), shape: [2, 2] })).toThrow(/expected \[draws, 3\]/);
  });

  it('classes as -1 and 1 are those as 0 and 1', () => {
    const other = generalisedLinearModel({ family: 'logistic', x, y: targets.logistic.map((y) => 2 * y - 1), priorPrecision });
    expect(other.laplace().mode).toEqual(modelOf('logistic').laplace().mode);
  });

  it('separable classes with a weak prior and huge weights still have a mode', () => {
    const separable = generalisedLinearModel({
      family: 'logistic',
      x: { data: Float64Array.of(-1, 1), shape: [2, 1] },
      y: [0, 1],
      priorPrecision: 1e-6,
    });
    const { mode } = separable.laplace({ indices: Int32Array.of(0, 1), weights: Float64Array.of(1e6, 1e6) });
    // ρθ = 2·10⁶ σ(−θ) at the mode.
    expect(1e-6 * mode[0]!).toBeCloseTo(2e6 / (1 + Math.exp(mode[0]!)), 9);
  });
});
