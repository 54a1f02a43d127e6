import { join } from 'node:path';
import { CheckpointError, foldIn, hostPermutation, key } from '@bpc/core';
import type { Dataset, TrainSplit } from '../data/dataset.js';
import type { PreprocessName } from '../data/preprocess.js';
import type { PhaseProgress } from '../progress/index.js';
import { moduleUrl, runWithProgress, type TaskPool, type TaskSpec } from '../workers/index.js';
import { type ExpertRecipe, expertFileName, readExpertFile } from './expert-file.js';
import type { ExpertTaskOptions } from './expert-task.js';
import type { NetworkSpec } from './network.js';
import type { TrainingSettings } from './training-program.js';

/** Which experts are wanted. */
export interface ExpertSettings {
  readonly network: NetworkSpec;
  readonly training: TrainingSettings;
  readonly count: number;
  /** How many training images they see; all of them if there are fewer. */
  readonly images: number;
  readonly seed: number;
  /** How the images are prepared. Default: standardised. */
  readonly preprocess?: PreprocessName;
}

/** What `trainExperts` needs. */
export interface TrainExpertsOptions extends ExpertSettings {
  readonly dataset: Dataset;
  /** Its shared data must hold the same data set. */
  readonly pool: TaskPool;
  /** Where the files are, one per expert. */
  readonly folder: string;
  readonly progress?: (total: number) => PhaseProgress;
  readonly warn: (message: string) => void;
  /** Called after each training with the seconds it took. */
  readonly onTrained?: (seconds: number) => Promise<void>;
}

const SUBSET = 0x5e1ec7;

/** The training images that experts see: class frequencies as in the data, order and choice by the seed. */
export function expertPoints(train: TrainSplit, images: number, seed: number): Int32Array {
  const order = hostPermutation(foldIn(key(seed), SUBSET), train.count);
  return order.slice(0, Math.min(images, train.count)).sort();
}

/** Everything that decides an expert's weights up to rounding. */
export function expertRecipe(
  { network, training, images, seed, preprocess = 'standardise' }: ExpertSettings,
  dataset: string,
): ExpertRecipe {
  const prepared = preprocess === 'standardise' ? {} : { preprocess };
  return { version: 1, dataset, network, training, images, seed, ...prepared };
}

/** True if a valid file is there; a damaged one is announced and counts as missing. */
export async function isTrained(path: string, recipe: ExpertRecipe, epochs: number, warn: (message: string) => void): Promise<boolean> {
  try {
    return (await readExpertFile(path, recipe, epochs)) !== undefined;
  } catch (error) {
    if (!(error instanceof CheckpointError) || error.cause === 'recipe') throw error;
    warn(`${path} is damaged and is trained again: ${error.message}`);
    return false;
  }
}

/**
 * The numbers of the experts that are still to train; a damaged file is announced and counts as missing.
 *
 * @throws CheckpointError if the folder has experts of other settings.
 */
export async function missingExperts(
  options: ExpertSettings & Pick<TrainExpertsOptions, 'folder' | 'warn'> & { readonly dataset: Pick<Dataset, 'name'> },
): Promise<number[]> {
  const { dataset, folder, count, training, warn } = options;
  const recipe = expertRecipe(options, dataset.name);
  const missing: number[] = [];
  for (let expert = 0; expert < count; expert++) {
    if (!(await isTrained(join(folder, expertFileName(expert)), recipe, training.epochs, warn))) missing.push(expert);
  }
  return missing;
}

/** The tasks that train the experts of some numbers; each writes its file. */
export function expertTasks(
  options: ExpertSettings & Pick<TrainExpertsOptions, 'dataset' | 'folder'>,
  experts: readonly number[],
): TaskSpec<ExpertTaskOptions>[] {
  const { dataset, folder, network, training, seed, images } = options;
  const recipe = expertRecipe(options, dataset.name);
  const points = expertPoints(dataset.train, images, seed);
  const module = moduleUrl('./expert-task.js', import.meta.url);
  return experts.map((expert) => ({
    module,
    export: 'expertTask',
    options: { network, settings: training, points, seed, expert, folder, recipe },
  }));
}

/**
 * Trains the experts whose files are missing, in parallel; the weights do not depend on how many threads share the work.
 *
 * Each file has the snapshots of epochs 0 (initialisation) to `training.epochs`, and appears when it is complete.
 *
 * @throws CheckpointError if the folder has experts of other settings; InterruptedError when aborted (finished files stay).
 */
export async function trainExperts(options: TrainExpertsOptions): Promise<void> {
  const { pool, progress, onTrained } = options;
  const missing = await missingExperts(options);
  if (missing.length === 0) return;
  const tasks = expertTasks(options, missing);
  await runWithProgress(pool, tasks, {
    phase: progress?.(tasks.length),
    store: (_, __, seconds) => onTrained?.(seconds),
  });
}
