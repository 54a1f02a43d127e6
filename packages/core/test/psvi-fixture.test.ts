import './support/backend.js';
import { jsRuntime } from '@bpc/compiler';
import type { Batch, Coreset, DivergenceInput, Key, Model, PosteriorDraws, Runtime, Tree } from '@bpc/core';
import {
  adam,
  applyUpdates,
  cholesky,
  covarianceGradient,
  disposeTree,
  foldIn,
  gatherRows,
  gaussianPrior,
  key,
  laplaceApproximation,
  normal,
  psvi,
} from '@bpc/core';
import type { Scalar, Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import {
  add,
  cast,
  div,
  fill,
  matMul,
  mul,
  neg,
  relu,
  reshape,
  scalar,
  softplus,
  sqrt,
  squaredDifference,
  sum,
  zeros,
} from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadFixture } from '../../../tooling/fixtures/load.js';
import { runtimes } from './support/runtimes.js';

type Case = {
  readonly likelihoodVariance: number;
  readonly priorVariance: number;
  readonly N: number;
  readonly M: number;
  readonly iterations: number;
  readonly psvi: { readonly initialStep: number };
};
const fixture = loadFixture<Case>('coresets_vi');
const of = (name: string) => fixture.cases[name] as Case;
const column = (x: Tensor): Tensor => reshape(x, [-1, 1]);

/** How a case's draws follow from the coreset and standard normals, and what its points look like. */
interface Problem {
  readonly name: 'gaussian' | 'logistic';
  readonly model: Model<Tensor>;
  /** Targets of stored points. */
  readonly targets: (labels: string, points: number) => Tensor;
  readonly draws: (input: DivergenceInput<Tensor>, z: Tensor) => Tensor;
  readonly needsCholesky: boolean;
}

const { likelihoodVariance, priorVariance } = of('gaussian');
const gaussian: Problem = {
  name: 'gaussian',
  model: {
    init: () => zeros([3]),
    logPrior: gaussianPrior({ precision: 1 / priorVariance }),
    logLikelihood: (theta, { x }) => mul(sum(squaredDifference(x, theta), 1), -0.5 / likelihoodVariance) as Tensor1D,
  },
  targets: (_, points) => zeros([points, 1]),
  draws: ({ coreset: { x, weights } }, z) => {
    const precision = add(div(sum(weights), likelihoodVariance), 1 / priorVariance);
    const mean = div(sum(mul(x, column(weights)), 0), mul(precision, likelihoodVariance));
    return add(mean, div(z, sqrt(precision)));
  },
  needsCholesky: false,
};

const logistic: Problem = {
  name: 'logistic',
  model: {
    init: () => zeros([3]),
    logPrior: gaussianPrior({ precision: 1 / of('logistic').priorVariance }),
    // log σ(y θᵀx) for y = ±1.
    logLikelihood: (theta, { x, y }) => neg(softplus(neg(mul(reshape(y, [-1]), reshape(matMul(x, column(theta)), [-1]))))) as Tensor1D,
  },
  targets: (labels) => cast(column(fixture.tensor(labels)), 'float32'),
  draws: (input, z) => {
    const { mode, factor } = laplaceApproximation(input);
    // The reference takes the lower triangular root of the covariance.
    return add(mode, matMul(z, cholesky(matMul(factor, factor, false, true)), false, true));
  },
  needsCholesky: true,
};

const posterior = (problem: Problem, z: Tensor): PosteriorDraws => ({
  name: 'stored normals',
  draw: (_, input) => problem.draws(input as unknown as DivergenceInput<Tensor>, z) as never,
});
const learnable = { x: true, y: false, weights: true };
const data = ({ name, targets }: Problem): Batch => ({ x: fixture.tensor(`${name}/data`), y: targets(`${name}/labels`, of(name).N) });
const single = ({ name, targets }: Problem): Coreset => ({
  x: fixture.tensor(`${name}/points`),
  y: targets(`${name}/point_labels`, of(name).M),
  weights: fixture.tensor(`${name}/weights`) as Tensor1D,
});

const cases = runtimes.flatMap(([on, make]) =>
  [gaussian, logistic]
    .filter(({ needsCholesky }) => !needsCholesky || !on.startsWith('ONNX'))
    .map((problem) => [problem.name, on, problem, make] as const),
);

describe.each(cases)('PSVI on the %s model, %s', (name, _, problem, makeRuntime) => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await makeRuntime();
  });
  afterAll(() => runtime.dispose());

  it('matches every stored quantity of one estimate, and not the gradient centred over the wrong axis', async () => {
    const program = runtime.compile((coreset: Coreset, real: Batch, z: Tensor) => {
      const input = { model: problem.model, coreset, learnable, expert: zeros([3]) as Tensor, real, dataCount: of(name).N };
      const samples = problem.draws(input, z);
      const { grad, residuals } = covarianceGradient(input, { stacked: samples }, { reduction: 'sum', pointsAtOnce: 4 });
      return { samples, residuals, points: grad.x as Tensor, weights: grad.weights as Tensor };
    });
    const found = await program(single(problem), data(problem), fixture.tensor(`${name}/z`));
    fixture.expectClose(`${name}/samples`, found.samples);
    fixture.expectClose(`${name}/residual`, found.residuals);
    fixture.expectClose(`${name}/grad_weights`, found.weights);
    fixture.expectClose(`${name}/grad_points`, found.points);
    fixture.expectClose(`${name}/control_grad_points_wrong_axis`, found.points);
    disposeTree(found);
    await program.dispose();
  });

  it('follows the stored run of ten steps of projected Adam, points and weights together', async () => {
    const { N, M, iterations, psvi: settings } = of(name);
    const optimizer = adam({ learningRate: (step: Scalar) => div(settings.initialStep, add(step, 1)) as Scalar });
    type State = { readonly coreset: Coreset; readonly optimizer: readonly Tree[] };
    const step = runtime.compile((k: Key, { coreset, optimizer: before }: State, real: Batch, rows: Tensor, z: Tensor): State => {
      const batch = { x: gatherRows(real.x, rows), y: gatherRows(real.y, rows) };
      const divergence = psvi({ draws: 24, posterior: posterior(problem, z) });
      const { grad } = divergence.estimate(k, { model: problem.model, coreset, learnable, expert: zeros([3]), real: batch, dataCount: N });
      const params = { x: coreset.x, weights: coreset.weights };
      const { updates, state } = optimizer.update(grad as Tree, before, params);
      const { x, weights } = applyUpdates(params, updates as typeof params);
      return { coreset: { x, y: coreset.y, weights: relu(weights) as Tensor1D }, optimizer: state };
    });
    const real = data(problem);
    const chosen = fixture.tensor(`${name}/psvi/init_index`);
    const coreset = { x: gatherRows(real.x, chosen), y: gatherRows(real.y, chosen), weights: fill([M], N / M) as Tensor1D };
    let state: State = { coreset, optimizer: optimizer.init({ x: coreset.x, weights: coreset.weights }) };
    const points: number[] = [];
    const weights: number[] = [];
    const row = (what: string, i: number) =>
      reshape(
        gatherRows(fixture.tensor(`${name}/psvi/${what}`), reshape(scalar(i, 'int32'), [1])),
        fixture.entries[`${name}/psvi/${what}`]?.shape.slice(1) as number[],
      );
    for (let i = 0; i < iterations; i++) {
      state = await step(key(i), state, real, row('minibatch', i), row('z', i));
      points.push(...(await state.coreset.x.data()));
      weights.push(...(await state.coreset.weights.data()));
    }
    fixture.expectClose(`${name}/psvi/points`, points);
    fixture.expectClose(`${name}/psvi/weights`, weights);
    if (name === 'gaussian') fixture.expectClose('gaussian/psvi/kl', closedFormKl(points, weights));
    await step.dispose();
  });
});

/** Posterior of weighted points of the Gaussian model; float64, on the host. */
function law(x: ArrayLike<number>, w: readonly number[]) {
  const precision = w.reduce((total, value) => total + value / likelihoodVariance, 1 / priorVariance);
  const mean = [0, 1, 2].map((d) =>
    w.reduce((total, value, m) => total + (value * (x[3 * m + d] ?? 0)) / likelihoodVariance / precision, 0),
  );
  return { precision, mean };
}

/** KL of the posterior of weighted points to that of the data, for one coreset after another. */
function closedFormKl(points: readonly number[], weights: readonly number[]): number[] {
  const { M, N } = of('gaussian');
  const full = law(
    fixture.values('gaussian/data'),
    Array.from({ length: N }, () => 1),
  );
  return Array.from({ length: weights.length / M }, (_, i) => {
    const { precision, mean } = law(points.slice(3 * M * i), weights.slice(M * i, M * (i + 1)));
    const ratio = full.precision / precision;
    const distance = mean.reduce((total, value, d) => total + (value - (full.mean[d] ?? 0)) ** 2, 0);
    return 0.5 * (3 * (ratio - 1 - Math.log(ratio)) + full.precision * distance);
  });
}

describe('the exact quantities of the Gaussian model', () => {
  const [points, weights] = [Array.from(fixture.values('gaussian/points')), Array.from(fixture.values('gaussian/weights'))];

  it('are those of the closed form that runs are compared with', () => {
    const { precision, mean } = law(points, weights);
    fixture.expectClose('gaussian/exact/kl', closedFormKl(points, weights));
    fixture.expectClose('gaussian/exact/posterior_mean', mean);
    fixture.expectClose('gaussian/exact/posterior_variance', 1 / precision);
  });

  it('are what estimates have for a mean, within Monte-Carlo error, and not with points centred over their entries', async () => {
    const runtime = jsRuntime();
    const replicates = 24;
    const program = runtime.compile((own: Key, coreset: Coreset, real: Batch) => {
      const input = { model: gaussian.model, coreset, learnable, expert: zeros([3]) as Tensor, real, dataCount: of('gaussian').N };
      const stacked = gaussian.draws(input, normal(own, [4000, 3]));
      const { grad } = covarianceGradient(input, { stacked }, { reduction: 'sum', pointsAtOnce: 50 });
      return { x: grad.x as Tensor, weights: grad.weights as Tensor };
    });
    const rows: number[][] = [];
    for (let i = 0; i < replicates; i++) {
      const found = await program(foldIn(key(31), i), single(gaussian), data(gaussian));
      rows.push([...found.x.dataSync(), ...found.weights.dataSync()]);
      disposeTree(found);
    }
    const exact = [...fixture.values('gaussian/exact/grad_points'), ...fixture.values('gaussian/exact/grad_weights')];
    const worst = (estimates: readonly (readonly number[])[]) =>
      Math.max(
        ...exact.map((value, j) => {
          const column = estimates.map((row) => row[j] ?? Number.NaN);
          const centre = column.reduce((x, y) => x + y, 0) / replicates;
          const variance = column.reduce((x, y) => x + (y - centre) ** 2, 0) / (replicates - 1);
          return Math.abs(centre - value) / Math.sqrt(variance / replicates);
        }),
      );
    // Twenty t-distributed scores with 23 degrees of freedom: all below 5 but for 1 in 1000 seeds.
    expect(worst(rows)).toBeLessThan(5);
    const rowMean = (row: readonly number[], i: number) => [0, 1, 2].reduce((total, d) => total + (row[i - (i % 3) + d] ?? 0) / 3, 0);
    expect(worst(rows.map((row) => row.map((value, i) => (i < 15 ? value - rowMean(row, i) : value))))).toBeGreaterThan(20);
    await runtime.dispose();
  });
});

it.each(runtimes.slice(0, 2))(
  'the Laplace approximation of a logistic regression has the stored mode and covariance, %s',
  async (_, makeRuntime) => {
    const runtime = await makeRuntime();
    for (const from of [0, 6]) {
      // Newton's method without step control does not find the mode from as far as 6.
      const program = runtime.compile((coreset: Coreset) => {
        const input = { model: logistic.model, coreset, learnable, expert: fill([3], from) as Tensor };
        const { mode, factor } = laplaceApproximation(input, { covariance: 'full' });
        const deviations = laplaceApproximation(input, { covariance: 'diagonal' }).factor;
        return { mode, covariance: matMul(factor, factor, false, true), deviations };
      });
      const found = await program(single(logistic));
      fixture.expectClose('logistic/laplace_mode', found.mode);
      fixture.expectClose('logistic/laplace_covariance', found.covariance);
      // 1/√H_ii, from the inverse of the stored covariance.
      const exact = inverseDiagonal(fixture.values('logistic/laplace_covariance')).map((precision) => 1 / Math.sqrt(precision));
      (await found.deviations.data()).forEach((value, i) => expect(value).toBeCloseTo(exact[i] ?? Number.NaN, 4));
      disposeTree(found);
      await program.dispose();
    }
    await runtime.dispose();
  },
);

/** Diagonal of the inverse of a 3×3 matrix, by cofactors. */
function inverseDiagonal(a: ArrayLike<number>): number[] {
  const at = (i: number, j: number) => a[3 * (i % 3) + (j % 3)] ?? Number.NaN;
  const minor = (i: number) => at(i + 1, i + 1) * at(i + 2, i + 2) - at(i + 1, i + 2) * at(i + 2, i + 1);
  const determinant = [0, 1, 2].reduce((total, j) => total + at(0, j) * (at(1, j + 1) * at(2, j + 2) - at(1, j + 2) * at(2, j + 1)), 0);
  return [0, 1, 2].map((i) => minor(i) / determinant);
}
