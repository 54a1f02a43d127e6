import { checkInteger } from '../check.js';
import { checkLangevinSettings, normalLike } from '../langevin.js';
import { split } from '../random.js';
import { scope } from '../scope.js';
import { untaped } from '../tape.js';
import { type CoresetEnergyOptions, checkSigma, coresetChain, coresetEnergySettings, perturbExpert } from './coreset-energy.js';
import { checkDrawsFrom, type DrawsFrom, drawsOrigin, independentDraws, type PosteriorDraws } from './posterior-draws.js';

/** Options of `langevinDraws`. Step size and temperature belong to the reduced energy. */
export interface LangevinDrawsOptions extends CoresetEnergyOptions {
  /** k, Langevin steps of each draw. Default 100, as in the paper of BPC-CD. */
  readonly steps?: number;
  /** λ. Default 0.01, the paper's. */
  readonly stepSize?: number;
  /** T. Default 1e-7: over 100 steps a drift comparable with σ = 1e-3. The pseudo-posterior itself is T = 1 at `'sum'`, 1/M at `'mean'`. */
  readonly temperature?: number;
  /** σ, standard deviation of where chains start. Default 1e-3. */
  readonly sigma?: number;
  /** Default `'expert'`. */
  readonly from?: DrawsFrom;
}

/**
 * The ends of independent chains of k Langevin steps on the pseudo-posterior, each from a point of its own around the expert:
 *
 *   θ_0 = θ_D + σε,  θ_{t+1} = θ_t − λ ∇(E(S, θ_t) − log π(θ_t)) + √(2λT)·η_t
 *
 * The negative phase of BPC-CD, for any number of draws; each costs k gradients. Step t sees augmentation t + 1.
 *
 * @throws ConfigError for options outside their domains; from `draw` if the start is needed and not given.
 * @example
 * ```ts
 * import { forwardKl, langevinDraws } from '@bpc/core';
 * const divergence = forwardKl({ draws: 4, sigma: 1e-3, posterior: langevinDraws({ steps: 10, temperature: 1e-7 }) });
 * ```
 */
export function langevinDraws(options: LangevinDrawsOptions = {}): PosteriorDraws {
  const { steps = 100, stepSize = 0.01, temperature = 1e-7, sigma = 1e-3, from = 'expert' } = options;
  const chain = { ...coresetEnergySettings(options), steps: checkInteger('steps', steps, 0), stepSize, temperature };
  checkLangevinSettings(chain);
  checkSigma(sigma);
  checkDrawsFrom(from);
  return independentDraws({
    name: 'langevin',
    requiresStart: from === 'start',
    independent: (_, input) => {
      const origin = drawsOrigin(input, from, 'langevin');
      return (key) =>
        scope(() => {
          const [startKey, chainKey] = split(key, 2);
          const first = untaped(() => perturbExpert(origin, sigma === 0 ? undefined : normalLike(startKey, origin), sigma));
          return coresetChain(input, first, chainKey, chain).position;
        });
    },
  });
}
