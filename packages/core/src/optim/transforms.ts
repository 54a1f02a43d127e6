import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import {
  add,
  addN,
  div,
  expm1,
  greater,
  logicalAnd,
  minimum,
  mul,
  neg,
  scalar,
  sqrt,
  square,
  sum,
  where,
  zeros,
} from '@tensorflow/tfjs-core';
import { checkRange } from '../check.js';
import { ConfigError } from '../errors.js';
import type { Tree } from '../tree.js';
import { treeLeaves, treeMap } from '../tree.js';
import type { Optimizer, Schedule } from './optimizer.js';
import { stateless } from './optimizer.js';

const zerosOf = <P extends Tree>(params: P): P => treeMap((x) => zeros(x.shape), params);
const sumOfSquares = (x: Tensor): Scalar => sum(square(x));
const norm = (x: Tensor): Scalar => sqrt(sumOfSquares(x));

/** `g ← g + λx`: decay coupled to the gradient when it stands first in a chain, decoupled when it stands after Adam. */
export function addDecayedWeights(weightDecay: number): Optimizer<readonly Tree[]> {
  checkRange('weightDecay', weightDecay);
  return stateless((g, x) => add(g, mul(x, weightDecay)));
}

/** Heavy-ball velocity. */
export type MomentumState = { readonly velocity: Tree };

/** `v ← μv + g`; the update is `v`, or `g + μv` with `nesterov`. No dampening, as in PyTorch. */
export function scaleByMomentum({
  momentum,
  nesterov = false,
}: {
  readonly momentum: number;
  readonly nesterov?: boolean;
}): Optimizer<MomentumState> {
  checkRange('momentum', momentum, 0, 1);
  return {
    init: (params) => ({ velocity: zerosOf(params) }),
    update(grads, state) {
      const velocity = treeMap((g, v) => add(g, mul(v as Tensor, momentum)), grads, state.velocity);
      return { updates: nesterov ? treeMap((g, v) => add(g, mul(v as Tensor, momentum)), grads, velocity) : velocity, state: { velocity } };
    },
  };
}

/** Steps taken and exponential averages of the gradient and its square. */
export type AdamState = { readonly step: Scalar; readonly mean: Tree; readonly square: Tree };

/** Coefficients of Adam's averages. */
export type AdamCoefficients = {
  /** Decay of the mean (0.9, as in the paper). */
  readonly beta1?: number;
  /** Decay of the second moment (0.999, as in the paper). */
  readonly beta2?: number;
  /** Added to the root of the second moment (1e-8, as in the paper). */
  readonly epsilon?: number;
};

/** `1 − βᵗ` without the cancellation that `1 − pow(β, t)` suffers in float32 at small t. */
function oneMinusPower(beta: number, step: Scalar): Scalar {
  if (beta === 0) return scalar(1);
  const logPower: Scalar = mul(step, Math.log(beta));
  return neg(expm1(logPower));
}

/**
 * Adam's direction (Kingma & Ba 2015, Algorithm 1): `m̂/(√v̂ + ε)` with
 * `m ← β₁m + (1 − β₁)g`, `v ← β₂v + (1 − β₂)g²`, `m̂ = m/(1 − β₁ᵗ)`, `v̂ = v/(1 − β₂ᵗ)`.
 */
export function scaleByAdam({ beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 }: AdamCoefficients = {}): Optimizer<AdamState> {
  checkRange('beta1', beta1, 0, 1);
  checkRange('beta2', beta2, 0, 1);
  checkRange('epsilon', epsilon);
  return {
    init: (params) => ({ step: scalar(0), mean: zerosOf(params), square: zerosOf(params) }),
    update(grads, state) {
      const step: Scalar = add(state.step, 1);
      const mean = treeMap((g, m) => add(mul(m as Tensor, beta1), mul(g, 1 - beta1)), grads, state.mean);
      const squares = treeMap((g, v) => add(mul(v as Tensor, beta2), mul(square(g), 1 - beta2)), grads, state.square);
      const correction1 = oneMinusPower(beta1, step);
      const rootCorrection2 = sqrt(oneMinusPower(beta2, step));
      const updates = treeMap((m, v) => div(div(m, correction1), add(div(sqrt(v as Tensor), rootCorrection2), epsilon)), mean, squares);
      return { updates, state: { step, mean, square: squares } };
    },
  };
}

/** Steps taken so far, which a schedule needs. */
export type ScheduleState = { readonly step: Scalar };

/** The descent step `−η·g`; `η` is a number or a schedule of the step (whose counter is then the state). */
export function scaleByLearningRate(learningRate: number | Schedule): Optimizer<ScheduleState | readonly Tree[]> {
  if (typeof learningRate !== 'function') {
    checkRange('learningRate', learningRate);
    return stateless((g) => mul(g, -learningRate));
  }
  return {
    init: () => ({ step: scalar(0) }),
    update(grads, state) {
      const { step } = state as ScheduleState;
      const rate = neg(learningRate(step));
      return { updates: treeMap((g) => mul(g, rate), grads), state: { step: add(step, 1) } };
    },
  };
}

/** LAMB's layer-wise trust ratio (You et al. 2020): `u ← (‖x‖/‖u‖)·u` per tensor; ratio 1 when either norm is 0. */
export function scaleByTrustRatio(): Optimizer<readonly Tree[]> {
  return stateless((u, x) => {
    const [above, below] = [norm(x), norm(u)];
    return mul(u, where(logicalAnd(greater(above, 0), greater(below, 0)), div(above, below), scalar(1)));
  });
}

/** `g ← g/(‖g‖₂ + ε)` per tensor. */
export function normaliseGradients({ epsilon = 1e-7 }: { readonly epsilon?: number } = {}): Optimizer<readonly Tree[]> {
  checkRange('epsilon', epsilon);
  return stateless((g) => div(g, add(norm(g), epsilon)));
}

/**
 * Scales all gradients by `min(1, maxNorm/‖g‖₂)` with their joint norm (Pascanu et al. 2013).
 *
 * @throws ConfigError unless `maxNorm` is positive.
 */
export function clipByGlobalNorm({ maxNorm }: { readonly maxNorm: number }): Optimizer<readonly Tree[]> {
  if (checkRange('maxNorm', maxNorm) === 0) throw new ConfigError('maxNorm is 0, expected a positive number', 'pass a positive maxNorm');
  return {
    init: () => [],
    update(grads, state) {
      const joint = sqrt(addN(treeLeaves(grads).map(sumOfSquares)));
      // maxNorm/0 is infinite, and the minimum with 1 is right there too.
      const factor = minimum(div(scalar(maxNorm), joint), 1);
      return { updates: treeMap((g) => mul(g, factor), grads), state };
    },
  };
}

/**
 * Exponential moving average of parameters: `a ← βa + (1 − β)x`, starting at the initial parameters, no bias correction.
 *
 * @example
 * ```ts
 * import { scalar } from '@tensorflow/tfjs-core';
 * import { ema } from '@bpc/core';
 * const average = ema({ decay: 0.99 });
 * const start = average.init({ w: scalar(1) });
 * const next = average.update(start, { w: scalar(2) });
 * ```
 */
export function ema({ decay }: { readonly decay: number }): {
  init<P extends Tree>(params: P): P;
  update<P extends Tree>(average: P, params: P): P;
} {
  checkRange('decay', decay, 0, 1);
  return {
    init: (params) => treeMap((x) => add(x, 0), params),
    update: (average, params) => treeMap((a, x) => add(mul(a, decay), mul(x as Tensor, 1 - decay)), average, params),
  };
}
