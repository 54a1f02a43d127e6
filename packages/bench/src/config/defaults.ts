import { availableParallelism } from 'node:os';
import type { EvaluationConfig, FullConfig, RunConfig } from './schema.js';

/** Everything but the names that select a preset. */
export type Preset = Omit<RunConfig, 'dataset' | 'method' | 'runtime'>;
type PresetPatch = Partial<Omit<Preset, 'evaluation' | 'full'>> & {
  readonly evaluation?: Partial<EvaluationConfig>;
  readonly full?: Partial<FullConfig>;
};

// Evaluation settings were tuned on random coresets by validation (`bpc tune-evaluation`) and are frozen.
const evaluation: EvaluationConfig = {
  chains: 3,
  steps: 200,
  draws: 3,
  thinning: 10,
  stepSize: 0.02,
  momentum: 0.9,
  decay: 'cosine',
  temperature: 1e-6,
  priorPrecision: 0.05,
  reduction: 'mean',
  augment: 'crop_scale_rotate',
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

const base: Preset = {
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
  imageLearningRate: 100,
  momentum: 0.5,
  langevinSteps: 10,
  stepSize: 0.01,
  temperature: 0,
  sigma: 0.001,
  reduction: 'mean',
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
  evaluation,
  full,
};

interface DatasetPreset {
  readonly all: PresetPatch;
  /** Patches from an images-per-class count upwards; the last one that applies wins. */
  readonly from: readonly (readonly [ipc: number, patch: PresetPatch])[];
}

// Chosen on validation, started from random images: the images nearest the mean of their class are too much alike here.
const tenPerClass: PresetPatch = {
  init: 'random',
  steps: 60,
  imageLearningRate: 300,
  stepSize: 0.05,
  augment: 'crop_scale_rotate',
  expertsPerStep: 1,
  expertImages: 10_000,
  checkpointEvery: 20,
  evaluation: { priorPrecision: 0.005 },
};

const datasets: Readonly<Record<RunConfig['dataset'], DatasetPreset>> = {
  mnist: { all: {}, from: [[10, tenPerClass]] },
  'fashion-mnist': { all: {}, from: [[10, tenPerClass]] },
  digits: {
    all: {
      width: 16,
      depth: 2,
      steps: 300,
      experts: 4,
      expertImages: 1_000,
      expertBatch: 32,
      expertLearningRate: 0.05,
      expertMomentum: 0.9,
      imageLearningRate: 3,
      expertsPerStep: 1,
      evaluation: { draws: 1, stepSize: 0.035, temperature: 0, priorPrecision: 0.005, augment: 'color_crop_cutout_scale_rotate' },
      full: { epochs: 20, batch: 64, learningRate: 0.1 },
    },
    from: [],
  },
};

const merge = (under: Preset, patch: PresetPatch): Preset => ({
  ...under,
  ...patch,
  evaluation: { ...under.evaluation, ...patch.evaluation },
  full: { ...under.full, ...patch.full },
});

/** The tuned settings of a data set at a number of images per class; every number of the main job is here. */
export function preset(dataset: RunConfig['dataset'], ipc: number): Preset {
  const { all, from } = datasets[dataset];
  const patches = from.filter(([lowest]) => ipc >= lowest).map(([, patch]) => patch);
  return { ...patches.reduce(merge, merge(base, all)), ipc };
}

/** What runs when nothing is said: the main job. */
export const defaultDataset: RunConfig['dataset'] = 'mnist';
/** Images per class when nothing is said. */
export const defaultIpc = 1;

/** What `bpc tune-evaluation` tries. */
export const tuningSpace = {
  steps: [100, 200, 400, 800],
  stepSize: [0.003, 0.1] as const,
  augment: ['none', 'color_crop_cutout_scale_rotate', 'crop_scale_rotate'],
  priorPrecision: [0, 0.0005, 0.005, 0.05],
  temperature: [0, 1e-6, 1e-5, 1e-4],
};
