import { ConfigError, foldIn, key, NonFiniteError } from '@bpc/core';
import type { EvaluationConfig } from '../config/index.js';
import { buildNetwork, type NetworkSpec } from '../experts/network.js';
import { evaluatedCoreset } from '../methods/relative-weights.js';
import type { TaskTools } from '../workers/protocol.js';
import type { SharedData } from '../workers/shared-data.js';
import { openTaskRuntime } from '../workers/task-runtime.js';
import { chainPrograms } from './chain-programs.js';
import type { HostCoreset } from './host-coreset.js';
import { pointEstimates } from './point-estimates.js';
import { predictFromCoreset } from './predict-from-coreset.js';
import { pointEstimateScore, type Score, scorePrediction } from './score.js';
import { threadBatches } from './thread-batches.js';

/** A coreset to score with one seed. */
export interface EvaluateTaskOptions {
  readonly network: NetworkSpec;
  readonly coreset: HostCoreset;
  readonly settings: EvaluationConfig;
  readonly seed: number;
  readonly split: 'validation' | 'test';
}

const EVALUATION = 0xe7a1;

/** Scores one coreset in this thread; programs and converted images are kept for the next one of the same shape. */
export async function evaluateTask(options: EvaluateTaskOptions, tools: TaskTools<SharedData>): Promise<Score> {
  const { network: spec, coreset, settings, seed, split: role } = options;
  const { dataset } = tools.shared;
  const split = dataset[role];
  if (split.count === 0) {
    throw new ConfigError(
      `there are no ${role} images to score on`,
      role === 'test' ? 'settings are chosen on validation; score on it' : 'use a data set with a validation split, or score on test',
    );
  }
  const runtime = await openTaskRuntime(tools);
  const network = buildNetwork(spec);
  const { reduction, pointsAtOnce } = settings;
  const programs = await tools.resource(
    `chains ${JSON.stringify([spec, reduction, pointsAtOnce])}`,
    async () => chainPrograms({ network, runtime, reduction, pointsAtOnce }),
    (made) => made.dispose(),
  );
  const common = {
    network,
    programs,
    coreset: evaluatedCoreset(coreset, settings),
    settings,
    key: foldIn(key(seed), EVALUATION),
    batches: await threadBatches(tools, role, spec),
    labels: split.labels,
    shape: split.shape,
    signal: tools.signal,
    onProgress: (done: number, total: number) => tools.progress({ done, total }),
  };
  if (settings.protocol === 'point-estimate')
    return pointEstimateScore((await pointEstimates(common)).map((prediction) => scorePrediction(prediction, split)));
  return scorePrediction(await predictFromCoreset(common), split);
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
