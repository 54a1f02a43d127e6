import { z } from 'zod';
import { preprocessNames } from '../data/preprocess.js';
import { augmentationName } from './augmentation-name.js';
import { choice, flag, fraction, integer, integerBetween, nonNegative, positive, text } from './domain.js';
import { evaluationSchema } from './evaluation.js';

/** Methods that `bpc learn` knows. */
export const methodNames = ['bpc-cd', 'bpc-fkl', 'bpc-rkl', 'bpc-w', 'psvi'] as const;
/** Named settings: `small-` of networks that two cores train, `paper-` as the papers print them. */
export const presetNames = [
  'small-bpc-cd',
  'small-bpc-fkl',
  'small-bpc-rkl',
  'small-bpc-w',
  'small-psvi',
  'paper-bpc-cd',
  'paper-bpc-fkl',
  'paper-bpc-rkl',
  'paper-bpc-w',
  'paper-psvi',
] as const;
/** Data sets of images that `bpc learn` has a loader for. */
export const datasetNames = [
  'mnist',
  'fashion-mnist',
  'cifar10',
  'svhn10k',
  'cifar100-subset',
  'tiny-imagenet-subset',
  'celeba-subset',
  'usps',
  'digits',
  'svhn',
  'cifar100',
  'tiny-imagenet',
  'celeba',
] as const;
/** Optimisers of the coreset. */
export const optimizerNames = ['sgd', 'adam'] as const;
/** How the images of a coreset start. */
export const initialiserNames = ['nearest-mean', 'random', 'mix', 'noise'] as const;
/** Networks of `@bpc/models` that the command can build. */
export const networkNames = ['convnet', 'mlp'] as const;
// More threads than any machine has are a slip of the finger, and starting them would take all memory.
const mostThreads = 256;
const reductions = ['mean', 'sum'] as const;

const section = { error: 'a mapping of option names to values' };

const fullSchema = z.strictObject(
  {
    networks: integer(1),
    epochs: integer(1),
    batch: integer(1),
    learningRate: positive(),
    momentum: fraction(),
    weightDecay: nonNegative(),
    decay: choice(['constant', 'cosine']),
    augment: augmentationName(),
  },
  section,
);

const epochRange = '[first, last], integers with 0 <= first <= last';

/** Everything that decides a run. Defaults are in `defaults.ts`; a file and the command line override them, in that order. */
export const configSchema = z.strictObject({
  dataset: choice(datasetNames),
  preprocess: choice(preprocessNames),
  method: choice(methodNames),
  preset: choice(presetNames),
  ipc: integer(1),
  init: choice(initialiserNames),
  steps: integer(1),
  seeds: integer(1),
  seed: integer(0),
  network: choice(networkNames),
  width: integer(1),
  depth: integer(1),
  runtime: text().optional(),
  threads: integerBetween(1, mostThreads),
  workers: integerBetween(0, mostThreads),
  optimizer: choice(optimizerNames),
  imageLearningRate: nonNegative(),
  momentum: fraction(),
  innerSteps: integer(1),
  stepSize: positive(),
  stepSizeLearningRate: nonNegative(),
  temperature: nonNegative(),
  sigma: nonNegative(),
  reduction: choice(reductions),
  draws: integer(1),
  realBatch: integer(1),
  epochsAhead: integer(0),
  persistent: flag(),
  augment: augmentationName(),
  augmentDraws: integer(1),
  expertsPerStep: integer(1),
  learnLabels: flag(),
  labelLearningRate: nonNegative(),
  learnWeights: flag(),
  weightLearningRate: nonNegative(),
  experts: integer(1),
  expertEpochs: integer(1),
  expertImages: integer(1),
  expertBatch: integer(1),
  expertLearningRate: positive(),
  expertMomentum: fraction(),
  expertAugment: augmentationName(),
  startEpochRange: z.tuple([integer(0), integer(0)], { error: epochRange }).refine(([first, last]) => first <= last, { error: epochRange }),
  checkpointEvery: integer(1),
  scoreOn: choice(['test', 'validation']),
  evaluation: evaluationSchema,
  full: fullSchema,
});

/** How a coreset is learned, by name. */
export type MethodName = (typeof methodNames)[number];
/** A data set by name. */
export type DatasetName = (typeof datasetNames)[number];
/** A preset by name. */
export type PresetName = (typeof presetNames)[number];

/** A complete, validated configuration. */
export type RunConfig = z.infer<typeof configSchema>;
export type { EvaluationConfig } from './evaluation.js';
/** How the full-data ceiling is trained. */
export type FullConfig = RunConfig['full'];

/** Settings as a file or the command line gives them: any subset, not yet validated. */
export interface Overrides {
  readonly [name: string]: unknown;
}
