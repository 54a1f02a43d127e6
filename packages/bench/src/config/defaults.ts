import { availableParallelism } from 'node:os';
import type { DatasetName, EvaluationConfig, FullConfig, MethodName, PresetName, RunConfig } from './schema.js';

/** Everything but the names that select a preset. */
export type Preset = Omit<RunConfig, 'dataset' | 'method' | 'preset' | 'runtime'>;
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

const digits: DatasetPreset = {
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
};
const grey: DatasetPreset = { all: {}, from: [[10, tenPerClass]] };
// Colour images need every training image and more epochs before an expert is worth following.
const colour: DatasetPreset = {
  all: {
    experts: 8,
    expertImages: 50_000,
    expertEpochs: 10,
    expertMomentum: 0.9,
    startEpochRange: [0, 4],
    augment: 'color_crop_cutout_scale_rotate',
    evaluation: { augment: 'color_crop_cutout_scale_rotate' },
    full: { epochs: 10 },
  },
  from: [[10, tenPerClass]],
};

const datasets: Readonly<Record<DatasetName, DatasetPreset>> = {
  mnist: grey,
  'fashion-mnist': grey,
  usps: grey,
  digits,
  cifar10: colour,
  svhn10k: colour,
  svhn: colour,
  cifar100: colour,
  'cifar100-subset': colour,
  'tiny-imagenet': colour,
  'tiny-imagenet-subset': colour,
  celeba: colour,
  'celeba-subset': colour,
};

/** What a method needs on top of its data set. */
const methods: Readonly<Record<MethodName, PresetPatch>> = {
  'bpc-cd': {},
  'bpc-fkl': { draws: 4, sigma: 0.01, epochsAhead: 1 },
  'bpc-rkl': { draws: 10, sigma: 0.01, epochsAhead: 1 },
  'bpc-w': { epochsAhead: 1, stepSizeLearningRate: 1e-5 },
  psvi: { draws: 10, sigma: 0.01, reduction: 'sum', learnWeights: true, optimizer: 'adam', imageLearningRate: 0.05 },
};

const merge = (under: Preset, patch: PresetPatch): Preset => ({
  ...under,
  ...patch,
  evaluation: { ...under.evaluation, ...patch.evaluation },
  full: { ...under.full, ...patch.full },
});

/** The settings of a method on a data set at a number of images per class; every number of the main job is here. */
export function preset(dataset: DatasetName, ipc: number, method: MethodName = defaultMethod): Preset {
  const { all, from } = datasets[dataset];
  const patches = from.filter(([lowest]) => ipc >= lowest).map(([, patch]) => patch);
  return { ...[...patches, methods[method]].reduce(merge, merge(base, all)), ipc };
}

/** The preset of a method when none is named. */
export const presetOf = (method: MethodName): PresetName => `small-${method}`;

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
  augment: ['none', 'color_crop_cutout_scale_rotate', 'crop_scale_rotate'],
  priorPrecision: [0, 0.0005, 0.005, 0.05],
  temperature: [0, 1e-6, 1e-5, 1e-4],
};
