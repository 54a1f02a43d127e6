import type { Scalar } from '@tensorflow/tfjs-core';
import { neg, scalar } from '@tensorflow/tfjs-core';
import type { Algorithm } from '../algorithm.js';
import { checkInteger } from '../check.js';
import type { Key } from '../random.js';
import { split } from '../random.js';
import { scan } from '../scan.js';
import { scope } from '../scope.js';
import { untaped } from '../tape.js';
import type { Tree } from '../tree.js';
import { type CoresetEnergyOptions, coresetEnergySettings, coresetPotential } from './coreset-energy.js';
import type { DivergenceInput } from './divergence.js';
import { checkDrawsFrom, type DrawsFrom, drawsOrigin, type PosteriorDraws } from './posterior-draws.js';

/** A sampler's state, wherever it keeps what else it needs. */
export type PositionState<P extends Tree> = { readonly position: P; readonly [part: string]: Tree };

/** Options of `algorithmDraws`. */
export interface AlgorithmDrawsOptions extends CoresetEnergyOptions {
  /** The sampler of a log density: `(logDensity) => hmc({ logDensity, … })`. Called once per estimate. */
  readonly algorithm: <P extends Tree>(logDensity: (position: P) => Scalar) => Algorithm<P, PositionState<P>, Tree>;
  /** Steps that are dropped before the first draw. Default 100. */
  readonly steps?: number;
  /** Steps per draw. Default 1: every state is one. */
  readonly thinning?: number;
  /** Default `'expert'`. */
  readonly from?: DrawsFrom;
  /** Default `'sum'`: the sampler sees log π_S itself. With `'mean'` it sees a power 1/M of it. */
  readonly reduction?: 'sum' | 'mean';
}

/**
 * Draws from π_S ∝ π(θ) exp(−Σ w ℓ) by any sampler that is an `Algorithm`: one chain from the expert, warmed up and thinned.
 *
 * With `hmc` of `@bpc/samplers` it is the full-HMC negative phase of BPC-CD's Table 7. The whole chain is one operation of
 * a compiled program, `scan`; settings of the sampler are those given, nothing is adapted. Its target must not change
 * from step to step: all of them see the coreset with augmentation 1, that of the first inner step.
 *
 * @throws ConfigError for steps < 0, thinning < 1, or an unknown reduction; from `draw` for fewer than one draw, or if the start is
 * needed and not given.
 * @example
 * ```ts
 * import { algorithmDraws, forwardKl } from '@bpc/core';
 * import { hmc } from '@bpc/samplers';
 * const posterior = algorithmDraws({ algorithm: (logDensity) => hmc({ logDensity, stepSize: 0.01, leapfrogSteps: 20 }), steps: 50 });
 * const divergence = forwardKl({ draws: 10, sigma: 0.01, posterior });
 * ```
 */
export function algorithmDraws(options: AlgorithmDrawsOptions): PosteriorDraws {
  const { algorithm, steps = 100, thinning = 1, from = 'expert', reduction = 'sum' } = options;
  const settings = coresetEnergySettings({ ...options, reduction });
  checkInteger('steps', steps, 0);
  checkInteger('thinning', thinning, 1);
  checkDrawsFrom(from);
  return {
    name: 'algorithm',
    requiresStart: from === 'start',
    draw: <P extends Tree>(key: Key, input: DivergenceInput<P>, count: number) => {
      checkInteger('count', count, 1);
      const [initKey, dropKey, drawKey] = split(key, 3);
      return untaped(() =>
        scope(() => {
          const origin = drawsOrigin(input, from, 'algorithm');
          const { init, step } = algorithm((position: P) => neg(coresetPotential(input, position, settings, scalar(1, 'int32'))));
          const advance = (state: PositionState<P>, own: Key, length: number): PositionState<P> =>
            scan((current: PositionState<P>, { key: k }) => [step(k, current)[0]] as const, state, undefined, { length, key: own })[0];
          const warm = advance(init(origin, initKey), dropKey, steps);
          const [, draws] = scan(
            (state: PositionState<P>, { key: own }) => {
              const next = advance(state, own, thinning);
              return [next, next.position] as const;
            },
            warm,
            undefined,
            { length: count, key: drawKey },
          );
          // Stacked positions have the names of positions, and one rank more.
          return draws as unknown as P;
        }),
      );
    },
  };
}
