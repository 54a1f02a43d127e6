import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import { add, div, maximum, mul, scalar, squaredDifference, sub, sum } from '@tensorflow/tfjs-core';
import { checkInteger, checkRange } from '../check.js';
import type { CoresetGrad } from '../coreset.js';
import { learnable as checkedLearnable } from '../coreset.js';
import { ConfigError } from '../errors.js';
import { scope } from '../scope.js';
import { untaped } from '../tape.js';
import type { Tree } from '../tree.js';
import { isTensor, treeLeaves, treeMap } from '../tree.js';
import { type CoresetEnergyOptions, coresetEnergySettings } from './coreset-energy.js';
import type { Divergence, DivergenceInput } from './divergence.js';
import { descentGradient, descentPath } from './unrolled-descent.js';

/** Settings of `wasserstein`. */
export interface WassersteinOptions extends CoresetEnergyOptions {
  /** T, inner steps on the coreset. Default 30, Kim et al.'s for 10 and 20 images per class; 50 for one. */
  readonly steps?: number;
  /** α, or where it starts if it is learned. Default 0.03, Kim et al.'s for 10 and 20 images per class; 0.01 for one. */
  readonly stepSize?: number;
  /**
   * Learns α along with the coreset: v ← μ v + ∂L/∂α, α ← max(α − ηv, α₀/1000), so that it stays positive. η by Kim et al.
   * is 1e-5 (1e-7 for one image per class); μ is 0.5 by default. Left out, α stays what it is.
   */
  readonly learnStepSize?: { readonly learningRate: number; readonly momentum?: number };
  /** Divides by ‖θ_start − θ_D‖², as trajectory matching does. Default true. */
  readonly normalise?: boolean;
}

/** An estimate with what tests and diagnostics look at. Fresh tensors, owned by the caller. */
export type WassersteinEstimate<P extends Tree> = {
  readonly grad: CoresetGrad;
  /** The loss. */
  readonly value: Scalar;
  /** ‖θ_S − θ_D‖². */
  readonly squaredDistance: Scalar;
  /** ∂L/∂α. */
  readonly stepSizeGradient: Scalar;
  /** θ_S, where the inner steps end. */
  readonly end: P;
};

/** α and its velocity. */
type StepSizeState = { readonly stepSize: Scalar; readonly velocity: Scalar };

type Settings = Required<Omit<WassersteinOptions, 'learnStepSize'>>;

/** α shrinks no further than by this factor: at 0 the inner steps would stand still, and so would everything that is learned. */
const LEAST = 1e-3;

function settingsOf({ steps = 30, stepSize = 0.03, normalise = true, ...energy }: WassersteinOptions): Settings {
  checkInteger('steps', steps, 1);
  if (!Number.isFinite(stepSize) || stepSize <= 0) {
    throw new ConfigError(`stepSize is ${stepSize}, expected a finite number > 0`, 'pass a positive stepSize');
  }
  return { steps, stepSize, normalise, ...coresetEnergySettings(energy) };
}

const squaredDistance = (a: Tree, b: Tree): Scalar =>
  treeLeaves(treeMap((x, y) => sum(squaredDifference(x, y)), a, b)).reduce((total, term): Tensor => add(total, term)) as Scalar;

/**
 * The estimate at a step size, which may be a scalar tensor: `wasserstein` keeps a learned one in its state.
 *
 * @throws ConfigError for settings outside their domains, or without `input.start`.
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { ones, type Tensor1D, tensor2d } from '@tensorflow/tfjs-core';
 * import { crossEntropyEnergy, key, supervised, wassersteinEstimate } from '@bpc/core';
 * import { mlp } from '@bpc/models';
 * const network = mlp({ inputShape: [2], outputs: 2, hidden: [8] });
 * const model = supervised({ network, energy: crossEntropyEnergy() });
 * const coreset = { x: tensor2d([[1, 0], [0, 1]]), y: tensor2d([[1, 0], [0, 1]]), weights: ones([2]) as Tensor1D };
 * // Two snapshots of one training run belong here; two untrained networks stand in for them.
 * const [start, expert] = [network.init(key(0)), network.init(key(1))];
 * const input = { model, coreset, learnable: { x: true, y: false, weights: false }, expert, start };
 * const { grad, stepSizeGradient } = wassersteinEstimate(input, { steps: 5, stepSize: 0.1 });
 * ```
 */
export function wassersteinEstimate<P extends Tree>(
  input: DivergenceInput<P>,
  options: Omit<WassersteinOptions, 'stepSize' | 'learnStepSize'> & { readonly stepSize?: number | Scalar },
): WassersteinEstimate<P> {
  const { stepSize: given = 0.03, ...rest } = options;
  const settings = settingsOf(typeof given === 'number' ? { ...rest, stepSize: given } : rest);
  const { start, expert } = input;
  if (start === undefined) {
    throw new ConfigError(
      'the input has no start, where the inner steps begin',
      'pass an earlier snapshot of the expert as start (sampled: expertEpochs: 1 or more)',
    );
  }
  checkedLearnable(input.learnable);
  return scope(() =>
    untaped(() => {
      const descent = { ...settings, stepSize: isTensor(given) ? given : scalar(settings.stepSize) };
      const { end, path } = descentPath(input, start, descent);
      const scale = settings.normalise ? squaredDistance(start, expert) : scalar(1);
      const atEnd = treeMap((a, b) => div(mul(2, sub(a, b)), scale), end, expert);
      const { grad, stepSize: stepSizeGradient } = descentGradient(input, path, atEnd, descent);
      const distance = squaredDistance(end, expert);
      return { grad, value: div(distance, scale) as Scalar, squaredDistance: distance, stepSizeGradient, end };
    }),
  );
}

/**
 * Wasserstein pseudo-coresets, and trajectory matching: how far T gradient steps on the coreset end from the expert,
 *
 * L(S, α) = ‖θ_T − θ_D‖² / ‖θ_start − θ_D‖², θ_0 = θ_start, θ_{t+1} = θ_t − α ∇_θ [E(A_t(S), θ_t) − log π(θ_t)],
 *
 * with the gradient through all T steps. For q_S = N(θ_T, σ²I) and q_D = N(θ_D, σ²I), W₂² is the numerator. Kim et al. 2022
 * (BPC-W); Cazenavette et al. 2022. Every step has an augmentation of its own, applied to the coreset itself: step t uses
 * draw t + 1. The model's prior acts in the inner steps, divided by M for `reduction: 'mean'`; the papers have none.
 *
 * Second derivatives: every operation of the model needs a rule that is safe at order 2. θ_0 … θ_{T−1} are kept, T times the
 * parameters; activations of one step and `pointsAtOnce` points are alive at a time, whatever T and M. With `learnStepSize`
 * the state is { stepSize, velocity }. A start that equals the expert makes L infinite or NaN unless `normalise` is false.
 *
 * @throws ConfigError for steps < 1, stepSize ≤ 0, learningRate < 0, momentum outside [0, 1) or pointsAtOnce < 1; when
 * estimating, without `start`.
 * @example
 * ```ts
 * import { wasserstein } from '@bpc/core';
 * const divergence = wasserstein({ steps: 30, stepSize: 0.03, learnStepSize: { learningRate: 1e-5 } });
 * ```
 */
export function wasserstein(options: WassersteinOptions = {}): Divergence {
  const { learnStepSize, ...rest } = options;
  const settings = settingsOf(rest);
  const requires = { real: false, start: true, synthetic: true, order: 2 } as const;
  if (learnStepSize === undefined) {
    return {
      name: 'wasserstein',
      requires,
      estimate: (_, input) =>
        scope(() => {
          const { grad, value } = wassersteinEstimate(input, settings);
          return { grad, value };
        }),
    };
  }
  const learningRate = checkRange('learnStepSize.learningRate', learnStepSize.learningRate);
  const momentum = checkRange('learnStepSize.momentum', learnStepSize.momentum ?? 0.5, 0, 1);
  return {
    name: 'wasserstein',
    requires,
    init: (): StepSizeState => ({ stepSize: scalar(settings.stepSize), velocity: scalar(0) }),
    estimate: (_, input) =>
      scope(() => {
        const { stepSize, velocity } = stateOf(input.state);
        const { grad, value, stepSizeGradient } = wassersteinEstimate(input, { ...settings, stepSize });
        const moved = add(mul(velocity, momentum), stepSizeGradient) as Scalar;
        const next = maximum(sub(stepSize, mul(moved, learningRate)), settings.stepSize * LEAST) as Scalar;
        return { grad, value, state: { stepSize: next, velocity: moved } };
      }),
  };
}

function stateOf(state: Tree | undefined): StepSizeState {
  const { stepSize, velocity } = (state ?? {}) as Partial<StepSizeState>;
  if (stepSize === undefined || velocity === undefined) {
    throw new ConfigError('the input has no state with the learned step size', 'pass what init made or the last estimate returned');
  }
  return { stepSize, velocity };
}
