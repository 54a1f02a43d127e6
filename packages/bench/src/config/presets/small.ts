import { base, type Preset, type PresetPatch } from '../defaults.js';
import type { DatasetName, MethodName } from '../schema.js';
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

// First guesses unless `tuned` below says otherwise. λ·k covers about what an expert's epochs ahead cover, so that the inner
// steps can reach what they are compared with.
const settings: Readonly<Record<MethodName, Readonly<Record<Family, Settings>>>> = {
  'bpc-cd': {
    grey: {
      all: {},
      from: [[10, { ...tenPerClass, steps: 60, stepSize: 0.05, augment: 'crop_scale_rotate', expertsPerStep: 1 }]],
    },
    digits: always({ imageLearningRate: 3, expertsPerStep: 1 }),
    colour: { all: { steps: 200, imageLearningRate: 30, expertsPerStep: 1 }, from: [[10, tenPerClass]] },
  },
  'bpc-fkl': {
    grey: { all: { ...forward, stepSize: 0.04 }, from: [[10, { ...tenPerClass, steps: 100 }]] },
    digits: always({ ...forward, imageLearningRate: 3, stepSize: 0.3 }),
    colour: { all: { ...forward, imageLearningRate: 30, stepSize: 0.03 }, from: [[10, tenPerClass]] },
  },
  'bpc-rkl': {
    grey: { all: { ...reverse, imageLearningRate: 1000, stepSize: 0.04 }, from: [[10, { checkpointEvery: 20 }]] },
    digits: always({ ...reverse, imageLearningRate: 100, stepSize: 0.3, realBatch: 128 }),
    colour: { all: { ...reverse, imageLearningRate: 1000, stepSize: 0.03 }, from: [[10, { checkpointEvery: 20 }]] },
  },
  'bpc-w': {
    grey: { all: { ...wasserstein, imageLearningRate: 300, stepSize: 0.04 }, from: [[10, { ...tenPerClass, imageLearningRate: 1000 }]] },
    digits: always({ ...wasserstein, imageLearningRate: 10, stepSize: 0.3 }),
    colour: { all: { ...wasserstein, imageLearningRate: 300, stepSize: 0.03 }, from: [[10, { ...tenPerClass, imageLearningRate: 1000 }]] },
  },
  psvi: {
    grey: {
      all: { ...weighted, sigma: 0.05, imageLearningRate: 0.003, weightLearningRate: 0.003, stepSize: 0.04 },
      from: [[10, { checkpointEvery: 20 }]],
    },
    digits: always({ ...weighted, imageLearningRate: 0.02, stepSize: 0.04, realBatch: 128 }),
    colour: {
      all: { ...weighted, imageLearningRate: 0.003, weightLearningRate: 0.003, stepSize: 0.03 },
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
