import type { Coreset, Key, Model } from '@bpc/core';
import { contrastiveEstimate, coresetGradient, foldIn, key, normalLike, perturbExpert, reduceEnergy } from '@bpc/core';
import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import {
  expandDims,
  matMul,
  mul,
  neg,
  scalar,
  setBackend,
  square,
  squaredDifference,
  sub,
  sum,
  tensor,
  tensor1d,
  tensor2d,
} from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { testBackend } from './support/backend.js';
import { stepNoise } from './support/chain-noise.js';

beforeAll(async () => {
  await setBackend(testBackend);
});

const onlyX = { x: true, y: false, weights: false };
const norm = (v: readonly number[]) => Math.sqrt(v.reduce((total, value) => total + value * value, 0));
const dot = (a: readonly number[], b: readonly number[]) => a.reduce((total, value, i) => total + value * (b[i] ?? 0), 0);

/**
 * Parameters are `[chains, d]`: independent chains side by side, so that one call of the estimator averages over many
 * draws. The likelihood sums over chains, which leaves every chain's own gradient as it is.
 */
type Chains = Tensor;

describe('Gaussian location model: x ~ N(θ, I), exact forward-KL gradient w_m (ū − μ_D)', () => {
  const chains = 4000;
  // Weights of 50 on four points: a pseudo-posterior of precision 200, so that one step of 1e-3 closes 1 − 0.8^k of the gap.
  const points = [
    [1.2, 0.4],
    [-0.3, 1.9],
    [2.2, -0.6],
    [0.5, 1.1],
  ];
  const weights = [50, 50, 50, 50];
  const dataMean = [-0.7, 0.25];
  const model: Model<Chains> = {
    init: () => scalar(0),
    logPrior: () => scalar(0),
    logLikelihood: (theta, { x }) => mul(-0.5, sum(squaredDifference(expandDims(x, 1), expandDims(theta, 0)), [1, 2])) as Tensor1D,
  };
  const coreset: Coreset = { x: tensor2d(points), y: tensor2d(points.map(() => [0])), weights: tensor1d(weights) };
  const expert = tensor(
    Float32Array.from({ length: 2 * chains }, (_, i) => dataMean[i % 2] ?? 0),
    [chains, 2],
  );
  const input = { model, coreset, learnable: onlyX, expert };
  const centre = [0, 1].map((d) => points.reduce((total, point) => total + (point[d] ?? 0) / points.length, 0));
  const exact = points.flatMap((_, m) => centre.map((value, d) => (weights[m] ?? 0) * (value - (dataMean[d] ?? 0))));
  const perChain = (g: Tensor | undefined) => Array.from(g?.dataSync() ?? [], (value) => value / chains);
  const estimate = (steps: number) =>
    contrastiveEstimate(
      input,
      { expert: normalLike(foldIn(key(1), 0), expert), chain: key(2) },
      { steps, stepSize: 1e-3, temperature: 1, reduction: 'sum', sigma: 0.1 },
    );
  /** Standard error of the length ratio: θ⁻ and θ⁺ spread by √(1/200) and 0.1 around means 1.5 apart. */
  const standardError = Math.sqrt((1 / 200 + 0.01) / chains) / norm(centre.map((value, d) => value - (dataMean[d] ?? 0)));
  const cosine = (g: readonly number[]) => dot(g, exact) / norm(g) / norm(exact);
  const agrees = (g: readonly number[], ratio: number) => cosine(g) > 0.9999 && Math.abs(norm(g) / norm(exact) - ratio) < 5 * standardError;

  it('points along the exact gradient, and its length rises with k to it: 0.20, 0.89, 1.00', () => {
    expect(standardError).toBeLessThan(2e-3);
    for (const [steps, ratio] of [
      [1, 0.2],
      [10, 1 - 0.8 ** 10],
      [200, 1],
    ] as const) {
      expect(agrees(perChain(estimate(steps).grad.x), ratio), `k = ${steps}`).toBe(true);
    }
  });

  it('fails the same check with the phases swapped or the negative phase dropped', () => {
    const g = perChain(estimate(200).grad.x);
    expect(
      agrees(
        g.map((value) => -value),
        1,
      ),
    ).toBe(false);
    const positive = coresetGradient(coreset, onlyX, (c) => reduceEnergy(neg(model.logLikelihood(expert, c)), c.weights, 'sum'));
    expect(agrees(perChain(positive.grad.x), 1)).toBe(false);
  });
});

describe('linear regression with learnable inputs: the estimate feels E[θθᵀ], hence the scale of the noise', () => {
  const settings = { steps: 15, stepSize: 0.02, temperature: 0.7, reduction: 'sum', sigma: 0.15 } as const;
  const precision = 1.5;
  const x = [
    [0.9, -0.4],
    [-0.5, 1.1],
    [0.3, 0.8],
  ];
  const y = [1.3, -0.6, 0.4];
  const weights = [1, 2, 0.5];
  const expertMean = [0.8, -1.1];
  const chains = 2000;
  const replicates = 16;

  /** E = ½ precision Σ_m w_m (y_m − θᵀx_m)², summed over chains. */
  const model: Model<Chains> = {
    init: () => scalar(0),
    logPrior: () => scalar(0),
    logLikelihood: (theta, batch) => mul(-precision / 2, sum(square(sub(batch.y, matMul(batch.x, theta, false, true))), 1)) as Tensor1D,
  };
  const coreset: Coreset = { x: tensor2d(x), y: tensor2d(y.map((value) => [value])), weights: tensor1d(weights) };
  const expert = tensor(
    Float32Array.from({ length: 2 * chains }, (_, i) => expertMean[i % 2] ?? 0),
    [chains, 2],
  );
  const input = { model, coreset, learnable: onlyX, expert };

  /** E over θ with mean m and second moment S: ∇_{x_m}E = −precision·w_m (y_m m − S x_m). Float64, no sampling. */
  const expectedGradient = (m: number[], covariance: number[][]) =>
    x.flatMap((row, i) =>
      [0, 1].map((d) => {
        const second = row.reduce((total, value, e) => total + ((covariance[d]?.[e] ?? 0) + (m[d] ?? 0) * (m[e] ?? 0)) * value, 0);
        return -precision * (weights[i] ?? 0) * ((y[i] ?? 0) * (m[d] ?? 0) - second);
      }),
    );

  /** m ← A m + λb and C ← A C Aᵀ + 2λT·I with A = I − λH: the law of the chain, which is linear. */
  const exactEstimate = () => {
    const { steps, stepSize, temperature, sigma } = settings;
    const hessian = [0, 1].map((d) =>
      [0, 1].map((e) => x.reduce((total, row, i) => total + precision * (weights[i] ?? 0) * (row[d] ?? 0) * (row[e] ?? 0), 0)),
    );
    const b = [0, 1].map((d) => x.reduce((total, row, i) => total + precision * (weights[i] ?? 0) * (y[i] ?? 0) * (row[d] ?? 0), 0));
    const a = hessian.map((row, d) => row.map((value, e) => (d === e ? 1 : 0) - stepSize * value));
    const times = (p: number[][], q: number[][]) =>
      p.map((row) => [0, 1].map((e) => row.reduce((total, value, k) => total + value * (q[k]?.[e] ?? 0), 0)));
    let mean = [...expertMean];
    let covariance = [
      [sigma ** 2, 0],
      [0, sigma ** 2],
    ];
    const start = expectedGradient(mean, covariance);
    for (let step = 0; step < steps; step++) {
      mean = a.map((row, d) => dot(row, mean) + stepSize * (b[d] ?? 0));
      // A is symmetric, so Aᵀ = A.
      covariance = times(times(a, covariance), a).map((row, d) =>
        row.map((value, e) => value + (d === e ? 2 * stepSize * temperature : 0)),
      );
    }
    const end = expectedGradient(mean, covariance);
    return start.map((value, i) => value - (end[i] ?? 0));
  };

  type Variant = (replicate: Key) => number[];
  const noise = (k: Key, scale = 1) => ({
    expert: normalLike(foldIn(k, 0), expert),
    chain: stepNoise((t) => mul(normalLike(foldIn(foldIn(k, 1), t), expert), scale), settings.steps),
  });
  const perChain = (g: Tensor | undefined) => Array.from(g?.dataSync() ?? [], (value) => value / chains);
  const correct: Variant = (k) => perChain(contrastiveEstimate(input, noise(k), settings).grad.x);
  const zeroNoise: Variant = (k) => perChain(contrastiveEstimate(input, noise(k), { ...settings, temperature: 0 }).grad.x);
  const doubledNoise: Variant = (k) => perChain(contrastiveEstimate(input, noise(k, 2), settings).grad.x);
  const droppedNegative: Variant = (k) => {
    const positive = perturbExpert(expert, noise(k).expert, settings.sigma);
    return perChain(coresetGradient(coreset, onlyX, (c) => reduceEnergy(neg(model.logLikelihood(positive, c)), c.weights, 'sum')).grad.x);
  };

  /** Largest deviation of the replicates' mean from the closed form, in standard errors of that mean; and the largest such error. */
  const score = (variant: Variant) => {
    const exact = exactEstimate();
    const draws = Array.from({ length: replicates }, (_, i) => variant(foldIn(key(11), i)));
    let worst = 0;
    let largestError = 0;
    exact.forEach((value, j) => {
      const column = draws.map((draw) => draw[j] ?? Number.NaN);
      const mean = column.reduce((a, c) => a + c, 0) / replicates;
      const error = Math.sqrt(column.reduce((a, c) => a + (c - mean) ** 2, 0) / (replicates - 1) / replicates);
      worst = Math.max(worst, Math.abs(mean - value) / error);
      largestError = Math.max(largestError, error / norm(exact));
    });
    return { worst, largestError };
  };
  // Six t-distributed scores with 15 degrees of freedom: all below 5 but for 1 in 1000 seeds.
  const threshold = 5;

  it('agrees with the mean and covariance recursion of the k-step chain within Monte-Carlo error', () => {
    const { worst, largestError } = score(correct);
    expect(worst).toBeLessThan(threshold);
    // Sharp enough to mean something: each entry is known to 0.5 % of the gradient's length.
    expect(largestError).toBeLessThan(5e-3);
  });

  it.each([
    ['no noise', zeroNoise],
    ['doubled noise', doubledNoise],
    ['no negative phase', droppedNegative],
  ] as const)('fails the same check with %s', (_, variant) => {
    expect(score(variant).worst).toBeGreaterThan(4 * threshold);
  });
});
