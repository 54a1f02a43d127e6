import type { RunConfig } from '../config/index.js';

const parts = 4;

/**
 * The steps at whose end a seed's coreset is kept for its validation curve: the quarters between first and last step.
 *
 * None is a step that a checkpoint is saved at, unless there is no other: a checkpoint is on disk before its step is seen,
 * and a process killed in between would resume behind it.
 */
export function snapshotSteps({ steps, checkpointEvery }: Pick<RunConfig, 'steps' | 'checkpointEvery'>): number[] {
  const quarters = Array.from({ length: parts - 1 }, (_, i) => Math.round((steps * (i + 1)) / parts));
  const beside = quarters.map((step) => (checkpointEvery > 1 && step % checkpointEvery === 0 ? step - 1 : step));
  return [...new Set(beside)].filter((step) => step > 0 && step < steps);
}
