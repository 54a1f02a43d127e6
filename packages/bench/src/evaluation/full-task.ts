import { disposeTree, foldIn, key } from '@bpc/core';
import type { FullConfig } from '../config/index.js';
import { batchesPerEpoch } from '../experts/batches.js';
import { buildNetwork, type NetworkSpec } from '../experts/network.js';
import { trainNetwork } from '../experts/train-network.js';
import { trainingProgram } from '../experts/training-program.js';
import { imagesPerRun } from '../experts/working-set.js';
import type { TaskTools } from '../workers/protocol.js';
import type { SharedData } from '../workers/shared-data.js';
import { openTaskRuntime } from '../workers/task-runtime.js';
import { predictSplit } from './predict-split.js';
import { predictionAverage } from './prediction-average.js';
import { type Score, scorePrediction } from './score.js';
import { threadBatches } from './thread-batches.js';

/** The ceiling of one seed: the same network on all training images. */
export interface FullTaskOptions {
  readonly network: NetworkSpec;
  readonly settings: FullConfig;
  readonly seed: number;
  readonly split: 'validation' | 'test';
}

const FULL = 0xf011;

/** Trains the ceiling in this thread and scores it. */
export async function fullTask(options: FullTaskOptions, tools: TaskTools<SharedData>): Promise<Score> {
  const { network: spec, settings, seed, split } = options;
  const { dataset } = tools.shared;
  const { train, normalisation } = dataset;
  const scored = dataset[split];
  const runtime = await openTaskRuntime(tools);
  const network = buildNetwork(spec);
  const stepsEach = settings.epochs * batchesPerEpoch(train.count, settings.batch);
  const program = await tools.resource(
    `full ${JSON.stringify([spec, settings])}`,
    async () => trainingProgram({ network, runtime, settings, totalSteps: stepsEach }),
    (made) => made.dispose(),
  );
  const logits = await tools.resource(
    `full logits ${JSON.stringify(spec)}`,
    async () => runtime.compile(network.apply),
    (made) => made.dispose(),
  );
  const average = predictionAverage(scored.labels, dataset.classes);
  const points = Int32Array.from({ length: train.count }, (_, i) => i);
  for (let n = 0; n < settings.networks; n++) {
    const params = await trainNetwork({
      network,
      program,
      settings,
      split: train,
      normalisation,
      points,
      imagesPerRun: imagesPerRun(spec),
      key: foldIn(foldIn(key(seed), FULL), n),
      signal: tools.signal,
      onStep: (done, total) => tools.progress({ done: n * total + done, total: settings.networks * total }),
    });
    try {
      average.draw(await predictSplit({ predict: logits, params, batches: await threadBatches(tools, split, spec) }));
    } finally {
      disposeTree(params);
    }
    average.endChain();
  }
  return scorePrediction(average.result('ensemble'), scored);
}
