import { checkInteger } from '../check.js';
import { checkLangevinSettings, normalLike } from '../langevin.js';
import { scope } from '../scope.js';
import { untaped } from '../tape.js';
import { type CoresetEnergyOptions, checkSigma, coresetChain, coresetEnergySettings, perturbExpert } from './coreset-energy.js';
import { checkDrawsFrom, type DrawsFrom, drawsOrigin, independentDraws, type PosteriorDraws } from './posterior-draws.js';

/** Options of `descentDraws`. The step size belongs to the reduced energy. */
export interface DescentDrawsOptions extends CoresetEnergyOptions {
  /** Gradient steps. Default 30, as Kim et al. (50 at one image per class). */
  readonly steps?: number;
  /** α. Default 0.03, theirs (0.01 at one image per class). */
  readonly stepSize?: number;
  /** σ, standard deviation of draws around θ_S. Default 0.01, theirs. */
  readonly sigma?: number;
  /** Default `'start'`, the expert's earlier snapshot. */
  readonly from?: DrawsFrom;
}

/**
 * q_S = N(θ_S, σ²I) with θ_S the end of plain gradient steps of the potential from an earlier snapshot of the expert:
 *
 *   θ_0 = θ_start,  θ_{t+1} = θ_t − α ∇(E(S, θ_t) − log π(θ_t)),  θ = θ_S + σε₁
 *
 * Kim, Choi, Lee, Lee, Ha & Lee 2022 (BPC-Divergences). One descent serves all draws. Step t sees augmentation t + 1. For
 * `'mean'` the potential is divided by M, prior included.
 *
 * @throws ConfigError for options outside their domains; from `draw` if the start is needed and not given.
 * @example
 * ```ts
 * import { descentDraws, forwardKl } from '@bpc/core';
 * const divergence = forwardKl({ posterior: descentDraws({ steps: 50, stepSize: 0.01 }) });
 * ```
 */
export function descentDraws(options: DescentDrawsOptions = {}): PosteriorDraws {
  const { steps = 30, stepSize = 0.03, sigma = 0.01, from = 'start' } = options;
  const chain = { ...coresetEnergySettings(options), steps: checkInteger('steps', steps, 0), stepSize, temperature: 0 };
  checkLangevinSettings(chain);
  checkSigma(sigma);
  checkDrawsFrom(from);
  return independentDraws({
    name: 'descent',
    requiresStart: from === 'start',
    independent: (_, input) => {
      const centre = scope(() => coresetChain(input, drawsOrigin(input, from, 'descent'), undefined, chain).position);
      return (key) => untaped(() => perturbExpert(centre, sigma === 0 ? undefined : normalLike(key, centre), sigma));
    },
  });
}
