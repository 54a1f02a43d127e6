import type { Scalar, Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import { add, div, mul, neg, scalar, sub } from '@tensorflow/tfjs-core';
import type { Coreset, CoresetGrad } from '../coreset.js';
import { reduceEnergy } from '../energy.js';
import { ConfigError } from '../errors.js';
import { type ChainNoise, checkLangevinSettings, type LangevinChain, langevinChain, normalLike } from '../langevin.js';
import { split } from '../random.js';
import { cloneTree, scope } from '../scope.js';
import { untaped } from '../tape.js';
import type { Tree } from '../tree.js';
import { treeMap } from '../tree.js';
import { chunkedEnergy, type EnergyArgument } from './chunked-energy.js';
import { coresetGradient } from './coreset-gradient.js';
import type { Divergence, DivergenceInput } from './divergence.js';

/** Settings of `contrastiveDivergence`. Step size and temperature belong to the reduced energy. */
export interface ContrastiveDivergenceOptions {
  /** k, Langevin steps of the negative phase. Default 10, as in the released configurations (the paper: 100). */
  readonly steps?: number;
  /** λ. Default 0.01, the paper's. */
  readonly stepSize?: number;
  /** T. Default 0, as in the released code; 1e-8 to 1e-6 gives a drift comparable with σ = 1e-3 over 100 steps. */
  readonly temperature?: number;
  /** Energy of the coreset: Σ w ℓ (the paper) or (1/M) Σ w ℓ (the released code, default). λ and T scale with it. */
  readonly reduction?: 'sum' | 'mean';
  /** σ, standard deviation of θ⁺ around the expert. Default 1e-3, the paper's best. */
  readonly sigma?: number;
  /**
   * Most points whose energy is computed at once; a larger coreset is taken in chunks of that many, which bounds memory and
   * changes sums by rounding only. Default 25: from there on a ConvNet's time per image was measured not to shrink.
   */
  readonly pointsAtOnce?: number;
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
  const settings = { steps: 10, stepSize: 0.01, temperature: 0, reduction: 'mean', sigma: 1e-3, pointsAtOnce: 25, ...options } as const;
  const { steps, reduction, sigma, pointsAtOnce } = settings;
  if (!Number.isInteger(steps) || steps < 1)
    throw new ConfigError(`steps is ${steps}, expected an integer >= 1`, 'pass a positive integer');
  if (!Number.isFinite(sigma) || sigma < 0)
    throw new ConfigError(`sigma is ${sigma}, expected a finite number >= 0`, 'pass a non-negative sigma');
  if (reduction !== 'sum' && reduction !== 'mean') {
    throw new ConfigError(`reduction is '${String(reduction)}', expected 'sum' or 'mean'`, 'pass one of the two');
  }
  if (!Number.isInteger(pointsAtOnce) || pointsAtOnce < 1)
    throw new ConfigError(`pointsAtOnce is ${pointsAtOnce}, expected an integer >= 1`, 'pass a positive integer');
  checkLangevinSettings(settings);
  return settings;
}

/** A sum over points, divided by their number for `'mean'`: by a factor, it would be rounded to float32. */
const overPoints = (sum: Scalar, { weights }: Coreset, reduction: Settings['reduction']): Scalar =>
  reduction === 'sum' ? sum : div(sum, weights.shape[0]);

/** E(S, θ) with the inputs augmented by draw `draw`, to be differentiated in `of`. */
function energyOf<P extends Tree>(
  { model, augment }: DivergenceInput<P>,
  coreset: Coreset,
  params: P,
  { reduction, pointsAtOnce }: Settings,
  draw: Scalar,
  of: EnergyArgument,
): Scalar {
  const energy = (theta: P, { x, y, weights }: Coreset) => reduceEnergy(neg(model.logLikelihood(theta, { x, y })), weights, 'sum');
  const augmented = augment === undefined ? coreset : { ...coreset, x: augment(coreset.x, draw) };
  const total = chunkedEnergy(energy, params, augmented, { size: pointsAtOnce, of });
  return overPoints(total, coreset, reduction);
}

/** θ⁺ = θ_D + σ ε. Fresh tensors. */
export function perturbExpert<P extends Tree>(expert: P, noise: P | undefined, sigma: number): P {
  if (sigma === 0 || noise === undefined) return cloneTree(expert);
  return scope(() => treeMap((theta, epsilon) => add(theta, mul(epsilon, sigma)), expert, noise));
}

/**
 * k Langevin steps on the pseudo-posterior: the potential is E(S, θ) − log π(θ) (divided by M for `'mean'`).
 *
 * Outside of every tape, and with one step's tensors alive at a time: memory does not grow with k, and in a compiled
 * program neither does the time to compile.
 */
export function contrastiveChain<P extends Tree>(
  input: DivergenceInput<P>,
  from: P,
  noise: ChainNoise<P>,
  options: ContrastiveDivergenceOptions,
): LangevinChain<P> {
  const settings = settingsOf(options);
  const potential = (params: P, step: Scalar): Tensor =>
    sub(
      energyOf(input, input.coreset, params, settings, add(step, scalar(1, 'int32')), 'params'),
      overPoints(input.model.logPrior(params), input.coreset, settings.reduction),
    );
  return untaped(() => langevinChain(from, noise, { ...settings, energy: potential }));
}

/**
 * The estimate with all noise given: `contrastiveDivergence` draws it from a key.
 *
 * ∇_S L ≈ ∇_S E(S, θ⁺) − ∇_S E(S, sg θ⁻), with θ⁻ the end of k Langevin steps on E(S, ·) from θ⁺.
 */
export function contrastiveEstimate<P extends Tree>(
  input: DivergenceInput<P>,
  noise: ContrastiveNoise<P>,
  options: ContrastiveDivergenceOptions,
): ContrastiveEstimate<P> {
  const settings = settingsOf(options);
  return scope(() => {
    const positive = untaped(() => perturbExpert(input.expert, noise.expert, settings.sigma));
    const { position: negative, energies } = contrastiveChain(input, positive, noise.chain, settings);
    // One phase after the other, so that only one of the two tapes is alive. Draw 0 in both: with different augmentations
    // the difference would not vanish at θ⁺ = θ⁻.
    const phase = (params: P) =>
      coresetGradient(input.coreset, input.learnable, (coreset) =>
        energyOf(input, coreset, params, settings, scalar(0, 'int32'), input.learnable),
      );
    const plus = phase(positive);
    const minus = phase(negative);
    return {
      grad: treeMap((a, b) => sub(a, b), plus.grad as Tree, minus.grad as Tree) as CoresetGrad,
      value: sub(plus.value, minus.value) as Scalar,
      energyPlus: plus.value,
      energyMinus: minus.value,
      negative,
      chainEnergies: energies,
    };
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
 * @throws ConfigError for steps < 1, stepSize ≤ 0, negative temperature or sigma, or values that are not finite.
 * @example
 * ```ts
 * import { contrastiveDivergence } from '@bpc/core';
 * const divergence = contrastiveDivergence({ steps: 10, stepSize: 0.01, temperature: 1e-7 });
 * ```
 */
export function contrastiveDivergence(options: ContrastiveDivergenceOptions = {}): Divergence {
  const settings = settingsOf(options);
  return {
    name: 'contrastive-divergence',
    requires: { real: false, synthetic: true, order: 1 },
    estimate: (key, input) =>
      scope(() => {
        const [expertKey, chainKey] = split(key, 2);
        const { grad, value } = contrastiveEstimate(
          input,
          {
            expert: settings.sigma === 0 ? undefined : normalLike(expertKey, input.expert),
            chain: chainKey,
          },
          settings,
        );
        return { grad, value };
      }),
  };
}
