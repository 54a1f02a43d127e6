import './support/backend.js';
import { jsRuntime } from '@bpc/compiler';
import type { Coreset, CoresetGrad, DivergenceInput, Key, Model, Runtime } from '@bpc/core';
import {
  cholesky,
  coresetGradient,
  covarianceGradient,
  disposeTree,
  foldIn,
  gaussianPrior,
  key,
  normal,
  stopGradient,
  triangularSolve,
} from '@bpc/core';
import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import { add, eye, matMul, mean, mul, reshape, square, sub, sum, tensor1d, tensor2d, transpose, zeros } from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** Linear regression y ~ N(θᵀx, 1/β) with θ ~ N(0, I/ρ): both posteriors are normal. */
const [beta, rho] = [1.5, 0.5];
type Points = { readonly x: number[][]; readonly y: number[]; readonly w: number[] };
const pseudo: Points = {
  x: [
    [0.9, -0.4, 0.3],
    [-0.5, 1.1, 0.8],
    [0.3, 0.8, -1.2],
    [1.4, 0.2, 0.5],
  ],
  y: [1.3, -0.6, 0.4, 0.9],
  w: [4, 9, 2.5, 6],
};
/** A batch of 8 that stands for 24 points. */
const batch = {
  x: Array.from({ length: 8 }, (_, i) => [Math.sin(1 + 2.1 * i), Math.cos(3.3 * i), Math.sin(0.7 * i * i)]),
  y: Array.from({ length: 8 }, (_, i) => Math.sin(1 + 2.1 * i) - 0.5 * Math.cos(3.3 * i) + 0.3 * Math.cos(5 * i)),
};
const dataCount = 24;

const dot = (a: readonly number[], b: readonly number[]) => a.reduce((total, value, i) => total + value * (b[i] ?? 0), 0);
/** A⁻¹ b and log |A| by elimination without pivots: A is positive definite. */
function solve(a: readonly (readonly number[])[], b: readonly number[]) {
  const rows = a.map((row, i) => [...row, b[i] ?? 0]);
  const n = rows.length;
  let logDet = 0;
  const at = (i: number, j: number) => rows[i]?.[j] ?? Number.NaN;
  for (let k = 0; k < n; k++) {
    logDet += Math.log(at(k, k));
    for (let i = k + 1; i < n; i++) {
      const factor = at(i, k) / at(k, k);
      rows[i] = (rows[i] ?? []).map((value, j) => value - factor * at(k, j));
    }
  }
  const x = new Array<number>(n).fill(0);
  for (let i = n - 1; i >= 0; i--) x[i] = (at(i, n) - dot(x.slice(i + 1), (rows[i] ?? []).slice(i + 1, n))) / at(i, i);
  return { x, logDet };
}

/** Precision matrix and mean of the posterior of weighted points. */
function law({ x, y, w }: Points) {
  const entry = (d: number, e: number) =>
    x.reduce((total, row, i) => total + beta * (w[i] ?? 0) * (row[d] ?? 0) * (row[e] ?? 0), d === e ? rho : 0);
  const precision = [0, 1, 2].map((d) => [0, 1, 2].map((e) => entry(d, e)));
  const b = [0, 1, 2].map((d) => x.reduce((total, row, i) => total + beta * (w[i] ?? 0) * (row[d] ?? 0) * (y[i] ?? 0), 0));
  const { x: centre, logDet } = solve(precision, b);
  return { precision, centre, logDet };
}

/** KL(π_S‖π_D) in float64: ½ [tr(P_D P_S⁻¹) − 3 + log|P_S| − log|P_D| + (m_D − m_S)ᵀ P_D (m_D − m_S)]. */
function exactKl(points: Points): number {
  const s = law(points);
  const d = law({ ...batch, w: batch.y.map(() => dataCount / batch.y.length) });
  const column = (i: number) => d.precision.map((row) => row[i] ?? 0);
  const trace = [0, 1, 2].reduce((total, i) => total + (solve(s.precision, column(i)).x[i] ?? 0), 0);
  const gap = d.centre.map((value, i) => value - (s.centre[i] ?? 0));
  return (
    0.5 *
    (trace -
      3 +
      s.logDet -
      d.logDet +
      dot(
        gap,
        d.precision.map((row) => dot(row, gap)),
      ))
  );
}

/** Central differences of the closed form, in the order x, y, weights. */
function exactGradient(): number[] {
  const flat = [...pseudo.x.flat(), ...pseudo.y, ...pseudo.w];
  const points = (v: readonly number[]): Points => ({
    x: [0, 1, 2, 3].map((m) => v.slice(3 * m, 3 * m + 3)),
    y: v.slice(12, 16),
    w: v.slice(16),
  });
  const moved = (i: number, h: number) => exactKl(points(flat.map((value, j) => value + (i === j ? h : 0))));
  return flat.map((_, i) => (moved(i, 1e-5) - moved(i, -1e-5)) / 2e-5);
}

const model: Model<Tensor> = {
  init: () => zeros([3]),
  logPrior: gaussianPrior({ precision: rho }),
  logLikelihood: (theta, { x, y }) => mul(sum(square(sub(y, matMul(x, reshape(theta, [3, 1])))), 1), -beta / 2) as Tensor1D,
};
const coresetOf = ({ x, y, w }: Points): Coreset => ({ x: tensor2d(x), y: tensor2d(y.map((value) => [value])), weights: tensor1d(w) });
const draws = 5000;
const replicates = 24;

/** Exact draws of the pseudo-posterior, `[draws, 3]`; differentiable in the coreset, for who forgets that they are constants. */
function exactDraws({ x, y, weights }: Coreset, z: Tensor): Tensor {
  const weighted = mul(x, reshape(weights, [-1, 1]));
  const l = cholesky(add(mul(matMul(weighted, x, true), beta), mul(eye(3), rho)));
  const centre = triangularSolve(l, triangularSolve(l, mul(matMul(weighted, y, true), beta)), { transpose: true });
  return transpose(add(centre, triangularSolve(l, transpose(z), { transpose: true })));
}

type Gradients = { readonly x: Tensor; readonly y: Tensor; readonly weights: Tensor };
type Estimator = (input: DivergenceInput<Tensor>, z: Tensor) => Gradients;
const estimator: Estimator = (input, z) =>
  covarianceGradient(input, { stacked: exactDraws(input.coreset, z) }, { reduction: 'sum', pointsAtOnce: 3 }).grad as Required<CoresetGrad>;

/** The sum over draws of c_s Σ_m w_m f(u_m, θ_s) / K with constants c, differentiated: what the estimator comes down to. */
const surrogate =
  ({ throughDraws = false, centre = true, swapped = false }): Estimator =>
  ({ coreset, real, learnable }, z) => {
    // Σ_m w_m log p(y_m|x_m, θ) of all draws at once, [draws].
    const sums = ({ x, y, weights }: Coreset, thetas: Tensor) =>
      mul(sum(mul(reshape(weights, [-1, 1]), square(sub(y, matMul(x, thetas, false, true)))), 0), -beta / 2);
    const full: Coreset = { x: real?.x as Tensor, y: real?.y as Tensor, weights: tensor1d(batch.y.map(() => dataCount / batch.y.length)) };
    const constant = exactDraws(coreset, z);
    const residual = sub(sums(full, constant), sums(coreset, constant));
    const coefficients = stopGradient(centre ? sub(residual, mean(residual)) : residual);
    const { grad } = coresetGradient(coreset, learnable, (points) =>
      mul(mean(mul(coefficients, sums(points, throughDraws ? exactDraws(points, z) : constant))), swapped ? 1 : -1),
    );
    return grad as Required<CoresetGrad>;
  };
const wrongAxis: Estimator = (input, z) => {
  const grad = estimator(input, z);
  return { ...grad, x: sub(grad.x, mean(grad.x, 1, true)) };
};

describe('the covariance gradient of a linear regression', () => {
  let runtime: Runtime;
  beforeAll(() => {
    runtime = jsRuntime();
  });
  afterAll(() => runtime.dispose());

  const everything = { x: true, y: true, weights: true };
  const inputOf = (count = dataCount): DivergenceInput<Tensor> => ({
    model,
    coreset: coresetOf(pseudo),
    learnable: everything,
    expert: zeros([3]) as Tensor,
    real: { x: tensor2d(batch.x), y: tensor2d(batch.y.map((value) => [value])) },
    dataCount: count,
  });

  /** Estimates of all 20 entries, one row per replicate. */
  const sample = async (estimate: Estimator, count = dataCount): Promise<number[][]> => {
    const program = runtime.compile((own: Key): Gradients => estimate(inputOf(count), normal(own, [draws, 3])));
    const rows: number[][] = [];
    for (let i = 0; i < replicates; i++) {
      const found = await program(foldIn(key(21), i));
      rows.push([...found.x.dataSync(), ...found.y.dataSync(), ...found.weights.dataSync()]);
      disposeTree(found);
    }
    await program.dispose();
    return rows;
  };

  const summary = (column: readonly number[]) => {
    const centre = column.reduce((a, b) => a + b, 0) / column.length;
    const error = Math.sqrt(column.reduce((a, b) => a + (b - centre) ** 2, 0) / (column.length - 1) / column.length);
    return { centre, error };
  };
  /** Largest deviation of the replicates' mean from the closed form in standard errors, over points, labels and weights. */
  const score = (rows: readonly (readonly number[])[]) => {
    const exact = exactGradient();
    const errors = exact.map((value, j) => {
      const { centre, error } = summary(rows.map((row) => row[j] ?? Number.NaN));
      return { deviation: Math.abs(centre - value) / error, relative: error / Math.hypot(...exact) };
    });
    return {
      worst: Math.max(...errors.map(({ deviation }) => deviation)),
      largestError: Math.max(...errors.map(({ relative }) => relative)),
    };
  };
  // Twenty t-distributed scores with 23 degrees of freedom: all below 5 but for 1 in 1000 seeds.
  const threshold = 5;

  it('agrees with the gradient of the closed form within Monte-Carlo error, in points, labels and weights', async () => {
    const rows = await sample(estimator);
    const { worst, largestError } = score(rows);
    expect(worst).toBeLessThan(threshold);
    expect(largestError).toBeLessThan(5e-3);
    // The mean entry of a point's gradient is what centring over the entries would take away.
    const rowMean = (row: readonly number[], m: number) => ((row[3 * m] ?? 0) + (row[3 * m + 1] ?? 0) + (row[3 * m + 2] ?? 0)) / 3;
    for (const m of [0, 1, 2, 3]) {
      const { centre, error } = summary(rows.map((row) => rowMean(row, m)));
      expect(Math.abs(centre)).toBeGreaterThan(10 * error);
    }
  });

  it('is the gradient of a surrogate whose residuals and draws count as constants', async () => {
    const [found, expected] = [await sample(estimator), await sample(surrogate({}))];
    found[0]?.forEach((value, j) => expect(value).toBeCloseTo(expected[0]?.[j] ?? Number.NaN, 3));
  });

  it.each<[string, Estimator, number]>([
    ['points centred over their entries instead of the draws', wrongAxis, dataCount],
    ['the phases swapped', surrogate({ swapped: true }), dataCount],
    ['residuals that are not centred', surrogate({ centre: false }), dataCount],
    ['a gradient through the draws', surrogate({ throughDraws: true }), dataCount],
    ['a batch that is taken for the full data', estimator, batch.y.length],
  ])('fails the same check with %s', async (_, estimate, count) => {
    expect(score(await sample(estimate, count)).worst).toBeGreaterThan(4 * threshold);
  });

  it('has the KL divergence as its value, to second order', async () => {
    // Nearly all of the batch as the coreset: the two posteriors are close, and not equal.
    const close: Points = {
      x: batch.x.map((row) => row.map((value) => value * 1.01)),
      y: batch.y.map((value) => value + 0.01),
      w: batch.y.map(() => dataCount / 8),
    };
    const program = runtime.compile((own: Key) => {
      const coreset = coresetOf(close);
      const input = { ...inputOf(), coreset };
      const stacked = exactDraws(coreset, normal(own, [20_000, 3]));
      return { value: covarianceGradient(input, { stacked }, { reduction: 'sum', pointsAtOnce: 25 }).value as Tensor };
    });
    const values: number[] = [];
    for (let i = 0; i < 8; i++) values.push((await program(foldIn(key(5), i))).value.dataSync()[0] ?? Number.NaN);
    const { centre, error } = summary(values);
    const exact = exactKl(close);
    expect(exact).toBeGreaterThan(1e-4);
    expect(error / exact).toBeLessThan(0.01);
    expect(Math.abs(centre / exact - 1)).toBeLessThan(0.05);
    await program.dispose();
  });

  it('with means is M/N² times that of sums at weights that add up to N', async () => {
    const scaled = dataCount / pseudo.w.length;
    const program = runtime.compile((own: Key) => {
      const input = inputOf();
      const stacked = exactDraws(input.coreset, normal(own, [50, 3]));
      const at = (factor: number, reduction: 'sum' | 'mean') => {
        const coreset = { ...input.coreset, weights: mul(input.coreset.weights, factor) as Tensor1D };
        return covarianceGradient({ ...input, coreset }, { stacked }, { reduction, pointsAtOnce: 25 }).grad as Required<CoresetGrad>;
      };
      return { means: at(1, 'mean'), sums: at(scaled, 'sum') };
    });
    const { means, sums } = await program(key(6));
    const factors = { x: 4 / dataCount ** 2, y: 4 / dataCount ** 2, weights: 1 / dataCount };
    for (const part of ['x', 'y', 'weights'] as const) {
      const expected = sums[part].dataSync();
      means[part].dataSync().forEach((value, i) => expect(value).toBeCloseTo((expected[i] ?? Number.NaN) * factors[part], 5));
    }
    await program.dispose();
  });
});
