import { type Algorithm, ConfigError, foldIn, type Key, normalLike, scope, type Tree, treeMap, uniform } from '@bpc/core';
import type { Scalar } from '@tensorflow/tfjs-core';
import { add, div, floor, greater, logicalOr, minimum, mul, scalar, sqrt, sub, isNaN as undefinedAt } from '@tensorflow/tfjs-core';
import { checkFraction, checkPositive, checkWhole } from '../check.js';
import { hamiltonian, leapfrog } from './leapfrog.js';
import { metricOf } from './metric.js';
import { flag, metropolis } from './metropolis.js';
import { densityOf, fresh, tensorOf } from './settings.js';
import { checkTunedOptions, initTuned, type TunedOptions, type TunedState, tuning } from './tuned-state.js';

/** Options of `hmc`. */
export interface HmcOptions<P extends Tree> extends TunedOptions<P> {
  /** L ≥ 1 steps per trajectory, or `[least, most]`: uniform on these integers, at the cost of `most` gradients always. */
  readonly leapfrogSteps: number | readonly [least: number, most: number];
  /** j in [0, 1): each trajectory takes ε(1 + j(2v − 1)), v ~ U[0, 1). Default 0. Costs nothing. */
  readonly stepSizeJitter?: number;
  /** A trajectory whose energy rises by more than this (in units of T) is divergent. Default 1000, as in Stan. */
  readonly divergenceThreshold?: number;
}

/** Position, log p and its gradient there, and what warm-up tunes. */
export type HmcState<P extends Tree> = TunedState<P>;

/** Random numbers of one transition. */
export type HmcNoise<P extends Tree> = {
  /** N(0, I), a tree like the position. */
  readonly momentum: P;
  /** U[0, 1), of the accept step. */
  readonly accept: Scalar;
  /** U[0, 1), of the number of steps; only read if `leapfrogSteps` is a range. */
  readonly length?: Scalar;
  /** U[0, 1), of the step size; only read with `stepSizeJitter`. */
  readonly stepSize?: Scalar;
};

/** What happened in one transition. */
export type HmcInfo = {
  /** min(1, exp((H₀ − H)/T)), 0 if the end of the trajectory is not finite. */
  readonly acceptance: Scalar;
  /** 1 if the end of the trajectory was accepted, else 0. */
  readonly accepted: Scalar;
  /** 1 if the energy rose beyond the threshold, or became NaN or infinite. */
  readonly divergent: Scalar;
  /** H = ½‖r‖² − log p of the point that was kept, in nats. */
  readonly energy: Scalar;
  /** (H − H₀)/T at the end of the trajectory. */
  readonly energyError: Scalar;
  readonly logDensity: Scalar;
  readonly leapfrogSteps: Scalar;
  /** ε of this trajectory, with its jitter. */
  readonly stepSize: Scalar;
};

const lengths = (steps: HmcOptions<Tree>['leapfrogSteps']): readonly [least: number, most: number] =>
  typeof steps === 'number' ? [steps, steps] : steps;

/** least + ⌊u (most − least + 1)⌋, an integer in float32. */
function drawnLength([least, most]: readonly [number, number], u: Scalar): Scalar {
  // u < 1, but its product may round up to the number of choices.
  return minimum(add(floor(mul(u, most - least + 1)), least), most);
}

/**
 * One transition with its random numbers given: r = √T·ξ, a leapfrog trajectory from (θ, r), accepted with probability
 * min(1, exp((H₀ − H)/T)).
 *
 * Arguments are borrowed; results are fresh tensors.
 *
 * @throws ShapeError if log p is no scalar, or the inverse mass does not fit the position.
 */
export function hmcStep<P extends Tree>(
  state: HmcState<P>,
  noise: HmcNoise<P>,
  options: HmcOptions<P>,
  data?: Tree,
): readonly [HmcState<P>, HmcInfo] {
  const { temperature = 1, stepSizeJitter = 0, divergenceThreshold = 1000 } = options;
  return scope(() => {
    const { position, logDensity, gradient, stepSize, inverseMass } = state;
    const range = lengths(options.leapfrogSteps);
    const heat = tensorOf(temperature);
    const scale = sqrt(heat);
    const taken = range[0] === range[1] || noise.length === undefined ? undefined : drawnLength(range, noise.length);
    const jitter = stepSizeJitter === 0 || noise.stepSize === undefined ? undefined : noise.stepSize;
    const epsilon: Scalar = jitter === undefined ? fresh(stepSize) : mul(stepSize, add(mul(sub(mul(jitter, 2), 1), stepSizeJitter), 1));
    const start = { position, momentum: treeMap((xi) => mul(xi, scale), noise.momentum), logDensity, gradient };
    const end = leapfrog(start, {
      logDensity: densityOf(options, data),
      stepSize: epsilon,
      metric: metricOf(inverseMass, position),
      most: range[1],
      taken,
    });
    const [before, after] = [hamiltonian(start), hamiltonian(end)];
    const energyError: Scalar = div(sub(after, before), heat);
    const {
      state: kept,
      acceptance,
      accepted,
    } = metropolis({
      current: { position, logDensity, gradient, energy: before },
      proposed: { position: end.position, logDensity: end.logDensity, gradient: end.gradient, energy: after },
      logRatio: div(sub(before, after), heat),
      logDensity: end.logDensity,
      uniform: noise.accept,
    });
    const { energy, ...next } = kept;
    const info: HmcInfo = {
      acceptance,
      accepted,
      divergent: flag(logicalOr(greater(energyError, divergenceThreshold), undefinedAt(energyError))),
      energy,
      energyError,
      logDensity: fresh(next.logDensity),
      leapfrogSteps: taken === undefined ? scalar(range[1]) : fresh(taken),
      stepSize: fresh(epsilon),
    };
    return [{ ...next, ...tuning(state) }, info] as const;
  });
}

function checkLengths(steps: unknown): void {
  if (!Array.isArray(steps)) {
    checkWhole('leapfrogSteps', steps);
    return;
  }
  const [least, most]: readonly unknown[] = steps;
  checkWhole('leapfrogSteps[0]', least);
  checkWhole('leapfrogSteps[1]', most);
  if (steps.length === 2 && Number(least) <= Number(most)) return;
  throw new ConfigError(`leapfrogSteps is [${steps.join(', ')}], expected [least, most]`, 'pass two integers in ascending order');
}

function drawNoise<P extends Tree>(key: Key, position: P, { leapfrogSteps, stepSizeJitter = 0 }: HmcOptions<P>): HmcNoise<P> {
  const [least, most] = lengths(leapfrogSteps);
  const draw = (stream: number) => uniform(foldIn(key, stream), []) as Scalar;
  return {
    momentum: normalLike(foldIn(key, 0), position),
    accept: draw(1),
    ...(least === most ? {} : { length: draw(2) }),
    ...(stepSizeJitter === 0 ? {} : { stepSize: draw(3) }),
  };
}

/**
 * Hamiltonian Monte Carlo with trajectories of fixed or random length (Neal 2011).
 *
 * `p ~ N(0, T·M)`, L leapfrog steps of size ε, accepted with probability `min(1, exp((H₀ − H)/T))`, `H = ½ pᵀM⁻¹p − log p(θ)`:
 * leaves exp(log p/T) invariant exactly, at L gradients per transition. Ends where log p or its gradient is NaN, or log p
 * infinite, are rejected and flagged as divergent. A fixed length resonates with directions whose period it is a multiple of:
 * vary it (`leapfrogSteps: [least, most]`, or `stepSizeJitter`, which is free). An acceptance near 0.65 is best in high
 * dimension.
 *
 * log p and its gradient are kept in the state: steps must all get the same `data`, which `init` needs too.
 *
 * @throws ConfigError on options outside their domains; `init` throws ShapeError for a position with integers, an inverse mass
 * of another shape, or a log density that is no scalar.
 * @example
 * ```ts
 * import { mul, square, sum, type Tensor, tensor1d } from '@tensorflow/tfjs-core';
 * import { jsRuntime } from '@bpc/compiler';
 * import { foldIn, key } from '@bpc/core';
 * import { hmc } from '@bpc/samplers';
 * const logDensity = (x: Tensor) => mul(sum(square(x)), -0.5);
 * const { init, step } = hmc({ logDensity, stepSize: 0.3, leapfrogSteps: 10, stepSizeJitter: 0.2 });
 * const program = jsRuntime().compile(step);
 * let state = init(tensor1d([1, 2]), key(0));
 * for (let i = 0; i < 10; i++) [state] = await program(foldIn(key(1), i), state);
 * ```
 */
export function hmc<P extends Tree>(options: HmcOptions<P>): Algorithm<P, HmcState<P>, HmcInfo> {
  checkTunedOptions(options);
  const { leapfrogSteps, stepSizeJitter = 0, divergenceThreshold = 1000 } = options;
  checkLengths(leapfrogSteps);
  checkFraction('stepSizeJitter', stepSizeJitter, false);
  checkPositive('divergenceThreshold', divergenceThreshold);
  return {
    init: (position, key, data) => initTuned(position, key, data, options),
    step: (key, state, data) => scope(() => hmcStep(state, drawNoise(key, state.position, options), options, data)),
  };
}
