import type { Tree } from '@bpc/core';
import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import {
  cast,
  exp,
  isFinite as finite,
  less,
  log,
  logicalAnd,
  logicalNot,
  minimum,
  scalar,
  isNaN as undefinedAt,
  where,
} from '@tensorflow/tfjs-core';
import { select } from './leapfrog.js';

/** A proposal, and what decides on it. */
export interface MetropolisOptions<T extends Tree> {
  readonly current: T;
  readonly proposed: T;
  /** log of the acceptance ratio, before the minimum with 0. */
  readonly logRatio: Scalar;
  /** log p at the proposal: unless it is finite, the proposal is rejected. */
  readonly logDensity: Scalar;
  /** u ~ U[0, 1). */
  readonly uniform: Scalar;
}

/** What was decided. */
export interface MetropolisResult<T extends Tree> {
  readonly state: T;
  /** min(1, ratio), 0 for a proposal that is not finite. */
  readonly acceptance: Scalar;
  /** 1 if the proposal was taken, else 0. */
  readonly accepted: Scalar;
}

/** 1 where true, else 0: flags that average, stack and save like every other number. */
export const flag = (condition: Tensor): Scalar => cast(condition, 'float32') as Scalar;

/**
 * The accept step of Metropolis and Hastings: the proposal if `log u < log ratio`, else the current state.
 *
 * A ratio of NaN, and a log density that is NaN or infinite at the proposal, reject. Run it inside a program or a scope.
 *
 * @example
 * ```ts
 * import { scalar } from '@tensorflow/tfjs-core';
 * import { metropolis } from '@bpc/samplers';
 * const [current, proposed] = [{ x: scalar(0) }, { x: scalar(1) }];
 * const { state } = metropolis({ current, proposed, logRatio: scalar(-0.1), logDensity: scalar(-2), uniform: scalar(0.5) });
 * state.x.print(); // 1, since log 0.5 < −0.1
 * ```
 */
export function metropolis<T extends Tree>(options: MetropolisOptions<T>): MetropolisResult<T> {
  const { current, proposed, logRatio, logDensity, uniform } = options;
  const valid = logicalAnd(finite(logDensity), logicalNot(undefinedAt(logRatio)));
  const accept = logicalAnd(valid, less(log(uniform), logRatio));
  const capped: Scalar = minimum(logRatio, 0);
  return {
    state: select(accept, proposed, current),
    acceptance: where(valid, exp(capped), scalar(0)),
    accepted: flag(accept),
  };
}
