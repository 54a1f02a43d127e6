import type { Scalar, Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import { add, div, matMul, mean, mul, neg, reshape, square, sub, sum, zeros } from '@tensorflow/tfjs-core';
import { checkInteger } from '../check.js';
import type { Coreset, CoresetGrad, Learnable } from '../coreset.js';
import { learnable as checkedLearnable } from '../coreset.js';
import { reduceEnergy } from '../energy.js';
import { ConfigError, ShapeError } from '../errors.js';
import type { Batch, Model } from '../model.js';
import type { Key } from '../random.js';
import { type ScanIteration, scan } from '../scan.js';
import { scope } from '../scope.js';
import { untaped } from '../tape.js';
import type { Tree } from '../tree.js';
import { treeEntries, treeMap } from '../tree.js';
import { chunkedEnergy } from './chunked-energy.js';
import { chunkLength, overChunks } from './chunks.js';
import { coresetGradient } from './coreset-gradient.js';
import type { DivergenceInput } from './divergence.js';

/** Settings of `covarianceGradient`. */
export interface CovarianceGradientOptions {
  /** Sums on both sides, data scaled to N points, or means on both sides. */
  readonly reduction: 'sum' | 'mean';
  /** Most points, real or pseudo, whose likelihood is computed at once. */
  readonly pointsAtOnce: number;
}

/** Draws of π_S: stacked along axis 0; or made one at a time, draw s from `foldIn(key, s)`, whenever one is looked at. */
export type CovarianceDraws<P extends Tree> =
  | { readonly stacked: P }
  | { readonly draw: (key: Key) => P; readonly key: Key; readonly count: number };

/** An estimate with what tests and diagnostics look at. Fresh tensors, owned by the caller. */
export type CovarianceEstimate = {
  readonly grad: CoresetGrad;
  /** ½ Var(r): the divergence to second order in the difference of the two log densities. */
  readonly value: Scalar;
  /** r, the difference of the two log likelihoods at each draw, centred over draws, `[draws]`. */
  readonly residuals: Tensor1D;
};

/**
 * Gradient of KL(π_S‖π_D) from draws θ_s of π_S, with every covariance taken over the draws:
 *
 * ∇_{u_m} = −w_m Cov_s[∇_u f(u_m, θ_s), r_s], labels alike, and ∇_{w_m} = −Cov_s[f(u_m, θ_s), r_s], with
 * r_s = (N/|B|) Σ_{n∈B} f(x_n, θ_s) − Σ_j w_j f(u_j, θ_s), f the log likelihood, and Cov_s with divisor K.
 *
 * With `reduction: 'mean'`, r_s = mean_{n∈B} f(x_n, θ_s) − (1/M) Σ_j w_j f(u_j, θ_s): M/N² times the gradient at weights
 * (N/M) w. Manousakas et al. 2020; Kim et al. 2022. The published implementations centre
 * ∇_u f over the entries of a point instead of over draws, which takes the mean entry out of every point's gradient.
 *
 * Σ_s r_s ∇_u f(u, θ_s) is the gradient of Σ_s r_s f(u, θ_s) with r_s constant: no Jacobian per point is formed. One draw and
 * at most `pointsAtOnce` points are looked at at a time; what grows with draws and points is one number for each pair. Draws
 * count as constants; those made one at a time are made twice. Fresh tensors.
 *
 * @throws ConfigError without real data, or without `dataCount` for sums; ShapeError if real points and pseudo-points, or
 * the draws, do not fit together.
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { mul, ones, square, squeeze, sub, type Tensor, type Tensor1D, zeros } from '@tensorflow/tfjs-core';
 * import { covarianceGradient, gaussianPrior, key, type Model, normal } from '@bpc/core';
 * // Points on a line, normal around θ, and draws of θ made elsewhere.
 * const model: Model<Tensor> = {
 *   init: () => zeros([1]),
 *   logPrior: gaussianPrior({ precision: 1 }),
 *   logLikelihood: (theta, { x }) => mul(-0.5, squeeze(square(sub(x, theta)), [1])) as Tensor1D,
 * };
 * const coreset = { x: zeros([2, 1]), y: zeros([2, 1]), weights: mul(ones([2]), 50) as Tensor1D };
 * const real = { x: normal(key(1), [100, 1]), y: zeros([100, 1]) };
 * const input = { model, coreset, learnable: { x: true, y: false, weights: true }, expert: zeros([1]) as Tensor, real, dataCount: 100 };
 * const { grad } = covarianceGradient(input, { stacked: mul(normal(key(2), [30, 1]), 0.1) }, { reduction: 'sum', pointsAtOnce: 25 });
 * ```
 */
export function covarianceGradient<P extends Tree>(
  input: DivergenceInput<P>,
  draws: CovarianceDraws<P>,
  { reduction, pointsAtOnce }: CovarianceGradientOptions,
): CovarianceEstimate {
  const { model, coreset } = input;
  const learnable = checkedLearnable(input.learnable);
  const { real, scale } = realData(input, reduction);
  const count = drawCount(draws);
  return scope(() =>
    untaped(() => {
      const points = (theta: P, batch: Batch) => logLikelihoods(model, theta, batch, pointsAtOnce);
      const [, likelihoods] = overDraws(draws, [], (none: readonly Tree[], theta) => [
        none,
        { real: points(theta, real), pseudo: points(theta, coreset) },
      ]);
      const centred = (x: Tensor): Tensor => sub(x, mean(x, 0, true));
      // Centred point by point, before the sums: of N points together float32 would keep little of what differs between draws.
      const pseudo = centred(likelihoods.pseudo);
      const ofReal = mul(sum(centred(likelihoods.real), 1), scale);
      const ofPseudo = reshape(matMul(pseudo, reshape(coreset.weights, [-1, 1])), [count]);
      const size = coreset.weights.shape[0];
      const residuals = centred(sub(ofReal, reduction === 'sum' ? ofPseudo : div(ofPseudo, size))) as Tensor1D;
      const share = div(residuals, count);
      const inPoints = pointGradient(input, draws, share, { ...learnable, weights: false }, pointsAtOnce);
      const weights = neg(reshape(matMul(reshape(share, [1, count]), pseudo), [size])) as Tensor1D;
      return {
        grad: { ...inPoints, ...(learnable.weights && { weights }) },
        value: mul(0.5, mean(square(residuals))) as Scalar,
        residuals,
      };
    }),
  );
}

/** Real points, and what their summed log likelihood is multiplied by. */
function realData<P extends Tree>(
  { real, dataCount, coreset }: DivergenceInput<P>,
  reduction: CovarianceGradientOptions['reduction'],
): { readonly real: Batch; readonly scale: number } {
  if (real === undefined) {
    throw new ConfigError('the input has no real data, which covariances with the posterior of the full data need', 'pass real');
  }
  for (const part of ['x', 'y'] as const) {
    const [found, expected] = [real[part].shape, coreset[part].shape.slice(1)];
    if (found.slice(1).join() !== expected.join() || found[0] !== real.x.shape[0] || (found[0] ?? 0) < 1) {
      throw new ShapeError(
        `real.${part} has shape [${found}], expected [batch${expected.map((n) => `, ${n}`).join('')}]`,
        'prepare real data and pseudo-points alike, inputs and targets',
      );
    }
  }
  const batch = real.x.shape[0] ?? 1;
  if (reduction === 'mean') return { real, scale: 1 / batch };
  if (dataCount === undefined || !Number.isSafeInteger(dataCount) || dataCount < 1) {
    throw new ConfigError(
      `dataCount is ${String(dataCount)}, expected the number of points of the full data`,
      "pass dataCount, or take means on both sides (reduction: 'mean')",
    );
  }
  return { real, scale: dataCount / batch };
}

function drawCount(draws: CovarianceDraws<Tree>): number {
  if ('draw' in draws) return checkInteger('count', draws.count, 2);
  const entries = treeEntries(draws.stacked);
  const count = entries[0]?.[1].shape[0] ?? 0;
  for (const [path, { shape }] of entries) {
    if (shape.length === 0 || shape[0] !== count || count < 2) {
      throw new ShapeError(
        `draws have shape [${shape}] at '${path}', expected at least two rows, the same number in all`,
        'stack draws along axis 0',
      );
    }
  }
  return count;
}

/** A `scan` over draws, with a row of `rows` for each. */
function overDraws<P extends Tree, S extends Tree, Y extends Tree | undefined>(
  draws: CovarianceDraws<P>,
  state: S,
  step: (state: S, theta: P, row: Tensor) => readonly [state: S, y?: Y],
  rows?: Tensor,
) {
  const stacked = 'stacked' in draws ? { theta: draws.stacked as Tree } : {};
  const xs: { readonly [name: string]: Tree } = { ...stacked, ...(rows && { row: rows }) };
  return scan(
    (current: S, iteration: ScanIteration<Tree>) => {
      // A row of stacked draws is like the parameters, which the type of a row does not say.
      const { theta, row } = iteration.x as unknown as { readonly theta: P; readonly row: Tensor };
      return step(current, 'draw' in draws ? draws.draw(iteration.key) : theta, row);
    },
    state,
    xs as Tree,
    'draw' in draws ? { length: draws.count, key: draws.key } : {},
  );
}

/** log p(y|x, θ) of each point, `[n]`, at most `size` points at a time. */
function logLikelihoods<P extends Tree>(model: Model<P>, params: P, { x, y }: Batch, size: number): Tensor {
  const points = x.shape[0] ?? 0;
  if (points <= size) return model.logLikelihood(params, { x, y });
  const [, [all]] = overChunks([x, y], chunkLength(points, size), [], (none: readonly Tree[], rows) => {
    const [xs, ys] = rows as readonly [Tensor, Tensor];
    return [none, [model.logLikelihood(params, { x: xs, y: ys })]];
  });
  return all as Tensor;
}

/** −Σ_s c_s ∇ Σ_m w_m f(u_m, θ_s) in inputs and labels. */
function pointGradient<P extends Tree>(
  { model, coreset }: DivergenceInput<P>,
  draws: CovarianceDraws<P>,
  coefficients: Tensor,
  of: Learnable,
  size: number,
): CoresetGrad {
  if (!of.x && !of.y) return {};
  const energy = (theta: P, { x, y, weights }: Coreset) => reduceEnergy(neg(model.logLikelihood(theta, { x, y })), weights, 'sum');
  const start: CoresetGrad = { ...(of.x && { x: zeros(coreset.x.shape) }), ...(of.y && { y: zeros(coreset.y.shape) }) };
  const [total] = overDraws(
    draws,
    start as Tree,
    (sofar, theta, coefficient) => {
      const { grad } = coresetGradient(coreset, of, (c) => mul(coefficient, chunkedEnergy(energy, theta, c, { size, of })));
      return [treeMap((a, b) => add(a, b), sofar, grad as Tree)];
    },
    coefficients,
  );
  return total as CoresetGrad;
}
