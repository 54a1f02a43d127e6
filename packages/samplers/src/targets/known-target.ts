import type { Key } from '@bpc/core';
import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import type { Target } from '../target.js';
import type { Parameter } from '../transforms/parameter.js';

/** Mean and variance of every number of a parameter, in C order. */
export interface Moments {
  readonly mean: Float64Array;
  readonly variance: Float64Array;
}

/** A target whose law is known: one real parameter `x`. */
export interface KnownTarget extends Target<{ readonly x: Parameter }> {
  logDensity(params: { readonly x: Tensor }, data: unknown): Scalar;
  /** Exact, in float64. */
  readonly moments: Moments;
  /** Independent exact draws on the host, `[count, …shape of x]` in C order. */
  draw(key: Key, count: number): Float64Array;
}
