import { checkInteger } from '../check.js';
import { ConfigError } from '../errors.js';
import type { Key } from '../random.js';
import { split } from '../random.js';
import { scope } from '../scope.js';
import { untaped } from '../tape.js';
import type { Tree } from '../tree.js';
import { type CovarianceDraws, type CovarianceGradientOptions, covarianceGradient } from './covariance-gradient.js';
import { descentDraws } from './descent-draws.js';
import type { Divergence, DivergenceInput } from './divergence.js';
import type { PosteriorDraws } from './posterior-draws.js';

/** Settings of `reverseKl`. */
export interface ReverseKlOptions {
  /** K ≥ 2, draws of the pseudo-posterior. Default 30, Kim et al.'s; they use 10 for 1 and 20 images per class. */
  readonly draws?: number;
  /** Where the draws come from. Default `descentDraws()`: normals around the end of gradient descent on the coreset. */
  readonly posterior?: PosteriorDraws;
  /**
   * `'mean'` (default, Kim et al.): means of log likelihoods on both sides, which weigh a coreset with Σ w = M like the full
   * data and need no `dataCount`. `'sum'`: Σ w ℓ against the N points, for weights that add up to about N.
   */
  readonly reduction?: 'sum' | 'mean';
  /** Most points, real or pseudo, whose likelihood is computed at once. Default 25, as in `contrastiveDivergence`. */
  readonly pointsAtOnce?: number;
}

/** Draws one at a time where they are independent, else stacked. */
function drawsOf<P extends Tree>(posterior: PosteriorDraws, key: Key, input: DivergenceInput<P>, count: number): CovarianceDraws<P> {
  return untaped(() => {
    if (posterior.independent === undefined) return { stacked: posterior.draw(key, input, count) };
    const [shared, own] = split(key, 2);
    return { draw: posterior.independent(shared, input), key: own, count };
  });
}

/** A divergence whose estimate is `covarianceGradient` at draws of `posterior`. */
export function covarianceDivergence(
  name: string,
  { draws, posterior, reduction, pointsAtOnce }: CovarianceGradientOptions & { readonly draws: number; readonly posterior: PosteriorDraws },
): Divergence {
  checkInteger('draws', draws, 2);
  checkInteger('pointsAtOnce', pointsAtOnce, 1);
  if (reduction !== 'sum' && reduction !== 'mean') {
    throw new ConfigError(`reduction is '${String(reduction)}', expected 'sum' or 'mean'`, 'pass one of the two');
  }
  return {
    name,
    requires: { real: true, start: posterior.requiresStart === true, synthetic: true, order: 1 },
    estimate: (key, input) =>
      scope(() => {
        const { grad, value } = covarianceGradient(input, drawsOf(posterior, key, input, draws), { reduction, pointsAtOnce });
        return { grad, value };
      }),
  };
}

/**
 * Reverse KL, KL(π_S‖π_D): the covariance over draws of π_S of each pseudo-point's likelihood with what the coreset still
 * gets wrong about the full data (`covarianceGradient` has the equations).
 *
 * Kim, Choi, Lee, Lee, Ha & Lee 2022 (BPC-rKL): means on both sides, no augmentation in the covariances; the draws may be made
 * under augmentation (`descentDraws`). One step looks at K draws of parameters times (|B| + M) points, and M points more for
 * the gradient. Real data are prepared like the coreset, targets in the same form.
 *
 * @throws ConfigError for draws < 2, pointsAtOnce < 1 or another reduction; when estimating, without real data, or without
 * `dataCount` for `'sum'`.
 * @example
 * ```ts
 * import { descentDraws, reverseKl } from '@bpc/core';
 * const divergence = reverseKl({ draws: 30, posterior: descentDraws({ steps: 30, stepSize: 0.03, sigma: 0.01 }) });
 * ```
 */
export function reverseKl(options: ReverseKlOptions = {}): Divergence {
  const { draws = 30, posterior = descentDraws(), reduction = 'mean', pointsAtOnce = 25 } = options;
  return covarianceDivergence('reverse-kl', { draws, posterior, reduction, pointsAtOnce });
}
