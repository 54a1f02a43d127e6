import { disposeTree, key, type Tree } from '@bpc/core';
import { coresetTensors } from '../evaluation/host-coreset.js';
import type { ExpertRecipe } from '../experts/expert-file.js';
import { expertFiles } from '../experts/expert-source.js';
import { buildNetwork, type NetworkSpec } from '../experts/network.js';
import type { TrainingSettings } from '../experts/training-program.js';
import { imagesPerRun } from '../experts/working-set.js';
import { coresetRecord, writeLearned } from '../learning/learned-files.js';
import type { TaskTools } from '../workers/protocol.js';
import type { SharedData } from '../workers/shared-data.js';
import { openTaskRuntime } from '../workers/task-runtime.js';
import { type FeatureSource, networkFeatures, pixelFeatures } from './feature-source.js';
import { recordForgetting } from './record-forgetting.js';
import { coresetOfPoints } from './select-coreset.js';
import { type SelectPointsOptions, selectPoints } from './select-points.js';

/** Trained experts whose last snapshots give features; seeds take turns at them. */
export interface FeatureExperts {
  readonly network: NetworkSpec;
  readonly folder: string;
  readonly recipe: ExpertRecipe;
  readonly count: number;
  readonly epochs: number;
}

/** How the images of one coreset are chosen. */
export type SelectionSettings =
  | { readonly rule: 'herding' | 'k-center'; readonly features: 'pixels' | FeatureExperts }
  | { readonly rule: 'forgetting'; readonly network: NetworkSpec; readonly training: TrainingSettings };

/** One coreset to select. */
export interface SelectionTaskOptions {
  readonly selection: SelectionSettings;
  readonly ipc: number;
  readonly seed: number;
  /** Where `coreset.safetensors` is written, for `scoreLearnedTask`. */
  readonly folder: string;
}

type Use<T> = (features: FeatureSource) => Promise<T>;

async function withFeatures<T>(features: 'pixels' | FeatureExperts, seed: number, tools: TaskTools<SharedData>, use: Use<T>): Promise<T> {
  const { dataset } = tools.shared;
  if (features === 'pixels') return use(pixelFeatures(dataset));
  const { network: spec, folder, recipe, count, epochs } = features;
  const runtime = await openTaskRuntime(tools);
  const network = buildNetwork(spec);
  const like = network.init(key(0));
  let params: Tree | undefined;
  let source: FeatureSource | undefined;
  try {
    params = await expertFiles({ folder, count, epochs, recipe, like, cached: 1 }).load(seed % count, epochs);
    source = networkFeatures({ dataset, network, params, runtime, batch: Math.min(imagesPerRun(spec), dataset.train.count) });
    return await use(source);
  } finally {
    await source?.dispose();
    disposeTree(params);
    disposeTree(like);
  }
}

/** The chosen training images, class by class. */
async function choose({ selection, ipc, seed }: SelectionTaskOptions, tools: TaskTools<SharedData>): Promise<Int32Array> {
  const { shared, signal, progress } = tools;
  const { dataset } = shared;
  const common: Pick<SelectPointsOptions, 'dataset' | 'ipc' | 'signal' | 'onProgress'> = {
    dataset,
    ipc,
    signal,
    onProgress: (done, total) => progress({ done, total }),
  };
  if (selection.rule !== 'forgetting') {
    const { rule } = selection;
    return withFeatures(selection.features, seed, tools, (features) => selectPoints({ ...common, rule, features }));
  }
  const { network: spec, training } = selection;
  const runtime = await openTaskRuntime(tools);
  // One training serves every number of images per class that this thread selects.
  const record = await tools.resource(
    `forgetting ${JSON.stringify([spec, training, seed])}`,
    () =>
      recordForgetting({
        dataset,
        network: buildNetwork(spec),
        runtime,
        training,
        seed,
        imagesPerRun: imagesPerRun(spec),
        signal,
        onStep: (done, total, loss) => progress({ done, total, note: `loss ${loss.toFixed(3)}` }),
      }),
    async () => undefined,
  );
  return selectPoints({ dataset, ipc, rule: 'forgetting', record });
}

/**
 * Selects a coreset of real images in this thread and writes it as a file of the same kind as a learned one.
 *
 * Herding and k-centre take as long as one pass over the images, forgetting as long as a training. Equal options give the same file.
 */
export async function selectionTask(options: SelectionTaskOptions, tools: TaskTools<SharedData>): Promise<void> {
  const { selection, seed, ipc, folder } = options;
  const { dataset } = tools.shared;
  const indices = await choose(options, tools);
  // Saving goes by tensors, which need a place to be.
  await openTaskRuntime(tools);
  const coreset = coresetTensors(coresetOfPoints(dataset, indices));
  const provenance = { method: selection.rule, features: featuresTitle(selection), seed, ipc, indices: Array.from(indices) };
  try {
    await writeLearned(folder, coreset, coresetRecord(dataset, 'probabilities', provenance));
  } finally {
    disposeTree(coreset);
  }
}

function featuresTitle(selection: SelectionSettings): string {
  if (selection.rule === 'forgetting') return 'none';
  return selection.features === 'pixels' ? 'pixels' : 'network';
}
