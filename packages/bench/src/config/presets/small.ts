import { base, type Preset, type PresetPatch } from '../defaults.js';
import { type DatasetName, type MethodName, methodNames } from '../schema.js';
import { datasetSettings } from './data-sets.js';
import { applySettings, type Settings } from './lay-over.js';

type Family = 'grey' | 'digits' | 'colour';

const familyOf = (dataset: DatasetName): Family =>
  dataset === 'digits' ? 'digits' : ['mnist', 'fashion-mnist', 'usps'].includes(dataset) ? 'grey' : 'colour';

const always = (all: PresetPatch): Settings => ({ all, from: [] });

const tenPerClass: PresetPatch = { imageLearningRate: 300, checkpointEvery: 20 };
const ofKl: PresetPatch = { sigma: 0.01, epochsAhead: 1, expertsPerStep: 1 };
const forward: PresetPatch = { ...ofKl, steps: 200, draws: 4 };
// The gradient is a covariance of few draws: momentum would only carry its noise on.
const reverse: PresetPatch = { ...ofKl, steps: 100, momentum: 0, draws: 10 };
const wasserstein: PresetPatch = { steps: 100, stepSizeLearningRate: 1e-5, epochsAhead: 1, expertsPerStep: 1 };
const weighted: PresetPatch = { ...ofKl, ...{ steps: 100, draws: 10, reduction: 'sum', optimizer: 'adam', learnWeights: true } };

const dsa = 'color_crop_cutout_scale_rotate';

// Chosen by `bpc tune` where `tuned` below says so, first guesses elsewhere. λ·k of the guesses covers about what an expert's
// epochs ahead cover, so that the inner steps can reach what they are compared with.
const settings: Readonly<Record<MethodName, Readonly<Record<Family, Settings>>>> = {
  'bpc-cd': {
    grey: {
      all: {},
      from: [[10, { ...tenPerClass, steps: 60, stepSize: 0.05, augment: 'crop_scale_rotate', expertsPerStep: 1 }]],
    },
    digits: always({ imageLearningRate: 3, expertsPerStep: 1 }),
    colour: {
      all: { steps: 200, imageLearningRate: 340, stepSize: 0.0045, sigma: 0.01 },
      from: [[10, { ...tenPerClass, stepSize: 0.01, sigma: 0.001, expertsPerStep: 1 }]],
    },
  },
  'bpc-fkl': {
    grey: { all: { ...forward, stepSize: 0.04 }, from: [[10, { ...tenPerClass, steps: 100 }]] },
    digits: always({ ...forward, imageLearningRate: 3, stepSize: 0.3 }),
    colour: {
      all: { ...forward, imageLearningRate: 340, stepSize: 0.0045, draws: 10, epochsAhead: 2 },
      from: [[10, { ...forward, ...tenPerClass, stepSize: 0.03 }]],
    },
  },
  'bpc-rkl': {
    grey: {
      all: { ...reverse, imageLearningRate: 1000, stepSize: 0.04 },
      from: [[10, { checkpointEvery: 20, imageLearningRate: 1500, stepSize: 0.0045, draws: 20, epochsAhead: 2 }]],
    },
    digits: always({ ...reverse, imageLearningRate: 100, stepSize: 0.3, realBatch: 128 }),
    colour: {
      all: { ...reverse, imageLearningRate: 1500, stepSize: 0.0045, draws: 20, epochsAhead: 2 },
      from: [[10, { checkpointEvery: 20 }]],
    },
  },
  'bpc-w': {
    grey: { all: { ...wasserstein, imageLearningRate: 300, stepSize: 0.04 }, from: [[10, { ...tenPerClass, imageLearningRate: 1000 }]] },
    digits: always({ ...wasserstein, imageLearningRate: 10, stepSize: 0.3 }),
    colour: {
      all: { ...wasserstein, imageLearningRate: 1100, stepSize: 0.0045, stepSizeLearningRate: 6.7e-6, epochsAhead: 2 },
      from: [[10, { ...wasserstein, ...tenPerClass, imageLearningRate: 1000, stepSize: 0.03 }]],
    },
  },
  psvi: {
    grey: {
      all: {
        ...{ ...weighted, draws: 20, epochsAhead: 2, augment: dsa },
        ...{ imageLearningRate: 0.011, weightLearningRate: 0.0056, stepSize: 0.027, innerSteps: 5 },
      },
      from: [[10, { checkpointEvery: 20 }]],
    },
    digits: always({ ...weighted, imageLearningRate: 0.02, stepSize: 0.04, realBatch: 128 }),
    colour: {
      all: { ...weighted, imageLearningRate: 0.063, weightLearningRate: 0.0021, stepSize: 0.0045, draws: 20, epochsAhead: 2 },
      from: [[10, { ...weighted, checkpointEvery: 20, imageLearningRate: 0.003, weightLearningRate: 0.003, stepSize: 0.03 }]],
    },
  },
};

/** Where the settings of a method were chosen on the validation split; everything else is a first guess. */
const tuned: readonly (readonly [MethodName, DatasetName, ipc: number])[] = [
  ...methodNames.flatMap(
    (method) =>
      [
        [method, 'mnist', 1],
        [method, 'mnist', 10],
        [method, 'cifar10', 1],
      ] as const,
  ),
  ['bpc-cd', 'cifar10', 10],
  ['bpc-fkl', 'cifar10', 10],
  ['bpc-rkl', 'cifar10', 10],
  ['bpc-w', 'cifar10', 10],
];

/** True if the settings of a method on a data set at this many images per class were chosen on validation. */
export const isTuned = (method: MethodName, dataset: DatasetName, ipc: number): boolean =>
  tuned.some(([m, d, i]) => m === method && d === dataset && i === ipc);

/** Images per class that a method was tuned at on a data set. */
export const tunedAt = (method: MethodName, dataset: DatasetName): number[] =>
  tuned.filter(([m, d]) => m === method && d === dataset).map(([, , ipc]) => ipc);

/** Settings for networks that two cores train in minutes. */
export function smallPreset(dataset: DatasetName, ipc: number, method: MethodName): Preset {
  const shared = applySettings(base, datasetSettings(dataset), ipc);
  return { ...applySettings(shared, settings[method][familyOf(dataset)], ipc), ipc };
}
