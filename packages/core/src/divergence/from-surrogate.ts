import type { Scalar } from '@tensorflow/tfjs-core';
import type { Key } from '../random.js';
import type { Tree } from '../tree.js';
import { coresetGradient } from './coreset-gradient.js';
import type { Divergence, DivergenceInput } from './divergence.js';

/** A scalar whose gradient in the coreset is the estimate. Pure; everything random comes from the key. */
export type SurrogateLoss = <P extends Tree>(key: Key, input: DivergenceInput<P>) => Scalar;

/**
 * A divergence from a scalar loss, differentiated automatically in the learnable parts of `input.coreset`.
 *
 * Put `stopGradient` (or `untaped`) around what must count as constant, such as draws that depend on the coreset.
 *
 * @example
 * ```ts
 * import { type Scalar, mul, sum } from '@tensorflow/tfjs-core';
 * import { fromSurrogate } from '@bpc/core';
 * const expertEnergy = fromSurrogate('expert-energy', { real: false, synthetic: true, order: 1 }, (_, { model, coreset, expert }) =>
 *   mul(-1, sum(mul(coreset.weights, model.logLikelihood(expert, coreset)))) as Scalar);
 * ```
 */
export function fromSurrogate(name: string, requires: Divergence['requires'], loss: SurrogateLoss): Divergence {
  return {
    name,
    requires,
    estimate: (key, input) => coresetGradient(input.coreset, input.learnable, (coreset) => loss(key, { ...input, coreset })),
  };
}
