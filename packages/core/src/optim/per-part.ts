import type { Tensor } from '@tensorflow/tfjs-core';
import { ConfigError } from '../errors.js';
import type { Tree } from '../tree.js';
import { isTensor } from '../tree.js';
import type { Optimizer } from './optimizer.js';

type Named = { readonly [part: string]: Tree };

/** The parts of a tree by name. @throws ConfigError for an array or a single tensor, which has none. */
function partsOf(tree: Tree): Named {
  if (Array.isArray(tree) || isTensor(tree as Tensor)) {
    throw new ConfigError('perPart got a tree without names, expected named parts such as those of a coreset', 'pass an object of trees');
  }
  return tree as Named;
}

/**
 * An optimiser of its own for every named part of a tree: images, labels and weights of a coreset differ by orders of magnitude,
 * and so do the learning rates that suit them.
 *
 * The state has a part for every part that is learned. Optimisers of parts that are not there are not used.
 *
 * @throws ConfigError from `init` and `update` for a part without an optimiser.
 * @example
 * ```ts
 * import { adam, perPart, sgd } from '@bpc/core';
 * const optimizer = perPart({ x: sgd({ learningRate: 10, momentum: 0.5 }), weights: adam({ learningRate: 0.1 }) });
 * ```
 */
export function perPart(optimizers: { readonly [part: string]: Optimizer }): Optimizer<Named> {
  const optimizerOf = (part: string): Optimizer => {
    const own = Object.hasOwn(optimizers, part) ? optimizers[part] : undefined;
    if (own !== undefined) return own;
    throw new ConfigError(
      `'${part}' has no optimiser, expected one of ${Object.keys(optimizers).join(', ')}`,
      `add an optimiser for ${part}, or do not learn it`,
    );
  };
  return {
    init: (params) => Object.fromEntries(Object.entries(partsOf(params)).map(([part, leaf]) => [part, optimizerOf(part).init(leaf)])),
    update<P extends Tree>(grads: P, state: Named, params: P) {
      const [gradients, values] = [partsOf(grads), partsOf(params)];
      const made = Object.entries(values).map(([part, value]) => {
        // State and gradients have the parts of the parameters that `init` saw.
        const result = optimizerOf(part).update(gradients[part] as Tree, state[part] as Tree, value);
        return [part, result] as const;
      });
      return {
        updates: Object.fromEntries(made.map(([part, { updates }]) => [part, updates])) as P,
        state: Object.fromEntries(made.map(([part, result]) => [part, result.state])),
      };
    },
  };
}
