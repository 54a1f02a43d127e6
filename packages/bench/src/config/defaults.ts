import { availableParallelism } from 'node:os';
import { evaluationBase } from './evaluation.js';
import type { DatasetName, EvaluationConfig, FullConfig, MethodName, RunConfig } from './schema.js';

/** Everything but the names that select a preset. */
export type Preset = Omit<RunConfig, 'dataset' | 'method' | 'preset' | 'runtime'>;
/** Some settings, laid over others. */
export type PresetPatch = Partial<Omit<Preset, 'evaluation' | 'full'>> & {
  readonly evaluation?: Partial<EvaluationConfig>;
  readonly full?: Partial<FullConfig>;
};

const full: FullConfig = {
  networks: 1,
  epochs: 2,
  batch: 256,
  learningRate: 0.05,
  momentum: 0.9,
  weightDecay: 0.0005,
  decay: 'cosine',
  augment: 'none',
};

/** Where every preset starts: the main job, on which the others are laid. */
export const base: Preset = {
  preprocess: 'standardise',
  ipc: 1,
  init: 'nearest-mean',
  steps: 300,
  seeds: 3,
  seed: 0,
  network: 'convnet',
  width: 32,
  depth: 3,
  threads: 1,
  workers: Math.min(4, availableParallelism()),
  optimizer: 'sgd',
  imageLearningRate: 100,
  momentum: 0.5,
  innerSteps: 10,
  stepSize: 0.01,
  stepSizeLearningRate: 0,
  temperature: 0,
  sigma: 0.001,
  reduction: 'mean',
  draws: 1,
  realBatch: 256,
  epochsAhead: 0,
  persistent: false,
  augment: 'none',
  augmentDraws: 1,
  expertsPerStep: 2,
  learnLabels: false,
  labelLearningRate: 0.1,
  learnWeights: false,
  weightLearningRate: 0.01,
  experts: 8,
  expertEpochs: 4,
  // Weak on purpose: an expert that has nothing left to learn from the coreset gives no gradient.
  expertImages: 5_000,
  expertBatch: 256,
  expertLearningRate: 0.02,
  expertMomentum: 0,
  expertAugment: 'none',
  startEpochRange: [0, 4],
  checkpointEvery: 50,
  scoreOn: 'test',
  evaluation: evaluationBase,
  full,
};

/** What runs when nothing is said: the main job. */
export const defaultDataset: DatasetName = 'mnist';
/** How it learns when nothing is said. */
export const defaultMethod: MethodName = 'bpc-cd';
/** Images per class when nothing is said. */
export const defaultIpc = 1;

/** What `bpc tune-evaluation` tries. */
export const tuningSpace = {
  steps: [100, 200, 400, 800],
  stepSize: [0.003, 0.1] as const,
  samplerStepSize: [0.001, 0.3] as const,
  augment: ['none', 'color_crop_cutout_scale_rotate', 'crop_scale_rotate'],
  priorPrecision: [0, 0.0005, 0.005, 0.05],
  temperature: [0, 1e-6, 1e-5, 1e-4],
};
