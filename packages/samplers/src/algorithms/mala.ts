import { type Algorithm, foldIn, normalLike, scope, type Tree, treeMap, uniform } from '@bpc/core';
import type { Scalar } from '@tensorflow/tfjs-core';
import { div, mul, sqrt, sub } from '@tensorflow/tfjs-core';
import { hamiltonian, leapfrogStep, type PhasePoint } from './leapfrog.js';
import { metricOf } from './metric.js';
import { metropolis } from './metropolis.js';
import { densityOf, fresh, tensorOf } from './settings.js';
import { checkTunedOptions, initTuned, type TunedOptions, type TunedState, tuning } from './tuned-state.js';

/** Options of `mala`: λ is the step size of `ula`. */
export type MalaOptions<P extends Tree> = TunedOptions<P>;

/** Position, log p and its gradient there, and what warm-up tunes. */
export type MalaState<P extends Tree> = TunedState<P>;

/** Random numbers of one transition: ξ ~ N(0, I), a tree like the position, and u ~ U[0, 1). */
export type MalaNoise<P extends Tree> = { readonly proposal: P; readonly accept: Scalar };

/** What happened in one transition. */
export type MalaInfo = {
  /** min(1, ratio), 0 if the proposal is not finite. */
  readonly acceptance: Scalar;
  /** 1 if the proposal was accepted, else 0. */
  readonly accepted: Scalar;
  /** log of the acceptance ratio, before the minimum with 0. */
  readonly logRatio: Scalar;
  readonly logDensity: Scalar;
};

/**
 * One transition with its random numbers given.
 *
 * The proposal `θ + λ M⁻¹∇log p + √(2λT)·L ξ` is one leapfrog step of size ε = √(2λ) from the momentum √T·ξ, and the ratio
 * `exp((U − U')/T)·q(θ|θ')/q(θ'|θ)` is exp((H − H')/T) of that step. Arguments are borrowed; results are fresh tensors.
 *
 * @throws ShapeError if log p is no scalar, or the inverse mass does not fit the position.
 */
export function malaStep<P extends Tree>(
  state: MalaState<P>,
  noise: MalaNoise<P>,
  options: MalaOptions<P>,
  data?: Tree,
): readonly [MalaState<P>, MalaInfo] {
  return scope(() => {
    const { position, logDensity, gradient, inverseMass } = state;
    const heat = tensorOf(options.temperature ?? 1);
    const scale = sqrt(heat);
    const twice: Scalar = mul(state.stepSize, 2);
    const start: PhasePoint<P> = { position, momentum: treeMap((xi) => mul(xi, scale), noise.proposal), logDensity, gradient };
    const end = leapfrogStep(start, {
      logDensity: densityOf(options, data),
      stepSize: sqrt(twice),
      metric: metricOf(inverseMass, position),
    });
    const logRatio: Scalar = div(sub(hamiltonian(start), hamiltonian(end)), heat);
    const {
      state: next,
      acceptance,
      accepted,
    } = metropolis({
      current: { position, logDensity, gradient },
      proposed: { position: end.position, logDensity: end.logDensity, gradient: end.gradient },
      logRatio,
      logDensity: end.logDensity,
      uniform: noise.accept,
    });
    return [
      { ...next, ...tuning(state) },
      { acceptance, accepted, logRatio, logDensity: fresh(next.logDensity) },
    ] as const;
  });
}

/**
 * The Metropolis-adjusted Langevin algorithm (Roberts & Tweedie 1996).
 *
 * `θ' = θ + λ M⁻¹∇log p(θ) + √(2λT)·L ξ` with M⁻¹ = L Lᵀ, accepted with probability
 * `min(1, exp((U − U')/T)·q(θ|θ')/q(θ'|θ))`: leaves exp(log p/T) invariant exactly, at one gradient per step. Proposals where
 * log p or its gradient is NaN, or log p infinite, are rejected. An acceptance near 0.57 is best in high dimension.
 *
 * log p and its gradient are kept in the state: steps must all get the same `data`, which `init` needs too.
 *
 * @throws ConfigError if λ or T is outside its domain; `init` throws ShapeError for a position with integers, an inverse mass
 * of another shape, or a log density that is no scalar.
 * @example
 * ```ts
 * import { mul, square, sum, type Tensor, tensor1d } from '@tensorflow/tfjs-core';
 * import { jsRuntime } from '@bpc/compiler';
 * import { foldIn, key } from '@bpc/core';
 * import { mala } from '@bpc/samplers';
 * const { init, step } = mala({ logDensity: (x: Tensor) => mul(sum(square(x)), -0.5), stepSize: 0.5 });
 * const program = jsRuntime().compile(step);
 * let state = init(tensor1d([1, 2]), key(0));
 * for (let i = 0; i < 10; i++) [state] = await program(foldIn(key(1), i), state);
 * ```
 */
export function mala<P extends Tree>(options: MalaOptions<P>): Algorithm<P, MalaState<P>, MalaInfo> {
  checkTunedOptions(options);
  return {
    init: (position, key, data) => initTuned(position, key, data, options),
    step: (key, state, data) =>
      scope(() =>
        malaStep(
          state,
          { proposal: normalLike(foldIn(key, 0), state.position), accept: uniform(foldIn(key, 1), []) as Scalar },
          options,
          data,
        ),
      ),
  };
}
