import { foldIn, key, NonFiniteError } from '@bpc/core';
import type { EvaluationConfig } from '../config/index.js';
import { buildNetwork, type NetworkSpec } from '../experts/network.js';
import { imagesPerRun } from '../experts/working-set.js';
import type { TaskTools } from '../workers/protocol.js';
import type { SharedData } from '../workers/shared-data.js';
import { openTaskRuntime } from '../workers/task-runtime.js';
import { chainPrograms } from './chain-programs.js';
import type { HostCoreset } from './host-coreset.js';
import { predictFromCoreset } from './predict-from-coreset.js';
import { type Score, scorePrediction } from './score.js';

/** A coreset to score with one seed. */
export interface EvaluateTaskOptions {
  readonly network: NetworkSpec;
  readonly coreset: HostCoreset;
  readonly settings: EvaluationConfig;
  readonly seed: number;
  readonly split: 'validation' | 'test';
}

const EVALUATION = 0xe7a1;

/** Scores one coreset in this thread; programs are kept for the next one of the same shape. */
export async function evaluateTask(options: EvaluateTaskOptions, tools: TaskTools<SharedData>): Promise<Score> {
  const { network: spec, coreset, settings, seed, split: role } = options;
  const { dataset } = tools.shared;
  const runtime = await openTaskRuntime(tools);
  const network = buildNetwork(spec);
  const { reduction } = settings;
  const programs = await tools.resource(
    `chains ${JSON.stringify([spec, reduction])}`,
    async () => chainPrograms({ network, runtime, reduction }),
    (made) => made.dispose(),
  );
  const split = dataset[role];
  const prediction = await predictFromCoreset({
    network,
    programs,
    coreset,
    settings,
    key: foldIn(key(seed), EVALUATION),
    split,
    normalisation: dataset.normalisation,
    imagesPerRun: imagesPerRun(spec),
    signal: tools.signal,
    onProgress: (done, total) => tools.progress({ done, total }),
  });
  return scorePrediction(prediction, split);
}

/** The same for a search, where a candidate that diverges is no failure: it has no score. */
export async function evaluateOrSkip(options: EvaluateTaskOptions, tools: TaskTools<SharedData>): Promise<Score | undefined> {
  try {
    return await evaluateTask(options, tools);
  } catch (error) {
    if (error instanceof NonFiniteError) return undefined;
    throw error;
  }
}
