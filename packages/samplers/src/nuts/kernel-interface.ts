import type { Key } from '@bpc/core';
import type { Evaluable } from './drive.js';
import type { Metric } from './metric.js';

/** What one transition of NUTS says about itself. */
export interface NutsInfo {
  /** Mean of min(1, exp(H₀ − H)) over all points of the trajectory, in [0, 1]: what warm-up steers. */
  readonly acceptance: number;
  /** Completed doublings of the trajectory. */
  readonly depth: number;
  /** Gradients used. */
  readonly leapfrogSteps: number;
  /** Whether the energy error exceeded the threshold, or was not a number: the integrator left the typical set. */
  readonly divergent: boolean;
  /** H of the draw, in nats. */
  readonly energy: number;
  /** Log density of the draw, in nats. */
  readonly logDensity: number;
  /** Whether the trajectory was as long as allowed. */
  readonly maxDepthReached: boolean;
}

/** Options of `nutsKernel`. */
export interface NutsKernelOptions {
  /** From `runtime.density`; synchronous on the js runtime. */
  readonly density: Evaluable;
  /** Most doublings per transition, at most 2^maxDepth − 1 gradients (10 by default, Stan's; in [1, 20]). */
  readonly maxDepth?: number;
  /** Energy error in nats from which on a trajectory counts as divergent (1000 by default, Stan's). */
  readonly divergenceThreshold?: number;
  /** T of the target exp(log density / T) (1 by default). */
  readonly temperature?: number;
}

/** NUTS in place, on the host: one chain's transition without allocation. */
export interface NutsKernel {
  readonly size: number;
  /** The current draw, the gradient there; the same arrays for the kernel's life, refilled by each transition. */
  readonly position: Float64Array;
  readonly gradient: Float64Array;
  readonly logDensity: number;
  /** @throws ConfigError unless positive and finite. */
  stepSize: number;
  /** @throws ShapeError unless of the density's size. */
  metric: Metric;
  /** About the last transition; refilled by the next. */
  readonly info: NutsInfo;
  /** Where the last transition diverged, if it did: the positions before and after the step. Refilled by the next divergence. */
  readonly divergence: { readonly start: Float64Array; readonly end: Float64Array };
  /** Moves to a position and evaluates there, whatever the density says; look at `logDensity` and `gradient`. */
  start(position: Float64Array): void | Promise<void>;
  /** Moves to a known point without evaluating: to the last bit what `start` would do. */
  restore(position: Float64Array, gradient: Float64Array, logDensity: number): void;
  /**
   * One transition.
   *
   * @throws NonFiniteError if the density or its gradient is not finite where the chain stands; never because of what a
   * trajectory meets: that is a divergence.
   */
  transition(key: Key): void | Promise<void>;
  /**
   * A step size whose single leapfrog step from here is accepted with probability about 0.8 (Stan's search), starting from
   * the current one. Does not set it.
   *
   * @throws NonFiniteError if there is none below 1e7, or above 0: the density is improper, or not continuous here.
   */
  initialStepSize(key: Key): number | Promise<number>;
}
