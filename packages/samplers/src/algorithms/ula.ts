import { type Algorithm, cloneTree, langevinStep, normalLike, scope, type Tree, treeMap, valueAndGrad } from '@bpc/core';
import type { Scalar } from '@tensorflow/tfjs-core';
import { neg } from '@tensorflow/tfjs-core';
import { checkFunction } from '../check.js';
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
} from './settings.js';

/** Options of `ula`. */
export interface UlaOptions<P extends Tree> extends LogDensityOptions<P> {
  /** λ > 0; a schedule gets the step, counted from 0. Stable below 2/(largest curvature of −log p). */
  readonly stepSize: Setting;
  /** T ≥ 0, 1 by default; at the number 0 the step is gradient ascent and draws no noise. */
  readonly temperature?: Setting;
}

/** Position of the chain, and the number of steps so far (int32). */
export type UlaState<P extends Tree> = { readonly position: P; readonly step: Scalar };

/** log p before the step, and the λ and T of the step. */
export type UlaInfo = { readonly logDensity: Scalar; readonly stepSize: Scalar; readonly temperature: Scalar };

/**
 * θ ← θ + λ ∇log p(θ; data) + √(2λT)·ξ, with the noise ξ ~ N(0, I), a tree like the position, given.
 *
 * `noise` may be left out when T is the number 0. Arguments are borrowed; results are fresh tensors.
 *
 * @throws ConfigError if T > 0 and there is no noise; ShapeError if log p is no scalar.
 */
export function ulaStep<P extends Tree>(
  { position, step }: UlaState<P>,
  noise: P | undefined,
  options: UlaOptions<P>,
  data?: Tree,
): readonly [UlaState<P>, UlaInfo] {
  const { stepSize, temperature = 1 } = options;
  return scope(() => {
    const { value, grad } = valueAndGrad(densityOf(options, data))(position);
    const [lambda, heat] = [settingAt(stepSize, step), settingAt(temperature, step)];
    const uphill = treeMap((g) => neg(g), grad);
    const moved = langevinStep(position, uphill, noise, { stepSize: lambda, temperature: temperature === 0 ? 0 : heat });
    return [
      { position: moved, step: nextStep(step) },
      { logDensity: value, stepSize: fresh(lambda), temperature: fresh(heat) },
    ] as const;
  });
}

/**
 * The unadjusted Langevin algorithm.
 *
 * `θ ← θ + λ ∇log p(θ) + √(2λT)·ξ`, ξ ~ N(0, I): one gradient per step, no rejections. Leaves exp(log p/T) invariant up to a
 * bias of order λ (Roberts & Tweedie 1996); on a Gaussian of precision a the variance is T/a · 1/(1 − λa/2) exactly. `mala`
 * removes the bias. A step with a NaN gradient gives a NaN position: nothing here rejects.
 *
 * @throws ConfigError if λ or T is outside its domain; `init` throws ShapeError for a position with integers.
 * @example
 * ```ts
 * import { mul, square, sum, type Tensor, tensor1d } from '@tensorflow/tfjs-core';
 * import { jsRuntime } from '@bpc/compiler';
 * import { foldIn, key } from '@bpc/core';
 * import { ula } from '@bpc/samplers';
 * const runtime = jsRuntime();
 * const { init, step } = ula({ logDensity: (x: Tensor) => mul(sum(square(x)), -0.5), stepSize: 0.1 });
 * const program = runtime.compile(step);
 * let state = init(tensor1d([1, 2]), key(0));
 * for (let i = 0; i < 10; i++) [state] = await program(foldIn(key(1), i), state);
 * ```
 */
export function ula<P extends Tree>(options: UlaOptions<P>): Algorithm<P, UlaState<P>, UlaInfo> {
  const { logDensity, stepSize, temperature = 1 } = options;
  checkFunction('logDensity', logDensity);
  checkSetting('stepSize', stepSize);
  checkSetting('temperature', temperature, true);
  return {
    init(position) {
      checkPosition(position);
      return { position: cloneTree(position), step: firstStep() };
    },
    step: (key, state, data) => scope(() => ulaStep(state, temperature === 0 ? undefined : normalLike(key, state.position), options, data)),
  };
}
