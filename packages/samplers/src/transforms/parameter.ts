import type { HostTensor } from '@bpc/core';
import type { Scalar, Tensor } from '@tensorflow/tfjs-core';

/** A value on its support, with log |det ∂value/∂u|, in nats, of the map that made it. */
export interface Constrained {
  readonly value: Tensor;
  readonly logJacobian: Scalar;
}

/**
 * One parameter of a model: its shape, its support, and the smooth one-to-one map from unconstrained numbers onto it.
 *
 * `constrain` is a pure tensor program (traced and differentiated with the density); `unconstrain` runs on the host, in
 * float64, on values that a user gives as a start.
 */
export interface Parameter {
  /** `'real'`, `'positive'`, `'interval(0, 1)'`, …, as messages name it. */
  readonly support: string;
  /** Shape of the value. */
  readonly shape: readonly number[];
  /** Shape of the unconstrained numbers; fewer than the value has on a simplex, say. */
  readonly unconstrainedShape: readonly number[];
  /** The value at `u`, shaped `unconstrainedShape`. Fresh tensors, owned by the caller. */
  constrain(u: Tensor): Constrained;
  /** The inverse. @throws ConfigError if the value is outside the support; ShapeError on another shape. */
  unconstrain(value: HostTensor): Float64Array;
}

/** Named parameters, nested as the author likes; one parameter alone is a tree too. */
export type ParameterTree = Parameter | { readonly [name: string]: ParameterTree };

/** What a log density gets for a parameter tree: tensors of the same names. */
export type ParameterTensors<S> = S extends Parameter ? Tensor : { readonly [N in keyof S]: ParameterTensors<S[N]> };
