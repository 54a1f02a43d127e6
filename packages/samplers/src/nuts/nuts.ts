import type { HostAlgorithm, Key } from '@bpc/core';
import { NonFiniteError } from '@bpc/core';
import { checkStepSize } from './check.js';
import { nutsKernel } from './kernel.js';
import type { NutsInfo, NutsKernelOptions } from './kernel-interface.js';
import { checkMetric, type Metric, unitMetric } from './metric.js';

/** Options of `nuts`. */
export interface NutsOptions extends NutsKernelOptions {
  /** h of the leapfrog integrator, in units of the metric's standard deviations; `sample` finds one in warm-up. */
  readonly stepSize: number;
  /** Estimate of the target's covariance (unit by default). */
  readonly metric?: Metric;
}

/** What the next transition needs: a draw and what is known there. */
export interface NutsState {
  readonly position: Float64Array;
  /** ∇ log density at `position`. */
  readonly gradient: Float64Array;
  /** In nats. */
  readonly logDensity: number;
}

/**
 * The no-U-turn sampler: Hamiltonian trajectories that double in random directions until they turn back on themselves.
 *
 * Target exp(log density / T). With H(q, r) = ½‖r‖² − log p(q)/T, whitened momentum r ~ N(0, I) and leapfrog steps of size h, the
 * next draw is one point of the trajectory, with probability ∝ exp(−H) within each new half and biased towards the new half
 * by min(1, w_new/w_old). Leaves the target invariant for every h.
 *
 * Source: Hoffman & Gelman 2014 (JMLR 15); the multinomial variant with the generalised criterion of Betancourt 2017
 * (arXiv:1701.02434, appendix A) and Stan's two further checks across the seam of every pair of subtrees.
 *
 * Positions are flat float64 vectors of unconstrained parameters; states own their arrays and share none.
 *
 * @throws ConfigError on an option out of its domain; ShapeError if metric or position do not have the density's size;
 * NonFiniteError from `init` if density or gradient are not finite there.
 * @example
 * ```ts
 * import { jsRuntime } from '@bpc/compiler';
 * import { foldIn, key } from '@bpc/core';
 * import { nuts } from '@bpc/samplers';
 * import { mul, type Scalar, square, sum, type Tensor } from '@tensorflow/tfjs-core';
 * const logDensity = ({ x }: { x: Tensor }) => mul(-0.5, sum(square(x))) as Scalar;
 * const density = await jsRuntime().density(logDensity, { x: [0, 0] });
 * const sampler = nuts({ density, stepSize: 0.9 });
 * let state = await sampler.init(density.flatten({ x: [1, -1] }), key(0));
 * for (let i = 0; i < 3; i++) {
 *   const [next, info] = await sampler.step(foldIn(key(1), i), state);
 *   console.log(density.unflatten(next.position), info.acceptance);
 *   state = next;
 * }
 * ```
 */
export function nuts(options: NutsOptions): HostAlgorithm<Float64Array, NutsState, NutsInfo> {
  const kernel = nutsKernel(options);
  kernel.stepSize = checkStepSize(options.stepSize);
  kernel.metric = checkMetric(options.metric ?? unitMetric(kernel.size), kernel.size);

  const state = (): NutsState => ({
    position: kernel.position.slice(),
    gradient: kernel.gradient.slice(),
    logDensity: kernel.logDensity,
  });
  const started = (): NutsState => {
    if (Number.isFinite(kernel.logDensity) && kernel.gradient.every(Number.isFinite)) return state();
    throw new NonFiniteError(
      `the log density at the start is ${kernel.logDensity}, or its gradient is not finite`,
      0,
      'start at a position where both are finite',
    );
  };
  const moved = (): readonly [NutsState, NutsInfo] => [state(), { ...kernel.info }];

  // Calls that overlap share the kernel, so they take turns; a density that answers at once never needs to wait.
  let pending: Promise<unknown> | undefined;
  const inTurn = <R>(run: () => void | Promise<void>, result: () => R): R | Promise<R> => {
    const start = (): R | Promise<R> => {
      const running = run();
      return running instanceof Promise ? running.then(result) : result();
    };
    const outcome = pending ? pending.then(start, start) : start();
    if (outcome instanceof Promise) {
      const turn = outcome.finally(() => {
        if (pending === turn) pending = undefined;
      });
      // Its error belongs to the caller, who has `outcome`.
      turn.catch(() => {});
      pending = turn;
    }
    return outcome;
  };

  return {
    init: (position) => inTurn(() => kernel.start(position), started),
    step: (key: Key, { position, gradient, logDensity }) =>
      inTurn(() => {
        kernel.restore(position, gradient, logDensity);
        return kernel.transition(key);
      }, moved),
  };
}
