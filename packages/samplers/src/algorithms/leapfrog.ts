import { type Key, normalLike, scan, type Tree, treeDot, treeMap, valueAndGrad } from '@bpc/core';
import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import { add, cast, less, mul, sqrt, sub, where } from '@tensorflow/tfjs-core';
import type { TensorMetric } from './metric.js';

/** A point of phase space with what is known there. Momentum is whitened (see `TensorMetric`). */
export type PhasePoint<P extends Tree> = {
  readonly position: P;
  readonly momentum: P;
  /** log p and ∇log p at the position. */
  readonly logDensity: Scalar;
  readonly gradient: P;
};

/** As much of a point as the integrator needs. */
export type MovingPoint<P extends Tree> = Pick<PhasePoint<P>, 'position' | 'momentum' | 'gradient'>;

/** What moves a point. */
export interface LeapfrogOptions<P extends Tree> {
  /** log p(θ), a scalar. */
  readonly logDensity: (params: P) => Tensor;
  /** ε. */
  readonly stepSize: Scalar;
  readonly metric: TensorMetric<P>;
}

/** a + s·b, leaf by leaf. */
export const addScaled = <P extends Tree>(a: P, b: P, s: Tensor | number): P => treeMap((x, y) => add(x, mul(y, s)), a, b);

/** r ~ N(0, T·I), a tree like the position. */
export function initialMomentum<P extends Tree>(key: Key, position: P, temperature: Scalar): P {
  const scale = sqrt(temperature);
  return treeMap((xi) => mul(xi, scale), normalLike(key, position));
}

/** H = ½‖r‖² − log p, in nats. */
export const hamiltonian = <P extends Tree>({ momentum, logDensity }: Pick<PhasePoint<P>, 'momentum' | 'logDensity'>): Scalar =>
  sub(mul(treeDot(momentum, momentum), 0.5), logDensity);

/** log p and its gradient at a position, as a point with this momentum. */
export function phasePoint<P extends Tree>(position: P, momentum: P, logDensity: (params: P) => Tensor): PhasePoint<P> {
  const { value, grad } = valueAndGrad(logDensity)(position);
  return { position, momentum, logDensity: value, gradient: grad };
}

/**
 * One step of the leapfrog (velocity Verlet) integrator, one gradient.
 *
 * `r ← r + ε/2·Lᵀ∇log p(θ)`, `θ ← θ + ε·L r`, `r ← r + ε/2·Lᵀ∇log p(θ)`. Symplectic and reversible: with −r it runs back. The
 * error of H over a fixed time is of order ε². Run it inside a program or a scope.
 *
 * @example
 * ```ts
 * import { mul, neg, scalar, square, sum, type Tensor, tensor1d } from '@tensorflow/tfjs-core';
 * import { leapfrogStep, metricOf } from '@bpc/samplers';
 * const logDensity = (x: Tensor) => mul(sum(square(x)), -0.5);
 * const position: Tensor = tensor1d([1, 2]);
 * const metric = metricOf(tensor1d([1, 1]), position);
 * const point = { position, momentum: tensor1d([0, 1]) as Tensor, gradient: neg(position) };
 * const next = leapfrogStep(point, { logDensity, stepSize: scalar(0.1), metric });
 * ```
 */
export function leapfrogStep<P extends Tree>(point: MovingPoint<P>, { logDensity, stepSize, metric }: LeapfrogOptions<P>): PhasePoint<P> {
  const half: Scalar = mul(stepSize, 0.5);
  const kicked = addScaled(point.momentum, metric.force(point.gradient), half);
  const moved = phasePoint(addScaled(point.position, metric.velocity(kicked), stepSize), kicked, logDensity);
  return { ...moved, momentum: addScaled(kicked, metric.force(moved.gradient), half) };
}

/** `where(condition, a, b)`, leaf by leaf; what is not chosen may be NaN. */
export const select = <T extends Tree>(condition: Tensor, chosen: T, other: T): T =>
  treeMap((a, b) => where(condition, a, b), chosen, other);

/**
 * `most` leapfrog steps, of which those from number `taken` on stand still: their gradients are computed all the same, since a
 * compiled loop runs to its end. Without `taken`, all are taken. log p is computed at the end alone.
 */
export function leapfrog<P extends Tree>(
  start: MovingPoint<P>,
  { most, taken, ...options }: LeapfrogOptions<P> & { readonly most: number; readonly taken?: Scalar | undefined },
): PhasePoint<P> {
  const inner = (point: MovingPoint<P>, { index }: { readonly index: Scalar }) => {
    const { position, momentum, gradient } = leapfrogStep(point, options);
    const next = { position, momentum, gradient };
    return [taken === undefined ? next : select(less(cast(index, 'float32'), taken), next, point)] as const;
  };
  const { position, momentum, gradient } = start;
  const run = (length: number) => scan(inner, { position, momentum, gradient }, undefined, { length })[0];
  // The last step stands outside of the loop, since only its log p is wanted, which costs about as much as a gradient.
  if (taken === undefined) return leapfrogStep(most === 1 ? start : run(most - 1), options);
  const end = run(most);
  return { ...end, logDensity: options.logDensity(end.position) as Scalar };
}
