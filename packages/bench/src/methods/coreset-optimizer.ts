import { adam, type Coreset, type Optimizer, perPart, sgd } from '@bpc/core';
import { relu, type Tensor1D } from '@tensorflow/tfjs-core';
import type { RunConfig } from '../config/index.js';

type Settings = Pick<RunConfig, 'optimizer' | 'imageLearningRate' | 'labelLearningRate' | 'weightLearningRate' | 'momentum'>;

/**
 * SGD with momentum, or Adam, on images, labels and weights, each at its own learning rate.
 *
 * Weights are moved as multiples v = w/w₀ of their value at the start: ∂L/∂v = w₀ ∂L/∂w, so that a rate η on v is ηw₀² on w
 * for SGD, and ηw₀ for Adam, whose steps do not depend on the scale of a gradient.
 */
export function coresetOptimizer(settings: Settings, startWeight = 1): Optimizer {
  const { optimizer, imageLearningRate, labelLearningRate, weightLearningRate, momentum } = settings;
  const make = (learningRate: number) => (optimizer === 'adam' ? adam({ learningRate }) : sgd({ learningRate, momentum }));
  return perPart({
    x: make(imageLearningRate),
    y: make(labelLearningRate),
    weights: make(weightLearningRate * (optimizer === 'adam' ? startWeight : startWeight ** 2)),
  });
}

/** Weights stay non-negative; images and labels are free. */
export const keepWeightsNonNegative = ({ x, y, weights }: Coreset): Coreset => ({ x, y, weights: relu(weights) as Tensor1D });
