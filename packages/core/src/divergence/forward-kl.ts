import type { Scalar } from '@tensorflow/tfjs-core';
import { add, mul, scalar } from '@tensorflow/tfjs-core';
import { checkInteger } from '../check.js';
import { normalLike } from '../langevin.js';
import type { Key } from '../random.js';
import { split } from '../random.js';
import { scope } from '../scope.js';
import { untaped } from '../tape.js';
import type { Tree } from '../tree.js';
import { treeLeaves, treeMap } from '../tree.js';
import { type CoresetEnergyOptions, checkSigma, coresetEnergySettings, perturbExpert } from './coreset-energy.js';
import { descentDraws } from './descent-draws.js';
import type { Divergence, DivergenceInput } from './divergence.js';
import { type MeanPhaseDifference, meanPhaseDifference, type PhaseDraws } from './phases.js';
import type { PosteriorDraws } from './posterior-draws.js';

/** Options of `forwardKl`. */
export interface ForwardKlOptions extends CoresetEnergyOptions {
  /** K, pairs of draws. Default 30, as Kim et al. */
  readonly draws?: number;
  /** σ, standard deviation of θ⁺ around the expert. Default 0.01, theirs. */
  readonly sigma?: number;
  /** Draws of the pseudo-posterior. Default `descentDraws` with this σ, reduction and number of points at once. */
  readonly posterior?: PosteriorDraws;
}

/** Every random number of one estimate, K of each stacked along axis 0 of every leaf. */
export type ForwardKlNoise<P extends Tree> = {
  /** ε₂ ~ N(0, I) of θ⁺ = θ_D + σε₂. */
  readonly expert: P;
  /** θ⁻, draws of the pseudo-posterior. */
  readonly negative: P;
};

/** An estimate with the energies of its pairs, `[K]` each. Fresh tensors, owned by the caller. */
export type ForwardKlEstimate = MeanPhaseDifference;

/**
 * The estimate with all draws given: `forwardKl` makes them from a key.
 *
 * @throws ConfigError for negative sigma or an unknown reduction; ShapeError if the two phases have different numbers of draws.
 */
export function forwardKlEstimate<P extends Tree>(
  input: DivergenceInput<P>,
  { expert: noise, negative }: ForwardKlNoise<P>,
  options: Omit<ForwardKlOptions, 'draws' | 'posterior'> = {},
): ForwardKlEstimate {
  const { sigma = 0.01 } = options;
  const settings = coresetEnergySettings(options);
  checkSigma(sigma);
  return scope(() => {
    const positive = untaped(() => treeMap((theta, epsilon) => add(theta, mul(epsilon, sigma)), input.expert, noise));
    const [count = 0] = treeLeaves(noise)[0]?.shape ?? [];
    return meanPhaseDifference(input, { count, positive: { stacked: positive }, negative: { stacked: negative } }, settings);
  });
}

/** The input that posterior draws see: their inner step t has the augmentations after those of the `count` pairs. */
function behindPairs<P extends Tree>(input: DivergenceInput<P>, count: number): DivergenceInput<P> {
  const { augment } = input;
  if (augment === undefined) return input;
  return { ...input, augment: (x, draw) => augment(x, add(draw, scalar(count - 1, 'int32')) as Scalar) };
}

/** Draws one at a time where they are independent, else stacked. */
function negativePhase<P extends Tree>(key: Key, input: DivergenceInput<P>, posterior: PosteriorDraws, count: number): PhaseDraws<P> {
  return untaped(() => {
    if (posterior.independent === undefined) return { stacked: posterior.draw(key, input, count) };
    return { draw: posterior.independent(key, input) };
  });
}

/**
 * BPC-fKL: KL(π_D‖π_S), whose gradient is that of E averaged over the posterior of the full data minus that over π_S.
 *
 *   ∇_S KL ≈ (1/K) Σ_k ∇_S E(S, θ_D + σε₂ₖ) − ∇_S E(S, θ_k),  θ_k ~ π_S
 *
 * Kim, Choi, Lee, Lee, Ha & Lee 2022 (BPC-Divergences), where θ_k = θ_S + σε₁ₖ after plain gradient steps from an earlier
 * snapshot of the expert: `descentDraws`, the default. Any other `PosteriorDraws` may stand there, with which this is also
 * the negative phase by full HMC or a Kronecker-factored Laplace posterior of BPC-CD's Table 7. Draws count as constants.
 *
 * Augmentation: pair k sees draw k in both of its terms, inner step t of the posterior draws sees draw K + t, as in
 * `contrastiveDivergence` with its one pair; so give `sampled` augmentDraws: K for a fresh draw per pair, and one more for
 * inner steps that see another. One pair's tensors are alive at a time: memory does not grow with K (but for draws that
 * are no `independent` ones, which are stacked).
 *
 * @throws ConfigError for draws < 1, negative sigma, or values that are not finite; from `estimate` if posterior draws begin
 * at `start` and it is not given.
 * @example
 * ```ts
 * import { descentDraws, forwardKl } from '@bpc/core';
 * const divergence = forwardKl({ draws: 30, sigma: 0.01, posterior: descentDraws({ steps: 30, stepSize: 0.03 }) });
 * ```
 */
export function forwardKl(options: ForwardKlOptions = {}): Divergence {
  const { draws = 30, sigma = 0.01 } = options;
  const settings = coresetEnergySettings(options);
  checkInteger('draws', draws, 1);
  checkSigma(sigma);
  const { posterior = descentDraws({ sigma, ...settings }) } = options;
  return {
    name: 'forward-kl',
    requires: { real: false, start: posterior.requiresStart === true, synthetic: true, order: 1 },
    estimate: (key, input) =>
      scope(() => {
        const [pairsKey, posteriorKey] = split(key, 2);
        const { expert } = input;
        const positive = {
          draw: (own: Key) => untaped(() => perturbExpert(expert, sigma === 0 ? undefined : normalLike(own, expert), sigma)),
        };
        const negative = negativePhase(posteriorKey, behindPairs(input, draws), posterior, draws);
        const { grad, value } = meanPhaseDifference(input, { count: draws, key: pairsKey, positive, negative }, settings);
        return { grad, value };
      }),
  };
}
