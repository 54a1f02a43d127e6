import type { Scalar, Tensor1D } from '@tensorflow/tfjs-core';
import { scalar } from '@tensorflow/tfjs-core';
import { checkInteger } from '../check.js';
import type { CoresetGrad } from '../coreset.js';
import { ConfigError } from '../errors.js';
import { type ChainNoise, checkLangevinSettings, normalLike } from '../langevin.js';
import { split } from '../random.js';
import { cloneTree, scope } from '../scope.js';
import { untaped } from '../tape.js';
import type { Tree } from '../tree.js';
import { treeLeaves, treeUnflatten } from '../tree.js';
import { type CoresetEnergyOptions, checkSigma, coresetChain, coresetEnergySettings, perturbExpert } from './coreset-energy.js';
import type { Divergence, DivergenceInput } from './divergence.js';
import { phaseDifference } from './phases.js';

/** Settings of `contrastiveDivergence`. Step size and temperature belong to the reduced energy. */
export interface ContrastiveDivergenceOptions extends CoresetEnergyOptions {
  /** k, Langevin steps of the negative phase. Default 10, as in the released configurations (the paper: 100). */
  readonly steps?: number;
  /** λ. Default 0.01, the paper's. */
  readonly stepSize?: number;
  /** T. Default 0, as in the released code; 1e-8 to 1e-6 gives a drift comparable with σ = 1e-3 over 100 steps. */
  readonly temperature?: number;
  /** σ, standard deviation of θ⁺ around the expert. Default 1e-3, the paper's best. */
  readonly sigma?: number;
  /**
   * Whether the negative chain goes on from the last estimate's θ⁻ instead of starting at θ⁺. Default false, as in the
   * paper. The chain begins at `model.init(key)`, never at an expert, and moves slowly enough only if the coreset does.
   */
  readonly persistent?: boolean;
}

/** Every random number of one estimate. */
export interface ContrastiveNoise<P extends Tree> {
  /** ε ~ N(0, I) of θ⁺ = θ_D + σε. */
  readonly expert: P | undefined;
  /** η_t ~ N(0, I) of step t: a key, or the draws of all steps stacked along axis 0. */
  readonly chain: ChainNoise<P>;
}

/** An estimate with what tests and diagnostics look at. Fresh tensors, owned by the caller. */
export type ContrastiveEstimate<P extends Tree> = {
  readonly grad: CoresetGrad;
  /** E(S, θ⁺) − E(S, θ⁻). */
  readonly value: Scalar;
  readonly energyPlus: Scalar;
  readonly energyMinus: Scalar;
  /** θ⁻, the end of the chain. */
  readonly negative: P;
  /** Potential before each step of the chain, `[steps]`. */
  readonly chainEnergies: Tensor1D;
};

type Settings = Required<ContrastiveDivergenceOptions>;

function settingsOf(options: ContrastiveDivergenceOptions): Settings {
  const { steps = 10, stepSize = 0.01, temperature = 0, sigma = 1e-3, persistent = false } = options;
  checkInteger('steps', steps, 1);
  checkSigma(sigma);
  checkLangevinSettings({ stepSize, temperature });
  if (typeof persistent !== 'boolean') {
    throw new ConfigError(`persistent is ${String(persistent)}, expected true or false`, 'pass a boolean');
  }
  return { steps, stepSize, temperature, sigma, persistent, ...coresetEnergySettings(options) };
}

/** Where the chain starts: θ⁺, or where the last one ended. */
function chainStart<P extends Tree>(positive: P, { state }: DivergenceInput<P>, { persistent }: Settings): P {
  if (!persistent) return positive;
  if (state === undefined) {
    throw new ConfigError(
      'state is not given, but the negative chain is persistent',
      'pass what init or the last estimate returned as state; sampled does',
    );
  }
  // The state is a copy of parameters, and has no type of its own.
  return treeUnflatten(positive, treeLeaves(state));
}

/**
 * The estimate with all noise given: `contrastiveDivergence` draws it from a key.
 *
 * ∇_S L ≈ ∇_S E(S, θ⁺) − ∇_S E(S, sg θ⁻), with θ⁻ the end of k Langevin steps on E(S, ·) from θ⁺, or from `input.state`
 * for a persistent chain.
 *
 * @throws ConfigError like `contrastiveDivergence`.
 */
export function contrastiveEstimate<P extends Tree>(
  input: DivergenceInput<P>,
  noise: ContrastiveNoise<P>,
  options: ContrastiveDivergenceOptions,
): ContrastiveEstimate<P> {
  const settings = settingsOf(options);
  return scope(() => {
    const positive = untaped(() => perturbExpert(input.expert, noise.expert, settings.sigma));
    const { position: negative, energies } = coresetChain(input, chainStart(positive, input, settings), noise.chain, settings);
    const difference = phaseDifference(input, { positive, negative }, settings, scalar(0, 'int32'));
    return { ...difference, negative, chainEnergies: energies };
  });
}

/**
 * BPC-CD: KL(π_D‖π_S) − KL(Π^k π_D‖π_S), whose gradient is that of E at the expert minus that of E after k steps.
 *
 * Tiwary, Shubham, Kashyap & Prathosh 2024, Eq. 8 and Algorithm 1, with the Langevin noise scaled by √(2λT) and the
 * reduction of the energy explicit, where paper and released code disagree. θ⁻ counts as a constant. Augmentation: the
 * chain sees draw t + 1 at step t, applied to the coreset itself each time (the released code compounds them); both loss
 * terms share draw 0. The model's prior acts in the chain only.
 *
 * With `persistent`, the chain goes on where that of the last estimate ended (Tieleman 2008), whatever the expert: θ⁻ forgets
 * where it came from and the estimate is that of the forward KL itself, as long as the coreset moves slowly. Its state is
 * one set of parameters.
 *
 * @throws ConfigError for steps < 1, stepSize ≤ 0, negative temperature or sigma, or values that are not finite; from
 * `estimate` for a persistent chain without its state.
 * @example
 * ```ts
 * import { contrastiveDivergence } from '@bpc/core';
 * const divergence = contrastiveDivergence({ steps: 10, stepSize: 0.01, temperature: 1e-7 });
 * const persistent = contrastiveDivergence({ steps: 10, stepSize: 0.01, temperature: 1e-7, persistent: true });
 * ```
 */
export function contrastiveDivergence(options: ContrastiveDivergenceOptions = {}): Divergence {
  const settings = settingsOf(options);
  const { persistent } = settings;
  return {
    name: persistent ? 'persistent-contrastive-divergence' : 'contrastive-divergence',
    requires: { real: false, synthetic: true, order: 1 },
    ...(persistent && { init: (key, model) => model.init(key) }),
    estimate: (key, input) =>
      scope(() => {
        const [expertKey, chainKey] = split(key, 2);
        const noise = { expert: settings.sigma === 0 ? undefined : normalLike(expertKey, input.expert), chain: chainKey };
        const { grad, value, negative } = contrastiveEstimate(input, noise, settings);
        return persistent ? { grad, value, state: cloneTree(negative) } : { grad, value };
      }),
  };
}
