import type { Scalar } from '@tensorflow/tfjs-core';
import { ConfigError } from '../errors.js';
import type { Key } from '../random.js';
import type { Tree } from '../tree.js';
import { coresetGradient } from './coreset-gradient.js';
import type { Divergence, DivergenceInput } from './divergence.js';

/** A scalar whose gradient in the coreset is the estimate. Pure; everything random comes from the key. */
export type SurrogateLoss = <P extends Tree>(key: Key, input: DivergenceInput<P>) => Scalar;

const REMEDIES = {
  start: 'pass an earlier snapshot of the expert as start, which sampled does with expertEpochs: 1 or more',
  real: 'pass a batch of real data as real, which sampled does with a BatchSource',
} as const;

/**
 * A divergence from a scalar loss, differentiated automatically in the learnable parts of `input.coreset`.
 *
 * Put `stopGradient` (or `untaped`) around what must count as constant, such as draws that depend on the coreset.
 *
 * @throws ConfigError from `estimate` if the start or the real data that it requires are not given.
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
    estimate: (key, input) => {
      for (const needed of ['start', 'real'] as const) {
        if (requires[needed] !== true || input[needed] !== undefined) continue;
        throw new ConfigError(`${needed} is not given, which '${name}' requires`, REMEDIES[needed]);
      }
      return coresetGradient(input.coreset, input.learnable, (coreset) => loss(key, { ...input, coreset }));
    },
  };
}
