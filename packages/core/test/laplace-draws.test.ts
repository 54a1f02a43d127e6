import './support/backend.js';
import { onnxRuntime } from '@bpc/backend-onnx';
import { jsRuntime } from '@bpc/compiler';
import type { Coreset, DivergenceInput, Key, LaplaceDrawsOptions, Model } from '@bpc/core';
import { ConfigError, disposeTree, gaussianPrior, key, laplaceApproximation, laplaceDraws, MissingKernelError } from '@bpc/core';
import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import { fill, matMul, memory, mul, neg, reshape, softplus, square, sub, sum, tensor1d, tensor2d, zeros } from '@tensorflow/tfjs-core';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { runtimes } from './support/runtimes.js';

/** A line y = a x + b with parameters in two leaves, one of them a scalar: its posterior is normal, and known. */
type Line = { readonly slope: Tensor; readonly offset: Tensor };
const [beta, rho] = [2, 0.5];
const model: Model<Line> = {
  init: () => ({ slope: zeros([1]), offset: zeros([]) }),
  logPrior: gaussianPrior({ precision: rho }),
  logLikelihood: ({ slope, offset }, { x, y }) => mul(sum(square(sub(sub(y, mul(x, slope)), offset)), 1), -beta / 2) as Tensor1D,
};
const [xs, ys, weights] = [
  [0.5, -1, 2, 1.5],
  [1, -0.5, 2.5, 1.2],
  [1, 2, 0, 3],
];
const coreset = (): Coreset => ({ x: tensor2d(xs.map((x) => [x])), y: tensor2d(ys.map((y) => [y])), weights: tensor1d(weights) });
const input = (): DivergenceInput<Line> => ({
  model,
  coreset: coreset(),
  learnable: { x: true, y: false, weights: false },
  expert: { slope: fill([1], 3), offset: fill([], -2) as Tensor },
  // The mode is that of the coreset as it is.
  augment: (x) => mul(x, 100),
});

/** Leaves come in the order of their names: offset, slope. */
function exact() {
  const total = (f: (x: number, y: number) => number) => weights.reduce((all, w, i) => all + beta * w * f(xs[i] ?? 0, ys[i] ?? 0), 0);
  const [p00, p01, p11] = [rho + total(() => 1), total((x) => x), rho + total((x) => x * x)];
  const [b0, b1] = [total((_, y) => y), total((x, y) => x * y)];
  const determinant = p00 * p11 - p01 * p01;
  return {
    mean: [(p11 * b0 - p01 * b1) / determinant, (p00 * b1 - p01 * b0) / determinant],
    covariance: [p11 / determinant, -p01 / determinant, p00 / determinant],
    diagonal: [1 / p00, 0, 1 / p11],
  };
}

/** Means and second moments of draws, with their standard errors, against what they should be. */
function scores(offsets: ArrayLike<number>, slopes: ArrayLike<number>, mean: readonly number[], covariance: readonly number[]) {
  const pairs = Array.from(offsets, (offset, i) => [offset - (mean[0] ?? 0), (slopes[i] ?? Number.NaN) - (mean[1] ?? 0)] as const);
  const score = (values: readonly number[], expected: number) => {
    const centre = values.reduce((a, b) => a + b, 0) / values.length;
    const variance = values.reduce((a, b) => a + (b - centre) ** 2, 0) / (values.length - 1);
    return Math.abs(centre - expected) / Math.sqrt(variance / values.length);
  };
  return [
    score(
      pairs.map(([a]) => a),
      0,
    ),
    score(
      pairs.map(([, b]) => b),
      0,
    ),
    score(
      pairs.map(([a]) => a * a),
      covariance[0] ?? 0,
    ),
    score(
      pairs.map(([a, b]) => a * b),
      covariance[1] ?? 0,
    ),
    score(
      pairs.map(([, b]) => b * b),
      covariance[2] ?? 0,
    ),
  ];
}

const settings: readonly (readonly [string, LaplaceDrawsOptions, 'covariance' | 'diagonal'])[] = [
  ['Newton steps and a full covariance', { steps: 3 }, 'covariance'],
  ['gradient steps and a diagonal covariance', { steps: 400, stepSize: 0.05, covariance: 'diagonal', pointsAtOnce: 3 }, 'diagonal'],
];

describe.each(runtimes)('Laplace draws on %s', (on, makeRuntime) => {
  it.each(settings)('have the law of a normal posterior: %s', async (_, options, law) => {
    if (on.startsWith('ONNX') && options.covariance !== 'diagonal') return;
    const runtime = await makeRuntime();
    const { mean, [law]: covariance } = exact();
    const program = runtime.compile((own: Key, c: Coreset) => laplaceDraws(options).draw(own, { ...input(), coreset: c }, 3000));
    const { slope, offset } = await program(key(8), coreset());
    expect(slope.shape).toEqual([3000, 1]);
    expect(offset.shape).toEqual([3000]);
    const found = scores(await offset.data(), await slope.data(), mean, covariance);
    // Five normal scores: all below 4 but for 3 in 10 000 seeds.
    expect(Math.max(...found)).toBeLessThan(4);
    // The check can tell the two forms apart.
    const other = exact()[law === 'covariance' ? 'diagonal' : 'covariance'];
    expect(Math.max(...scores(await offset.data(), await slope.data(), mean, other))).toBeGreaterThan(8);
    disposeTree({ slope, offset });
    await program.dispose();
    await runtime.dispose();
  });
});

describe('laplaceDraws', () => {
  it('finds the mode of a logistic regression from where Newton’s method alone runs away', async () => {
    const logistic: Model<Tensor> = {
      init: () => zeros([2]),
      logPrior: gaussianPrior({ precision: 0.05 }),
      logLikelihood: (theta, { x, y }) =>
        neg(softplus(neg(mul(reshape(y, [-1]), reshape(matMul(x, reshape(theta, [2, 1])), [-1]))))) as Tensor1D,
    };
    const points: Coreset = {
      x: tensor2d([
        [1, 0.2],
        [-0.5, 1],
        [2, -1],
        [0.3, 0.8],
      ]),
      y: tensor2d([[1], [1], [-1], [-1]]),
      weights: tensor1d([3, 1, 2, 2]),
    };
    const runtime = jsRuntime();
    const program = runtime.compile((expert: Tensor) => {
      const given = { model: logistic, coreset: points, learnable: { x: true, y: false, weights: false }, expert };
      return { mode: laplaceApproximation(given, { steps: 25 }).mode };
    });
    const [near, far] = [await program(zeros([2])), await program(tensor1d([25, 25]))];
    const [a, b] = [near.mode.dataSync(), far.mode.dataSync()];
    expect(a[0]).toBeCloseTo(b[0] ?? Number.NaN, 5);
    expect(a[1]).toBeCloseTo(b[1] ?? Number.NaN, 5);
    await runtime.dispose();
  });

  it('leaks nothing', () => {
    const given = input();
    const before = memory().numTensors;
    for (const [, options] of settings) disposeTree(laplaceDraws({ ...options, steps: 2 }).draw(key(0), given, 3));
    expect(memory().numTensors).toBe(before);
  });

  it('says what is wrong before any work, and which kernel a runtime lacks', async () => {
    expect(() => laplaceDraws({ steps: 0 })).toThrow(/^steps is 0/);
    expect(() => laplaceDraws({ stepSize: -1 })).toThrow(/^stepSize is -1.*Newton/);
    expect(() => laplaceDraws({ covariance: 'low-rank' as never })).toThrow(/covariance is 'low-rank', expected 'full' or 'diagonal'/);
    expect(() => laplaceDraws({ pointsAtOnce: 0 })).toThrow(/^pointsAtOnce is 0/);
    expect(() => laplaceDraws({ from: 'zero' as never })).toThrow(/from is 'zero'/);
    const large = { ...input(), expert: { slope: zeros([4097]), offset: zeros([]) as Tensor } };
    expect(() => laplaceDraws().draw(key(0), large, 2)).toThrow(ConfigError);
    expect(() => laplaceDraws().draw(key(0), large, 2)).toThrow(/4098 parameters, expected at most 4096/);
    const runtime = await onnxRuntime({ ort, threads: 1 });
    const program = runtime.compile((own: Key) => laplaceDraws().draw(own, input(), 2));
    await expect(program(key(0))).rejects.toThrow(MissingKernelError);
    await runtime.dispose();
  });
});
