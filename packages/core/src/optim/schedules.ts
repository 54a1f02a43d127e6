import type { Scalar } from '@tensorflow/tfjs-core';
import { add, cos, greaterEqual, minimum, mul, pow, scalar, sub, where } from '@tensorflow/tfjs-core';
import { checkInteger, checkRange } from '../check.js';
import { ConfigError } from '../errors.js';
import type { Schedule } from './optimizer.js';

/** `η(t) = value`. */
export function constantSchedule(value: number): Schedule {
  checkRange('value', value);
  return () => scalar(value);
}

/** Options of `cosineSchedule`. */
export type CosineScheduleOptions = {
  /** Highest learning rate, reached at the end of the warm-up. */
  readonly peak: number;
  /** Steps until the final value; constant afterwards. */
  readonly totalSteps: number;
  /** Steps of linear warm-up from 0 (0 by default). */
  readonly warmupSteps?: number;
  /** Final value over `peak` (0 by default). */
  readonly finalFraction?: number;
};

/**
 * Cosine decay after a linear warm-up (Loshchilov & Hutter 2017, with warm-up).
 *
 * `η(t) = peak·t/w` for `t < w`, else `peak·(f + (1 − f)·½(1 + cos(π·min(1, (t − w)/(T − w)))))`.
 *
 * @throws ConfigError on a negative rate or fraction, or fewer than `warmupSteps + 1` steps.
 */
export function cosineSchedule({ peak, totalSteps, warmupSteps = 0, finalFraction = 0 }: CosineScheduleOptions): Schedule {
  checkRange('peak', peak);
  checkRange('finalFraction', finalFraction);
  checkInteger('warmupSteps', warmupSteps, 0);
  checkInteger('totalSteps', totalSteps, warmupSteps + 1);
  return (step) => {
    const progress = minimum(mul(sub(step, warmupSteps), 1 / (totalSteps - warmupSteps)), 1);
    const amplitude = (peak * (1 - finalFraction)) / 2;
    const decayed: Scalar = add(mul(add(cos(mul(progress, Math.PI)), 1), amplitude), peak * finalFraction);
    if (warmupSteps === 0) return decayed;
    const rising: Scalar = mul(step, peak / warmupSteps);
    return where(greaterEqual(step, warmupSteps), decayed, rising);
  };
}

/**
 * Piecewise constant: `η(t) = initial·gamma^#{milestones ≤ t}`.
 *
 * @throws ConfigError on a negative rate or factor or a milestone that is no step.
 */
export function stepSchedule(options: {
  readonly initial: number;
  readonly milestones: readonly number[];
  readonly gamma: number;
}): Schedule {
  const { initial, milestones, gamma } = options;
  checkRange('initial', initial);
  checkRange('gamma', gamma);
  milestones.forEach((milestone, i) => checkInteger(`milestones[${i}]`, milestone, 0));
  return (step) =>
    [...milestones]
      .sort((a, b) => a - b)
      .reduce<Scalar>(
        (rate, milestone, i) => where(greaterEqual(step, milestone), scalar(initial * gamma ** (i + 1)), rate),
        scalar(initial),
      );
}

/** `η(t) = start + (end − start)·min(1, t/T)`. @throws ConfigError on a negative rate or fewer than one step. */
export function linearSchedule(options: { readonly start: number; readonly end: number; readonly totalSteps: number }): Schedule {
  const { start, end, totalSteps } = options;
  checkRange('start', start);
  checkRange('end', end);
  checkInteger('totalSteps', totalSteps, 1);
  return (step) => add(mul(minimum(mul(step, 1 / totalSteps), 1), end - start), start);
}

/**
 * Polynomial decay `η(t) = a·(t + b)^−γ` (Welling & Teh 2011); `½ < γ ≤ 1` satisfies the Robbins–Monro conditions.
 *
 * @throws ConfigError on negative values or `b = 0`, where the first step would be infinite.
 */
export function polynomialSchedule(options: { readonly a: number; readonly b: number; readonly gamma: number }): Schedule {
  const { a, b, gamma } = options;
  checkRange('a', a);
  checkRange('gamma', gamma);
  if (checkRange('b', b) === 0) throw new ConfigError('b is 0, expected a positive number', 'pass b = 1 to start at the rate a');
  return (step) => mul(pow(add(step, b), -gamma), a);
}
