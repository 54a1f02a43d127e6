import { readFile } from 'node:fs/promises';
import { type EvaluateTaskOptions, evaluateTask } from '../evaluation/evaluate-task.js';
import type { Score } from '../evaluation/score.js';
import type { TaskTools } from '../workers/protocol.js';
import type { SharedData } from '../workers/shared-data.js';
import { openTaskRuntime } from '../workers/task-runtime.js';
import { readCoreset } from './learned-files.js';

/** A coreset to score that another task writes. */
export interface ScoreLearnedOptions extends Omit<EvaluateTaskOptions, 'coreset'> {
  readonly file: string;
}

const read = async (file: string): Promise<Uint8Array | undefined> => {
  try {
    return new Uint8Array(await readFile(file));
  } catch {
    return undefined;
  }
};

/** Scores a coreset file in this thread; null if the file is not there. */
export async function scoreLearnedTask({ file, ...options }: ScoreLearnedOptions, tools: TaskTools<SharedData>): Promise<Score | null> {
  const bytes = await read(file);
  if (bytes === undefined) return null;
  // Reading makes tensors, which need a place to be.
  await openTaskRuntime(tools);
  const { coreset } = await readCoreset(bytes, tools.shared.dataset);
  return evaluateTask({ ...options, coreset }, tools);
}
