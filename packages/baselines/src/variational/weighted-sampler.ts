import type { Key } from '@bpc/core';
import type { WeightedSubset } from '../subset/subset.js';

/** Which log-likelihoods are wanted, under the posterior of which weighted points. */
export interface WeightedDrawsRequest extends WeightedSubset {
  /** Points whose log-likelihoods are wanted; may repeat. */
  readonly rows: Int32Array;
  /** S. */
  readonly draws: number;
  readonly key: Key;
}

/**
 * Draws θ_1 … θ_S from `π_w ∝ π₀ · exp(Σ w_n f_n)`, or a good approximation of it, and returns `f(x_n, θ_s)` of the points at
 * `rows`: `[rows, draws]` row-major, in nats, all at the same draws. With no points it draws from the prior.
 *
 * A pure function of its request: equal requests give equal numbers.
 */
export type WeightedSampler = (request: WeightedDrawsRequest) => Float64Array | Promise<Float64Array>;
