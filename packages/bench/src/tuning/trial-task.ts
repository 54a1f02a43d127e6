import { NonFiniteError } from '@bpc/core';
import type { EvaluationConfig } from '../config/index.js';
import { type LearnTaskOptions, learnTask } from '../learning/learn-task.js';
import { coresetFile } from '../learning/learned-files.js';
import { scoreLearnedTask } from '../learning/score-learned-task.js';
import type { TaskTools } from '../workers/protocol.js';
import type { SharedData } from '../workers/shared-data.js';

/** One seed of one trial. There is no split to choose: a trial is scored on validation. */
export interface TrialTaskOptions {
  readonly learn: LearnTaskOptions;
  readonly evaluation: EvaluationConfig;
  /** Share of the work that learning is, for the progress line. */
  readonly learningShare: number;
}

/** Validation figures of one seed, or why there are none. */
export type TrialScore = { readonly accuracy: number; readonly nll: number } | { readonly diverged: string };

/** Learns with a trial's settings and scores the coreset on validation images; settings that diverge are no failure. */
export async function trialTask(options: TrialTaskOptions, tools: TaskTools<SharedData>): Promise<TrialScore> {
  const { learn, evaluation, learningShare } = options;
  const part = (from: number, share: number): TaskTools<SharedData> => ({
    ...tools,
    progress: ({ done, total }) => tools.progress({ done: from + (share * done) / Math.max(1, total), total: 1 }),
  });
  try {
    await learnTask(learn, part(0, learningShare));
    const { network, seed, folder } = learn;
    const score = await scoreLearnedTask(
      { network, seed, file: coresetFile(folder), settings: evaluation, split: 'validation' },
      part(learningShare, 1 - learningShare),
    );
    const { accuracy, nll } = score?.metrics ?? {};
    if (accuracy === undefined || nll === undefined) throw new Error('a coreset was learned but its file is missing');
    return Number.isFinite(nll) ? { accuracy, nll } : { diverged: `the validation NLL is ${nll}` };
  } catch (error) {
    if (error instanceof NonFiniteError) return { diverged: error.message };
    throw error;
  }
}
