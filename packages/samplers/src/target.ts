import type { HostTensor, HostTree } from '@bpc/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { ParameterTensors, ParameterTree } from './transforms/parameter.js';

/** What a log density gets for its data: tensors of the same names, float64 inside on the js runtime. */
export type DataTensors<H> = H extends HostTensor ? Tensor : { readonly [N in keyof H]: DataTensors<H[N]> };

/**
 * A distribution to sample from: named parameters with their supports, and a log density over them.
 *
 * `logDensity` sees constrained values (a positive parameter is positive) and returns log p(params, data) in nats, up to a
 * constant, as a density over these values: the log-Jacobians of the supports are added by the sampler.
 */
export interface Target<S extends ParameterTree = ParameterTree, H extends HostTree = HostTree> {
  readonly parameters: S;
  // Methods, whose parameters are compared both ways: any `Target<…>` is a `Target`, so that targets can be listed.
  /** A scalar; of tensors of any rank by its type, since that is all that most of tfjs' functions promise. */
  logDensity(params: ParameterTensors<S>, data: DataTensors<H>): Tensor;
  /** Plain arrays: they stay float64 on the js runtime. */
  readonly data?: H;
  /** Quantities to report beside the parameters (`theta = mu + tau·z`), computed once per kept draw. */
  derived?(params: ParameterTensors<S>, data: DataTensors<H>): { readonly [name: string]: Tensor };
}

/** Gives a target its types: names and shapes of `logDensity`'s arguments follow from `parameters` and `data`. */
export const target = <const S extends ParameterTree, const H extends HostTree = HostTree>(definition: Target<S, H>): Target<S, H> =>
  definition;
