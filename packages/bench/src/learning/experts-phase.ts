import type { RunConfig } from '../config/index.js';
import type { NetworkSpec } from '../experts/network.js';
import type { ExpertSettings } from '../experts/train-experts.js';
import type { TrainingSettings } from '../experts/training-program.js';

/** The experts that a configuration asks for. */
export function expertSettings(config: RunConfig, network: NetworkSpec): ExpertSettings {
  const training: TrainingSettings = {
    epochs: config.expertEpochs,
    batch: config.expertBatch,
    learningRate: config.expertLearningRate,
    momentum: config.expertMomentum,
    weightDecay: 0,
    decay: 'constant',
    augment: config.expertAugment,
  };
  return { network, training, count: config.experts, images: config.expertImages, seed: config.seed, preprocess: config.preprocess };
}
