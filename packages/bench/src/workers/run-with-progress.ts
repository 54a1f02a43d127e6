import type { PhaseProgress } from '../progress/index.js';
import type { TaskPool } from './pool.js';
import type { TaskSpec } from './protocol.js';

/**
 * Runs tasks with one progress line for all of them, in units of tasks.
 *
 * `store` is called as soon as a task is done; what it throws stops the rest.
 */
export async function runWithProgress<Options, Result>(
  pool: TaskPool,
  tasks: readonly TaskSpec<Options>[],
  phase: PhaseProgress | undefined,
  store?: (index: number, result: Result) => void | Promise<void>,
): Promise<Result[]> {
  const done = new Float64Array(tasks.length);
  try {
    const results = await pool.run<Options, Result>(tasks, {
      onProgress(index, position) {
        done[index] = position.done / position.total;
        phase?.update(done.reduce((sum, part) => sum + part, 0), position.note);
      },
      ...(store === undefined ? {} : { onResult: store }),
    });
    phase?.finish();
    return results;
  } catch (error) {
    phase?.finish('stopped');
    throw error;
  }
}
