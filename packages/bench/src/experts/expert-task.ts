import { join } from 'node:path';
import { disposeTree, foldIn, key, type SafetensorsEntry } from '@bpc/core';
import type { TaskTools } from '../workers/protocol.js';
import type { SharedData } from '../workers/shared-data.js';
import { openTaskRuntime } from '../workers/task-runtime.js';
import { batchesPerEpoch } from './batches.js';
import { type ExpertRecipe, expertFileName, snapshotEntries, writeExpertFile } from './expert-file.js';
import { buildNetwork, type NetworkSpec } from './network.js';
import { trainNetwork } from './train-network.js';
import { type TrainingSettings, trainingProgram } from './training-program.js';
import { imagesPerRun } from './working-set.js';

/** One expert to train. */
export interface ExpertTaskOptions {
  readonly network: NetworkSpec;
  readonly settings: TrainingSettings;
  readonly points: Int32Array;
  readonly seed: number;
  readonly expert: number;
  readonly folder: string;
  readonly recipe: ExpertRecipe;
}

/** Trains one expert in this thread and writes its file. Its randomness depends on seed and number only. */
export async function expertTask(options: ExpertTaskOptions, tools: TaskTools<SharedData>): Promise<void> {
  const { network: spec, settings, points, seed, expert, folder, recipe } = options;
  const { dataset } = tools.shared;
  const runtime = await openTaskRuntime(tools);
  const network = buildNetwork(spec);
  const totalSteps = settings.epochs * batchesPerEpoch(points.length, settings.batch);
  const program = await tools.resource(
    `expert ${JSON.stringify([spec, settings, totalSteps])}`,
    async () => trainingProgram({ network, runtime, settings, totalSteps }),
    (made) => made.dispose(),
  );
  const entries: [string, SafetensorsEntry][] = [];
  const params = await trainNetwork({
    network,
    program,
    settings,
    split: dataset.train,
    normalisation: dataset.normalisation,
    points,
    imagesPerRun: imagesPerRun(spec),
    key: foldIn(key(seed), expert),
    signal: tools.signal,
    onStep: (done, total, loss) => tools.progress({ done, total, note: `loss ${loss.toFixed(3)}` }),
    onEpoch: async (epoch, snapshot) => {
      entries.push(...(await snapshotEntries(epoch, snapshot)));
    },
  });
  disposeTree(params);
  await writeExpertFile(join(folder, expertFileName(expert)), entries, recipe);
}
