import { cloneTree, type Key, scope, type Tree, treeMap, valueAndGrad } from '@bpc/core';
import type { Scalar } from '@tensorflow/tfjs-core';
import { onesLike } from '@tensorflow/tfjs-core';
import { checkFunction } from '../check.js';
import { checkGivenInverseMass } from './metric.js';
import { checkPosition, checkPositiveScalar, densityOf, fresh, type LogDensityOptions, tensorOf } from './settings.js';

/** Options of the samplers that accept or reject, and whose step size and mass a warm-up can tune. */
export interface TunedOptions<P extends Tree> extends LogDensityOptions<P> {
  /** Where the step size starts, > 0. It is part of the state, so that a warm-up can change it: `sample` searches from here on. */
  readonly stepSize: number | Scalar;
  /** T > 0, 1 by default. */
  readonly temperature?: number | Scalar;
  /**
   * M⁻¹, an estimate of the posterior's variances: a tree like the position, or a covariance `[d, d]` for a position that is one
   * vector `[d]`. Ones by default. It is part of the state, so that a warm-up can change it. Entries must be positive.
   */
  readonly inverseMass?: P;
}

/**
 * State of such a sampler. log p and ∇log p at the position are kept, which saves a gradient per step; they are those of the
 * `data` of the last step (or of `init`), so that all steps must get the same data.
 */
export type TunedState<P extends Tree> = {
  readonly position: P;
  readonly logDensity: Scalar;
  readonly gradient: P;
  readonly stepSize: Scalar;
  readonly inverseMass: P;
};

/** @throws ConfigError on options outside their domains. */
export function checkTunedOptions<P extends Tree>({ logDensity, stepSize, temperature = 1 }: TunedOptions<P>): void {
  checkFunction('logDensity', logDensity);
  checkPositiveScalar('stepSize', stepSize);
  checkPositiveScalar('temperature', temperature);
}

/**
 * The state at a position. One gradient. Fresh tensors.
 *
 * @throws ShapeError if the position has integers, the inverse mass does not fit, or log p is no scalar; ConfigError for an
 * inverse mass that is none.
 */
export function initTuned<P extends Tree>(position: P, _key: Key, data: Tree | undefined, options: TunedOptions<P>): TunedState<P> {
  const { stepSize, inverseMass } = options;
  checkPosition(position);
  if (inverseMass !== undefined) checkGivenInverseMass(inverseMass, position);
  return scope(() => {
    const { value, grad } = valueAndGrad(densityOf(options, data))(position);
    return {
      position: cloneTree(position),
      logDensity: value,
      gradient: grad,
      stepSize: fresh(tensorOf(stepSize)),
      inverseMass: inverseMass === undefined ? treeMap((x) => onesLike(x), position) : cloneTree(inverseMass),
    };
  });
}

/** Fresh copies of what a step does not change. */
export const tuning = <P extends Tree>({ stepSize, inverseMass }: TunedState<P>): Pick<TunedState<P>, 'stepSize' | 'inverseMass'> => ({
  stepSize: fresh(stepSize),
  inverseMass: cloneTree(inverseMass),
});
