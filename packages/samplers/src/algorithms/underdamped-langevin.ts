import { type Algorithm, ConfigError, cloneTree, normalLike, scope, type Tree, treeMap } from '@bpc/core';
import type { Scalar } from '@tensorflow/tfjs-core';
import { exp, mul, neg, onesLike, sqrt, square, sub } from '@tensorflow/tfjs-core';
import { checkFunction } from '../check.js';
import { addScaled, hamiltonian, initialMomentum, phasePoint } from './leapfrog.js';
import { checkGivenInverseMass, metricOf } from './metric.js';
import {
  checkPosition,
  checkPositiveScalar,
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

/** Options of `underdampedLangevin`. */
export interface UnderdampedLangevinOptions<P extends Tree> extends LogDensityOptions<P> {
  /** ε > 0; a schedule gets the step, counted from 0. */
  readonly stepSize: Setting;
  /** γ ≥ 0, the rate per unit of time at which momentum is forgotten. Default 1. */
  readonly friction?: number | Scalar;
  /** T ≥ 0, 1 by default. */
  readonly temperature?: Setting;
  /** M⁻¹: a tree like the position, or a covariance `[d, d]` for a position that is one vector `[d]`. Ones by default. */
  readonly inverseMass?: P;
}

/**
 * Position and whitened momentum r = Lᵀp (M⁻¹ = L Lᵀ), log p and its gradient at the position, and the number of steps so far
 * (int32).
 */
export type UnderdampedLangevinState<P extends Tree> = {
  readonly position: P;
  readonly momentum: P;
  readonly logDensity: Scalar;
  readonly gradient: P;
  readonly step: Scalar;
};

/** log p and H = ½‖r‖² − log p after the step, and the ε and T of the step. */
export type UnderdampedLangevinInfo = {
  readonly logDensity: Scalar;
  readonly energy: Scalar;
  readonly stepSize: Scalar;
  readonly temperature: Scalar;
};

const metricFor = <P extends Tree>(position: P, inverseMass: P | undefined) =>
  metricOf(inverseMass ?? treeMap((x) => onesLike(x), position), position);

/**
 * One step with its noise ξ ~ N(0, I), a tree like the position, given: kick, drift, noise, drift, kick.
 *
 * `noise` may be left out when T is the number 0. Arguments are borrowed; results are fresh tensors.
 *
 * @throws ConfigError if T > 0 and there is no noise; ShapeError if log p is no scalar.
 */
export function underdampedLangevinStep<P extends Tree>(
  state: UnderdampedLangevinState<P>,
  noise: P | undefined,
  options: UnderdampedLangevinOptions<P>,
  data?: Tree,
): readonly [UnderdampedLangevinState<P>, UnderdampedLangevinInfo] {
  const { stepSize, friction = 1, temperature = 1, inverseMass } = options;
  if (noise === undefined && temperature !== 0) {
    throw new ConfigError('temperature is not 0 but there is no noise', 'pass standard normal noise');
  }
  return scope(() => {
    const { position, momentum, gradient, step } = state;
    const metric = metricFor(position, inverseMass);
    const [epsilon, heat] = [settingAt(stepSize, step), settingAt(temperature, step)];
    const half: Scalar = mul(epsilon, 0.5);
    const loss: Scalar = mul(tensorOf(friction), epsilon);
    const kept = exp(neg(loss));
    const kicked = addScaled(momentum, metric.force(gradient), half);
    const middle = addScaled(position, metric.velocity(kicked), half);
    const spread = sqrt(mul(heat, sub(1, square(kept))));
    const faded = treeMap((r) => mul(r, kept), kicked);
    const renewed = noise === undefined ? faded : addScaled(faded, noise, spread);
    const end = phasePoint(addScaled(middle, metric.velocity(renewed), half), renewed, densityOf(options, data));
    const next = { ...end, momentum: addScaled(renewed, metric.force(end.gradient), half) };
    return [
      { ...next, step: nextStep(step) },
      { logDensity: fresh(end.logDensity), energy: hamiltonian(next), stepSize: fresh(epsilon), temperature: fresh(heat) },
    ] as const;
  });
}

/**
 * Underdamped Langevin dynamics by the BAOAB splitting (Leimkuhler & Matthews 2013).
 *
 * With r the whitened momentum, M⁻¹ = L Lᵀ and c = exp(−γε):
 * `B: r ← r + ε/2·Lᵀ∇log p(θ)`, `A: θ ← θ + ε/2·L r`, `O: r ← c r + √(T(1 − c²))·ξ`, `A`, `B`. One gradient per step, no
 * rejections. Leaves exp(log p/T) invariant up to a bias of order ε², for positions; on a Gaussian their variance is exact for
 * every stable ε. `init` draws r ~ N(0, T).
 *
 * log p and its gradient are kept in the state, so `init` needs the `data` of `step`. When data change from step to step
 * (mini-batches), each batch's gradient serves for the last kick of its own step and the first of the next.
 *
 * @throws ConfigError on options outside their domains; `init` throws ShapeError for a position with integers, an inverse mass
 * of another shape, or a log density that is no scalar.
 * @example
 * ```ts
 * import { mul, square, sum, type Tensor, tensor1d } from '@tensorflow/tfjs-core';
 * import { jsRuntime } from '@bpc/compiler';
 * import { foldIn, key } from '@bpc/core';
 * import { underdampedLangevin } from '@bpc/samplers';
 * const { init, step } = underdampedLangevin({ logDensity: (x: Tensor) => mul(sum(square(x)), -0.5), stepSize: 0.5 });
 * const program = jsRuntime().compile(step);
 * let state = init(tensor1d([1, 2]), key(0));
 * for (let i = 0; i < 10; i++) [state] = await program(foldIn(key(1), i), state);
 * ```
 */
export function underdampedLangevin<P extends Tree>(
  options: UnderdampedLangevinOptions<P>,
): Algorithm<P, UnderdampedLangevinState<P>, UnderdampedLangevinInfo> {
  const { logDensity, stepSize, friction = 1, temperature = 1, inverseMass } = options;
  checkFunction('logDensity', logDensity);
  checkSetting('stepSize', stepSize);
  checkPositiveScalar('friction', friction, true);
  checkSetting('temperature', temperature, true);
  return {
    init(position, key, data) {
      checkPosition(position);
      if (inverseMass !== undefined) checkGivenInverseMass(inverseMass, position);
      return scope(() => {
        const step = firstStep();
        const momentum = initialMomentum(key, position, settingAt(temperature, step));
        return { ...phasePoint(cloneTree(position), momentum, densityOf(options, data)), step };
      });
    },
    step: (key, state, data) =>
      scope(() => underdampedLangevinStep(state, temperature === 0 ? undefined : normalLike(key, state.position), options, data)),
  };
}
