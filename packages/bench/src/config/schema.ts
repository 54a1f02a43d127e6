import { z } from 'zod';
import { augmentationName } from './augmentation-name.js';
import { choice, flag, fraction, integer, integerBetween, nonNegative, positive, text } from './domain.js';

/** Methods that `bpc learn` knows. */
export const methodNames = ['bpc-cd'] as const;
/** Data sets that `bpc learn` has a loader for. */
export const datasetNames = ['mnist', 'fashion-mnist', 'digits'] as const;
/** How the images of a coreset start. */
export const initialiserNames = ['nearest-mean', 'random', 'mix', 'noise'] as const;
/** Networks of `@bpc/models` that the command can build. */
export const networkNames = ['convnet', 'mlp'] as const;
// More threads than any machine has are a slip of the finger, and starting them would take all memory.
const mostThreads = 256;
const reductions = ['mean', 'sum'] as const;

const section = { error: 'a mapping of option names to values' };

const evaluationSchema = z.strictObject(
  {
    chains: integer(1),
    steps: integer(1),
    draws: integer(1),
    thinning: integer(1),
    stepSize: positive(),
    momentum: fraction(),
    decay: choice(['constant', 'cosine']),
    temperature: nonNegative(),
    priorPrecision: nonNegative(),
    reduction: choice(reductions),
    augment: augmentationName(),
  },
  section,
);

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
  method: choice(methodNames),
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
  imageLearningRate: nonNegative(),
  momentum: fraction(),
  langevinSteps: integer(1),
  stepSize: positive(),
  temperature: nonNegative(),
  sigma: nonNegative(),
  reduction: choice(reductions),
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

/** A complete, validated configuration. */
export type RunConfig = z.infer<typeof configSchema>;
/** How predictions are drawn from a coreset. */
export type EvaluationConfig = RunConfig['evaluation'];
/** How the full-data ceiling is trained. */
export type FullConfig = RunConfig['full'];

/** Settings as a file or the command line gives them: any subset, not yet validated. */
export interface Overrides {
  readonly [name: string]: unknown;
}
