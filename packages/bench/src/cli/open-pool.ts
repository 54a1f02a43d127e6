import type { Dataset } from '../data/dataset.js';
import type { RuntimeName } from '../runtime-choice/index.js';
import { type TaskPool, taskPool } from '../workers/index.js';
import type { SharedData } from '../workers/shared-data.js';

interface PoolOptions {
  readonly workers: number;
  readonly threads: number;
  readonly runtime: RuntimeName;
  readonly dataset: Dataset;
  readonly signal: AbortSignal;
}

/** Runs `work` with a pool whose threads hold the data set, and ends the threads whatever happens. */
export async function withPool<T>(
  { workers, threads, runtime, dataset, signal }: PoolOptions,
  work: (pool: TaskPool) => Promise<T>,
): Promise<T> {
  const shared: SharedData = { dataset, runtime, threads };
  const pool = taskPool({ workers, shared, signal });
  try {
    return await work(pool);
  } finally {
    await pool.dispose();
  }
}
