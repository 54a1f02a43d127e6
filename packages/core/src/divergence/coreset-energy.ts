import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import { add, div, mul, neg, scalar, sub } from '@tensorflow/tfjs-core';
import { checkInteger, checkRange } from '../check.js';
import type { Coreset } from '../coreset.js';
import { reduceEnergy } from '../energy.js';
import { ConfigError } from '../errors.js';
import type { ChainNoise, LangevinChain, LangevinSettings } from '../langevin.js';
import { langevinChain } from '../langevin.js';
import { cloneTree, scope } from '../scope.js';
import { untaped } from '../tape.js';
import type { Tree } from '../tree.js';
import { treeMap } from '../tree.js';
import { chunkedEnergy, type EnergyArgument } from './chunked-energy.js';
import type { DivergenceInput } from './divergence.js';

/** How the energy of a coreset is computed. */
export interface CoresetEnergyOptions {
  /** Energy of the coreset: Σ w ℓ (the paper of BPC-CD) or (1/M) Σ w ℓ (the released codes, default). Step sizes and temperatures scale with it. */
  readonly reduction?: 'sum' | 'mean';
  /**
   * Most points whose energy is computed at once; a larger coreset is taken in chunks of that many, which bounds memory and
   * changes sums by rounding only. Default 25: from there on a ConvNet's time per image was measured not to shrink.
   */
  readonly pointsAtOnce?: number;
}

/** @throws ConfigError if a setting is outside its domain. */
export function coresetEnergySettings({ reduction = 'mean', pointsAtOnce = 25 }: CoresetEnergyOptions): Required<CoresetEnergyOptions> {
  if (reduction !== 'sum' && reduction !== 'mean') {
    throw new ConfigError(`reduction is '${String(reduction)}', expected 'sum' or 'mean'`, 'pass one of the two');
  }
  checkInteger('pointsAtOnce', pointsAtOnce, 1);
  return { reduction, pointsAtOnce };
}

/** @throws ConfigError unless σ is finite and not negative. */
export const checkSigma = (sigma: number): number => checkRange('sigma', sigma);

/** A sum over points, divided by their number for `'mean'`: by a factor, it would be rounded to float32. */
const overPoints = (sum: Scalar, { weights }: Coreset, reduction: 'sum' | 'mean'): Scalar =>
  reduction === 'sum' ? sum : div(sum, weights.shape[0]);

/** E(S, θ) with the inputs augmented by draw `draw`, to be differentiated in `of`. */
export function coresetEnergy<P extends Tree>(
  { model, augment }: DivergenceInput<P>,
  coreset: Coreset,
  params: P,
  { reduction, pointsAtOnce }: Required<CoresetEnergyOptions>,
  draw: Scalar,
  of: EnergyArgument,
): Scalar {
  const energy = (theta: P, { x, y, weights }: Coreset) => reduceEnergy(neg(model.logLikelihood(theta, { x, y })), weights, 'sum');
  const augmented = augment === undefined ? coreset : { ...coreset, x: augment(coreset.x, draw) };
  const total = chunkedEnergy(energy, params, augmented, { size: pointsAtOnce, of });
  return overPoints(total, coreset, reduction);
}

/** E(S, θ) − log π(θ), divided by M for `'mean'`: −log of the pseudo-posterior, up to a constant. */
export function coresetPotential<P extends Tree>(
  input: DivergenceInput<P>,
  params: P,
  settings: Required<CoresetEnergyOptions>,
  draw: Scalar,
): Scalar {
  const { coreset, model } = input;
  return sub(
    coresetEnergy(input, coreset, params, settings, draw, 'params'),
    overPoints(model.logPrior(params), coreset, settings.reduction),
  );
}

/** Settings of a chain on the potential of a coreset. */
export interface CoresetChainSettings extends Required<CoresetEnergyOptions>, LangevinSettings {
  /** k, Langevin steps; gradient steps at temperature 0. */
  readonly steps: number;
}

/**
 * k Langevin steps on the pseudo-posterior; step t sees augmentation t + 1 of the coreset itself.
 *
 * Outside of every tape, and with one step's tensors alive at a time: memory does not grow with k, and in a compiled
 * program neither does the time to compile.
 */
export function coresetChain<P extends Tree>(
  input: DivergenceInput<P>,
  from: P,
  noise: ChainNoise<P>,
  settings: CoresetChainSettings,
): LangevinChain<P> {
  const energy = (params: P, step: Scalar): Tensor => coresetPotential(input, params, settings, add(step, scalar(1, 'int32')));
  return untaped(() => langevinChain(from, noise, { ...settings, energy }));
}

/** θ + σ ε, as in θ⁺ = θ_D + σ ε. Fresh tensors. */
export function perturbExpert<P extends Tree>(expert: P, noise: P | undefined, sigma: number): P {
  if (sigma === 0 || noise === undefined) return cloneTree(expert);
  return scope(() => treeMap((theta, epsilon) => add(theta, mul(epsilon, sigma)), expert, noise));
}
