import { disposeTree } from '@bpc/core';
import type { RunConfig } from '../config/index.js';
import { type EvaluateTaskOptions, evaluateTask } from '../evaluation/evaluate-task.js';
import { hostCoreset } from '../evaluation/host-coreset.js';
import type { Score } from '../evaluation/score.js';
import { initialCoreset } from '../learning/initial-coreset.js';
import type { TaskTools } from '../workers/protocol.js';
import type { SharedData } from '../workers/shared-data.js';
import { openTaskRuntime } from '../workers/task-runtime.js';

/** How a coreset of real images is drawn: equal recipes, equal points. */
export interface InitialRecipe {
  readonly init: RunConfig['init'];
  readonly ipc: number;
  readonly seed: number;
  readonly labels: 'probabilities' | 'logits';
  /** Of every point. */
  readonly weight: number;
}

/** A control to draw and score. */
export interface ScoreInitialOptions extends Omit<EvaluateTaskOptions, 'coreset'> {
  readonly recipe: InitialRecipe;
}

/** Draws a control from the shared training images and scores it in this thread. */
export async function scoreInitialTask({ recipe, ...options }: ScoreInitialOptions, tools: TaskTools<SharedData>): Promise<Score> {
  // Drawing makes tensors, which need a place to be.
  await openTaskRuntime(tools);
  const points = initialCoreset(tools.shared.dataset, recipe);
  try {
    return await evaluateTask({ ...options, coreset: await hostCoreset(points, recipe.labels) }, tools);
  } finally {
    disposeTree(points);
  }
}
