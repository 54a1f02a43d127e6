import { type Algorithm, ConfigError, cloneTree, type Key, normalLike, scope, type Tree, treeMap, valueAndGrad } from '@bpc/core';
import type { Scalar } from '@tensorflow/tfjs-core';
import { mul, sqrt, sub } from '@tensorflow/tfjs-core';
import { checkFraction, checkFunction, checkPositive } from '../check.js';
import { addScaled, initialMomentum } from './leapfrog.js';
import {
  checkPosition,
  checkSetting,
  densityOf,
  firstStep,
  fresh,
  type LogDensityOptions,
  nextStep,
  type Setting,
  settingAt,
  tensorOf,
} from './settings.js';

/** Options of `sghmc`. */
export interface SghmcOptions<P extends Tree> extends LogDensityOptions<P> {
  /** ε > 0; a schedule gets the step, counted from 0. */
  readonly stepSize: Setting;
  /** α in (0, 1], friction × ε: the share of the momentum that a step loses. Default 0.1. */
  readonly momentumDecay?: number;
  /** T ≥ 0, 1 by default. */
  readonly temperature?: Setting;
  /**
   * β in [0, α]: how much of the noise is already in the mini-batch's gradient, whose variance is v: β = ε² v/(2T). Default 0,
   * which makes chains too wide by what the gradient's noise adds.
   */
  readonly gradientNoise?: number;
}

/** Position and momentum of the chain, and the number of steps so far (int32). */
export type SghmcState<P extends Tree> = { readonly position: P; readonly momentum: P; readonly step: Scalar };

/** log p (or its estimate) before the step, and the ε and T of the step. */
export type SghmcInfo = { readonly logDensity: Scalar; readonly stepSize: Scalar; readonly temperature: Scalar };

/**
 * One step with its noise ξ ~ N(0, I), a tree like the position, given: `p ← (1 − α)p + ε ∇log p(θ) + √(2(α − β)T)·ξ`, then
 * `θ ← θ + ε p`.
 *
 * `noise` may be left out when T is the number 0. Arguments are borrowed; results are fresh tensors.
 *
 * @throws ConfigError if T > 0 and there is no noise; ShapeError if log p is no scalar.
 */
export function sghmcStep<P extends Tree>(
  { position, momentum, step }: SghmcState<P>,
  noise: P | undefined,
  options: SghmcOptions<P>,
  data?: Tree,
): readonly [SghmcState<P>, SghmcInfo] {
  const { stepSize, momentumDecay = 0.1, temperature = 1, gradientNoise = 0 } = options;
  if (noise === undefined && temperature !== 0)
    throw new ConfigError('temperature is not 0 but there is no noise', 'pass standard normal noise');
  return scope(() => {
    const { value, grad } = valueAndGrad(densityOf(options, data))(position);
    const [epsilon, heat] = [settingAt(stepSize, step), settingAt(temperature, step)];
    const kept = sub(1, tensorOf(momentumDecay));
    const kicked = addScaled(
      treeMap((p) => mul(p, kept), momentum),
      grad,
      epsilon,
    );
    const scale = sqrt(mul(mul(heat, 2), sub(tensorOf(momentumDecay), tensorOf(gradientNoise))));
    const next = noise === undefined ? kicked : addScaled(kicked, noise, scale);
    return [
      { position: addScaled(position, next, epsilon), momentum: next, step: nextStep(step) },
      { logDensity: value, stepSize: fresh(epsilon), temperature: fresh(heat) },
    ] as const;
  });
}

/**
 * Stochastic-gradient Hamiltonian Monte Carlo (Chen, Fox & Guestrin 2014, equation 15).
 *
 * `p ← (1 − α)p + ε ∇log p(θ; data) + N(0, 2(α − β)T)`, `θ ← θ + ε p`: one gradient per step, no rejections. α is friction ×
 * step size, and ε here is the square root of the paper's η. Leaves exp(log p/T) invariant up to a bias of order ε; friction
 * makes it robust to the noise of mini-batches (`minibatchLogDensity`), which β accounts for. `init` draws p ~ N(0, T).
 *
 * @throws ConfigError on options outside their domains; `init` throws ShapeError for a position with integers.
 * @example
 * ```ts
 * import { mul, square, sum, type Tensor, tensor1d } from '@tensorflow/tfjs-core';
 * import { jsRuntime } from '@bpc/compiler';
 * import { foldIn, key } from '@bpc/core';
 * import { sghmc } from '@bpc/samplers';
 * const { init, step } = sghmc({ logDensity: (x: Tensor) => mul(sum(square(x)), -0.5), stepSize: 0.1, momentumDecay: 0.1 });
 * const program = jsRuntime().compile(step);
 * let state = init(tensor1d([1, 2]), key(0));
 * for (let i = 0; i < 10; i++) [state] = await program(foldIn(key(1), i), state);
 * ```
 */
export function sghmc<P extends Tree>(options: SghmcOptions<P>): Algorithm<P, SghmcState<P>, SghmcInfo> {
  const { logDensity, stepSize, momentumDecay = 0.1, temperature = 1, gradientNoise = 0 } = options;
  checkFunction('logDensity', logDensity);
  checkSetting('stepSize', stepSize);
  checkSetting('temperature', temperature, true);
  checkPositive('momentumDecay', momentumDecay);
  checkFraction('momentumDecay', momentumDecay, true);
  checkFraction('gradientNoise', gradientNoise, true);
  if (gradientNoise > momentumDecay) {
    throw new ConfigError(
      `gradientNoise is ${gradientNoise}, expected at most momentumDecay, ${momentumDecay}`,
      'raise momentumDecay, or lower the step size',
    );
  }
  const draw = (key: Key, position: P) => (temperature === 0 ? undefined : normalLike(key, position));
  return {
    init(position, key) {
      checkPosition(position);
      return scope(() => {
        const step = firstStep();
        return { position: cloneTree(position), momentum: initialMomentum(key, position, settingAt(temperature, step)), step };
      });
    },
    step: (key, state, data) => scope(() => sghmcStep(state, draw(key, state.position), options, data)),
  };
}
