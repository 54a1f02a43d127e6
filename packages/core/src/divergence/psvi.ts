import type { Scalar, Tensor1D } from '@tensorflow/tfjs-core';
import { div, maximum, mean } from '@tensorflow/tfjs-core';
import type { Tree } from '../tree.js';
import { descentDraws } from './descent-draws.js';
import type { Divergence, DivergenceInput } from './divergence.js';
import type { PosteriorDraws } from './posterior-draws.js';
import { covarianceDivergence } from './reverse-kl.js';

/** Settings of `psvi`. */
export interface PsviOptions {
  /** K ≥ 2, draws of the pseudo-posterior. Default 100, as in Manousakas et al.'s experiments. */
  readonly draws?: number;
  /**
   * Where the draws come from: `laplaceDraws()` is what the paper uses, for models of few parameters. Default, for
   * networks: `descentDraws()` on the weighted mean of the energies, whose step size does not depend on what weights add up to.
   */
  readonly posterior?: PosteriorDraws;
  /** Most points, real or pseudo, whose likelihood is computed at once. Default 25, as in `contrastiveDivergence`. */
  readonly pointsAtOnce?: number;
}

/**
 * Draws with the potential of the pseudo-posterior divided by Σ w where it would be divided by M. With Σ w = N a step size
 * made for a mean energy would be N/M times too long.
 */
function perUnitOfWeight(posterior: PosteriorDraws): PosteriorDraws {
  const { independent } = posterior;
  return {
    ...posterior,
    draw: (key, input, count) => posterior.draw(key, perUnit(input), count),
    ...(independent && { independent: (key, input) => independent(key, perUnit(input)) }),
  };
}

/** Weights of mean 1, and the prior scaled like them. */
function perUnit<P extends Tree>(input: DivergenceInput<P>): DivergenceInput<P> {
  const { coreset, model } = input;
  // A coreset that has lost all its weight must not turn into NaN.
  const average = maximum(mean(coreset.weights), 1e-12);
  return {
    ...input,
    coreset: { ...coreset, weights: div(coreset.weights, average) as Tensor1D },
    model: { ...model, logPrior: (params) => div(model.logPrior(params), average) as Scalar },
  };
}

/**
 * PSVI, pseudo-coreset variational inference: KL(π_S‖π_D) with points and weights learned together, sums on both sides, and
 * covariances centred over draws (`covarianceGradient` has the equations).
 *
 * Manousakas, Xu, Mascolo & Campbell 2020. Start from random points with weights N/M, learn `{ x: true, weights: true }`, and
 * keep weights non-negative (`project`); the paper takes Adam with step size i₀/(1 + i). The published code centres gradients
 * of points over their entries, so that a point's mean entry never changes; this one does not.
 *
 * @throws ConfigError for draws < 2 or pointsAtOnce < 1; when estimating, without real data or `dataCount`.
 * @example
 * ```ts
 * import { laplaceDraws, psvi } from '@bpc/core';
 * const divergence = psvi({ draws: 100, posterior: laplaceDraws({ covariance: 'diagonal' }) });
 * ```
 */
export function psvi(options: PsviOptions = {}): Divergence {
  const { draws = 100, posterior = perUnitOfWeight(descentDraws()), pointsAtOnce = 25 } = options;
  return covarianceDivergence('psvi', { draws, posterior, reduction: 'sum', pointsAtOnce });
}
