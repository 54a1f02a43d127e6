import { adam, ConfigError, type Coreset, type Optimizer, sgd, type Tree } from '@bpc/core';
import { relu, type Tensor1D } from '@tensorflow/tfjs-core';
import type { RunConfig } from '../config/index.js';

const parts = ['x', 'y', 'weights'] as const;

type Settings = Pick<RunConfig, 'optimizer' | 'imageLearningRate' | 'labelLearningRate' | 'weightLearningRate' | 'momentum'>;

/**
 * SGD with momentum, or Adam, on images, labels and weights, each at its own learning rate.
 *
 * Weights are moved as multiples v = w/w₀ of their value at the start: ∂L/∂v = w₀ ∂L/∂w, so that a rate η on v is ηw₀² on w
 * for SGD, and ηw₀ for Adam, whose steps do not depend on the scale of a gradient.
 */
export function coresetOptimizer(settings: Settings, startWeight = 1): Optimizer<Tree> {
  const { optimizer, imageLearningRate, labelLearningRate, weightLearningRate, momentum } = settings;
  const make = (learningRate: number) => (optimizer === 'adam' ? adam({ learningRate }) : sgd({ learningRate, momentum }));
  const optimizers = {
    x: make(imageLearningRate),
    y: make(labelLearningRate),
    weights: make(weightLearningRate * (optimizer === 'adam' ? startWeight : startWeight ** 2)),
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
