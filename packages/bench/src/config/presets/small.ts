import { base, type Preset, type PresetPatch } from '../defaults.js';
import type { DatasetName, MethodName } from '../schema.js';
import { datasetSettings } from './data-sets.js';
import { applySettings, type Settings } from './lay-over.js';

type Family = 'grey' | 'digits' | 'colour';

const familyOf = (dataset: DatasetName): Family =>
  dataset === 'digits' ? 'digits' : ['mnist', 'fashion-mnist', 'usps'].includes(dataset) ? 'grey' : 'colour';

const always = (all: PresetPatch): Settings => ({ all, from: [] });

// First guesses unless `tuned` below says otherwise. λ·k covers about what an expert's epochs ahead cover, so that the inner
// steps can reach what they are compared with.
const settings: Readonly<Record<MethodName, Readonly<Record<Family, Settings>>>> = {
  'bpc-cd': {
    grey: {
      all: {},
      from: [
        [10, { steps: 60, imageLearningRate: 300, stepSize: 0.05, augment: 'crop_scale_rotate', expertsPerStep: 1, checkpointEvery: 20 }],
      ],
    },
    digits: always({ imageLearningRate: 3, expertsPerStep: 1 }),
    colour: {
      all: { steps: 200, imageLearningRate: 30, expertsPerStep: 1 },
      from: [[10, { imageLearningRate: 300, checkpointEvery: 20 }]],
    },
  },
  'bpc-fkl': {
    grey: {
      all: { steps: 200, imageLearningRate: 100, stepSize: 0.04, draws: 4, sigma: 0.01, epochsAhead: 1, expertsPerStep: 1 },
      from: [[10, { steps: 100, imageLearningRate: 300, checkpointEvery: 20 }]],
    },
    digits: always({ imageLearningRate: 3, stepSize: 0.04, draws: 4, sigma: 0.01, epochsAhead: 1, expertsPerStep: 1 }),
    colour: {
      all: { steps: 200, imageLearningRate: 30, stepSize: 0.03, draws: 4, sigma: 0.01, epochsAhead: 1, expertsPerStep: 1 },
      from: [[10, { imageLearningRate: 300, checkpointEvery: 20 }]],
    },
  },
  'bpc-rkl': {
    grey: {
      all: { steps: 100, imageLearningRate: 1000, momentum: 0, stepSize: 0.04, draws: 10, sigma: 0.01, epochsAhead: 1, expertsPerStep: 1 },
      from: [[10, { checkpointEvery: 20 }]],
    },
    digits: always({
      ...{ steps: 100, imageLearningRate: 30, momentum: 0, stepSize: 0.04, draws: 10, sigma: 0.01 },
      ...{ epochsAhead: 1, expertsPerStep: 1, realBatch: 128 },
    }),
    colour: {
      all: { steps: 100, imageLearningRate: 1000, momentum: 0, stepSize: 0.03, draws: 10, sigma: 0.01, epochsAhead: 1, expertsPerStep: 1 },
      from: [[10, { checkpointEvery: 20 }]],
    },
  },
  'bpc-w': {
    grey: {
      all: { steps: 100, imageLearningRate: 300, stepSize: 0.04, stepSizeLearningRate: 1e-5, epochsAhead: 1, expertsPerStep: 1 },
      from: [[10, { imageLearningRate: 1000, checkpointEvery: 20 }]],
    },
    digits: always({ imageLearningRate: 10, stepSize: 0.04, stepSizeLearningRate: 1e-5, epochsAhead: 1, expertsPerStep: 1 }),
    colour: {
      all: { steps: 100, imageLearningRate: 300, stepSize: 0.03, stepSizeLearningRate: 1e-5, epochsAhead: 1, expertsPerStep: 1 },
      from: [[10, { imageLearningRate: 1000, checkpointEvery: 20 }]],
    },
  },
  psvi: {
    grey: {
      all: {
        ...{ steps: 100, optimizer: 'adam', imageLearningRate: 0.02, learnWeights: true, reduction: 'sum' },
        ...{ stepSize: 0.04, draws: 10, sigma: 0.01, epochsAhead: 1, expertsPerStep: 1 },
      },
      from: [[10, { checkpointEvery: 20 }]],
    },
    digits: always({
      ...{ steps: 100, optimizer: 'adam', imageLearningRate: 0.02, learnWeights: true, reduction: 'sum' },
      ...{ stepSize: 0.04, draws: 10, sigma: 0.01, epochsAhead: 1, expertsPerStep: 1, realBatch: 128 },
    }),
    colour: {
      all: {
        ...{ steps: 100, optimizer: 'adam', imageLearningRate: 0.02, learnWeights: true, reduction: 'sum' },
        ...{ stepSize: 0.03, draws: 10, sigma: 0.01, epochsAhead: 1, expertsPerStep: 1 },
      },
      from: [[10, { checkpointEvery: 20 }]],
    },
  },
};

/** Where the settings of a method were chosen on the validation split; everything else is a first guess. */
const tuned: readonly (readonly [MethodName, DatasetName, ipc: number])[] = [
  ['bpc-cd', 'mnist', 1],
  ['bpc-cd', 'mnist', 10],
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
