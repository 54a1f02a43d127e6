import { dsaStrategy } from '../../data/dsa-strategy.js';
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

/**
 * Colour images take more epochs before an expert is worth following. An epoch is a part of the images and plain SGD, so that
 * inner steps on a coreset can cover what it covers.
 */
const colour = (dataset: DatasetName, patch: PresetPatch = {}): Settings => ({
  all: {
    init: 'random',
    experts: 8,
    expertImages: 10_000,
    expertEpochs: 10,
    startEpochRange: [0, 8],
    full: { epochs: 10 },
    ...patch,
  },
  // Both chosen on random images of CIFAR-10 by validation: at one image per class nothing beats the settings of `base` clearly.
  from: [[10, { evaluation: { augment: dsaStrategy(dataset), priorPrecision: 0.005 } }]],
});

/** Settings of a data set that hold for every method, over `base`. */
export function datasetSettings(dataset: DatasetName): Settings {
  switch (dataset) {
    case 'digits':
      return digits;
    case 'mnist':
    case 'fashion-mnist':
    case 'usps':
      return grey;
    case 'cifar10':
    case 'cifar100':
    case 'cifar100-subset':
    case 'svhn':
    case 'svhn10k':
      return colour(dataset);
    case 'tiny-imagenet':
    case 'tiny-imagenet-subset':
    case 'celeba':
    case 'celeba-subset':
      // 64×64 images: a block more brings the feature map to the size it has on 32×32.
      return colour(dataset, { depth: 4 });
  }
}
