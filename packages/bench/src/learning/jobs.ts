import type { PhaseProgress } from '../progress/index.js';
import { runWithProgress, type TaskPool, type TaskSpec } from '../workers/index.js';

/** A named task of a run. What it returns is kept under its name, so that a run that was stopped does not repeat it. */
export interface Job {
  readonly name: string;
  /** What its time is booked as. */
  readonly kind: string;
  readonly task: TaskSpec<unknown>;
  /** Cost, in any unit common to all jobs. */
  readonly weight: number;
  /** Names of jobs that must be done before; those that are not in the list are. */
  readonly after?: readonly string[];
}

interface JobsOptions {
  readonly pool: TaskPool;
  readonly jobs: readonly Job[];
  /** Told how many jobs there are and what they cost together. */
  readonly progress: (count: number, total: number) => PhaseProgress;
  /** Keeps a result as soon as it is there. */
  readonly store: (job: Job, result: unknown, seconds: number) => Promise<void>;
}

/** Runs jobs in their order, as many at once as the pool has threads; each waits for those that it needs. */
export async function runJobs({ pool, jobs, progress, store }: JobsOptions): Promise<void> {
  if (jobs.length === 0) return;
  const places = new Map(jobs.map(({ name }, place) => [name, place]));
  const tasks = jobs.map(({ task, after = [] }) => ({ ...task, after: after.flatMap((name) => places.get(name) ?? []) }));
  const weights = jobs.map(({ weight }) => weight);
  const total = weights.reduce((a, b) => a + b, 0);
  await runWithProgress<unknown, unknown>(pool, tasks, {
    phase: progress(jobs.length, total),
    weights,
    async store(index, result, seconds) {
      const job = jobs[index];
      if (job !== undefined) await store(job, result, seconds);
    },
  });
}
