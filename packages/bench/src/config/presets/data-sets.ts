import type { PresetPatch } from '../defaults.js';
import type { DatasetName } from '../schema.js';
import type { Settings } from './lay-over.js';

/** More images than any data set has: all of them. */
export const everyImage = 1_000_000;

// All methods of a data set share network, start, experts, evaluation and ceiling: only then is a comparison one of methods.

// Chosen on validation, started from random images: the images nearest the mean of their class are too much alike here.
const tenPerClass: PresetPatch = { init: 'random', expertImages: 10_000, evaluation: { priorPrecision: 0.005 } };

const grey: Settings = { all: {}, from: [[10, tenPerClass]] };

const digits: Settings = {
  all: {
    width: 16,
    depth: 2,
    experts: 4,
    expertImages: 1_000,
    expertBatch: 32,
    expertLearningRate: 0.05,
    expertMomentum: 0.9,
    evaluation: { draws: 1, stepSize: 0.035, temperature: 0, priorPrecision: 0.005, augment: 'color_crop_cutout_scale_rotate' },
    full: { epochs: 20, batch: 64, learningRate: 0.1 },
  },
  from: [],
};

/** Strategy of differentiable siamese augmentation; digits of house numbers are not what their mirror images are. */
export const augmentationOf = (dataset: DatasetName): string =>
  ['mnist', 'usps', 'digits', 'svhn', 'svhn10k'].includes(dataset)
    ? 'color_crop_cutout_scale_rotate'
    : 'color_crop_cutout_flip_scale_rotate';

/** Colour images take every training image and more epochs before an expert is worth following. */
const colour = (dataset: DatasetName, patch: PresetPatch = {}): Settings => ({
  all: {
    init: 'random',
    experts: 5,
    expertImages: everyImage,
    expertEpochs: 10,
    expertMomentum: 0.9,
    evaluation: { augment: augmentationOf(dataset), priorPrecision: 0.005 },
    full: { epochs: 10 },
    ...patch,
  },
  from: [],
});

/** Settings of a data set that hold for every method, over `base`. */
export const datasetSettings: Readonly<Record<DatasetName, Settings>> = {
  mnist: grey,
  'fashion-mnist': grey,
  usps: grey,
  digits,
  cifar10: colour('cifar10'),
  svhn10k: colour('svhn10k'),
  svhn: colour('svhn'),
  cifar100: colour('cifar100'),
  'cifar100-subset': colour('cifar100-subset'),
  // 64×64 images: a block more brings the feature map to the size it has on 32×32.
  'tiny-imagenet': colour('tiny-imagenet', { depth: 4 }),
  'tiny-imagenet-subset': colour('tiny-imagenet-subset', { depth: 4 }),
  celeba: colour('celeba', { depth: 4 }),
  'celeba-subset': colour('celeba-subset', { depth: 4 }),
};
