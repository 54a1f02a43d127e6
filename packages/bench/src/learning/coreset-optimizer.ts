import { ConfigError, type Coreset, type Optimizer, sgd, type Tree } from '@bpc/core';
import { relu, type Tensor1D } from '@tensorflow/tfjs-core';
import type { RunConfig } from '../config/index.js';

const parts = ['x', 'y', 'weights'] as const;

/** SGD with momentum on images, labels and weights, each at its own learning rate. */
export function coresetOptimizer(
  config: Pick<RunConfig, 'imageLearningRate' | 'labelLearningRate' | 'weightLearningRate' | 'momentum'>,
): Optimizer<Tree> {
  const { imageLearningRate, labelLearningRate, weightLearningRate, momentum } = config;
  const optimizers = {
    x: sgd({ learningRate: imageLearningRate, momentum }),
    y: sgd({ learningRate: labelLearningRate, momentum }),
    weights: sgd({ learningRate: weightLearningRate, momentum }),
  };
  type Named = { readonly [name: string]: Tree };
  const named = (tree: Tree): Named => {
    if (Array.isArray(tree) || 'dataId' in tree)
      throw new ConfigError('the optimiser of a coreset got another tree', 'pass the learnable parts of a coreset');
    return tree as Named;
  };
  return {
    init: (params) =>
      Object.fromEntries(
        parts.flatMap((part) => {
          const leaf = named(params)[part];
          return leaf === undefined ? [] : [[part, optimizers[part].init(leaf)]];
        }),
      ),
    update<P extends Tree>(grads: P, state: Tree, params: P) {
      const updates: Record<string, Tree> = {};
      const next: Record<string, Tree> = {};
      for (const part of parts) {
        const [g, s, p] = [named(grads)[part], named(state)[part], named(params)[part]];
        if (g === undefined || s === undefined || p === undefined) continue;
        // Each part's state was made by its own optimiser above.
        const result = optimizers[part].update(g, s as readonly Tree[], p);
        updates[part] = result.updates;
        next[part] = result.state;
      }
      return { updates: updates as P, state: next };
    },
  };
}

/** Weights stay non-negative; images and labels are free. */
export const keepWeightsNonNegative = ({ x, y, weights }: Coreset): Coreset => ({ x, y, weights: relu(weights) as Tensor1D });
