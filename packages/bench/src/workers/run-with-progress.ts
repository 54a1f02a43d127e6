import type { PhaseProgress } from '../progress/index.js';
import type { TaskPool } from './pool.js';
import type { TaskSpec } from './protocol.js';

/** How the tasks of a phase are reported and kept. */
interface PhaseOptions<Result> {
  readonly phase?: PhaseProgress | undefined;
  /** Relative cost of each task, so that the time left does not jump; equal if left out. The phase counts their sum. */
  readonly weights?: readonly number[];
  /** Called as soon as a task is done; what it throws stops the rest. */
  readonly store?: (index: number, result: Result, seconds: number) => void | Promise<void>;
}

/** Runs tasks with one progress line for all of them, in units of `weights`. */
export async function runWithProgress<Options, Result>(
  pool: TaskPool,
  tasks: readonly TaskSpec<Options>[],
  { phase, weights, store }: PhaseOptions<Result> = {},
): Promise<Result[]> {
  const done = new Float64Array(tasks.length);
  const update = (index: number, share: number, note?: string) => {
    done[index] = (weights?.[index] ?? 1) * share;
    phase?.update(
      done.reduce((sum, part) => sum + part, 0),
      note,
    );
  };
  try {
    const results = await pool.run<Options, Result>(tasks, {
      onProgress: (index, position) => update(index, position.done / position.total, position.note),
      async onResult(index, result, seconds) {
        update(index, 1);
        await store?.(index, result, seconds);
      },
    });
    phase?.finish();
    return results;
  } catch (error) {
    phase?.stop();
    throw error;
  }
}
