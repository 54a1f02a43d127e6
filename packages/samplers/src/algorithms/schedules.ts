import { constant, type Schedule } from '@bpc/core';
import type { Scalar } from '@tensorflow/tfjs-core';
import { add, cos, div, less, mod, mul, scalar, where } from '@tensorflow/tfjs-core';
import { checkFraction, checkPositive, checkWhole } from '../check.js';

/** Options of `cyclicalSchedule`. */
export interface CyclicalScheduleOptions {
  /** λ₀, the step size at the start of each cycle. */
  readonly initial: number;
  /** C, steps per cycle. */
  readonly cycleLength: number;
  /** β in [0, 1): the fraction of a cycle that explores at temperature 0. Default 0: every step samples. */
  readonly exploration?: number;
  /** T of the steps that sample, 1 by default. */
  readonly temperature?: number;
}

/** Two settings that belong together. */
export interface CyclicalSchedule {
  readonly stepSize: Schedule;
  readonly temperature: Schedule;
}

/**
 * Cyclical cosine step sizes, which jump between modes and then sample each (Zhang et al. 2020, equation 1).
 *
 * `λ(t) = λ₀/2·(cos(π r) + 1)` with `r = mod(t, C)/C`; `T(t) = 0` while `r < β`, else T. Draws of exploring steps (temperature
 * 0) are gradient ascent: leave them out.
 *
 * @throws ConfigError on values outside their domains.
 * @example
 * ```ts
 * import { mul, square, sum, type Tensor } from '@tensorflow/tfjs-core';
 * import { cyclicalSchedule, sgld } from '@bpc/samplers';
 * const cycles = cyclicalSchedule({ initial: 0.1, cycleLength: 500, exploration: 0.8 });
 * const { step } = sgld({ logDensity: (x: Tensor) => mul(sum(square(x)), -0.5), ...cycles });
 * ```
 */
export function cyclicalSchedule(options: CyclicalScheduleOptions): CyclicalSchedule {
  const { initial, cycleLength, exploration = 0, temperature = 1 } = options;
  checkPositive('initial', initial);
  checkWhole('cycleLength', cycleLength);
  checkFraction('exploration', exploration, false);
  checkPositive('temperature', temperature, true);
  const phase = (step: Scalar): Scalar => div(mod(step, cycleLength), cycleLength);
  return {
    stepSize: (step) => mul(add(cos(mul(phase(step), constant(Math.PI))), 1), constant(initial / 2)),
    temperature: (step) => where(less(phase(step), exploration), scalar(0), scalar(temperature)),
  };
}
