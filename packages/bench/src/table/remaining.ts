import { existsSync } from 'node:fs';
import type { RunFolder } from '../run-folder/index.js';
import type { TableJob } from './jobs.js';
import type { JobTimes } from './times.js';

/** The jobs that a table still has to do. */
export interface Remaining {
  readonly left: readonly TableJob[];
  readonly done: readonly TableJob[];
}

/** True if a job's result is there, as far as can be seen without reading it. */
const isThere = (job: TableJob, folder: Pick<RunFolder, 'readPiece'>): boolean =>
  job.file === undefined ? folder.readPiece<unknown>(job.name) !== undefined : existsSync(job.file);

/** Divides jobs into those done and those left; what only served jobs that are done (experts of learned coresets) is not left. */
export function remainingJobs(jobs: readonly TableJob[], folder: Pick<RunFolder, 'readPiece'>): Remaining {
  const there = new Map(jobs.map((job) => [job.name, isThere(job, folder)]));
  const byName = new Map(jobs.map((job) => [job.name, job]));
  const needed = new Set<string>();
  const visit = (job: TableJob) => {
    if (needed.has(job.name) || there.get(job.name) === true) return;
    needed.add(job.name);
    for (const name of job.after) {
      const before = byName.get(name);
      if (before !== undefined) visit(before);
    }
  };
  // Figures are what is wanted; everything else is only on the way.
  for (const job of jobs) if (job.file === undefined) visit(job);
  return { left: jobs.filter(({ name }) => needed.has(name)), done: jobs.filter(({ name }) => there.get(name) === true) };
}

/**
 * Jobs in the order in which free threads should take them: by the longest chain of work that begins with each.
 *
 * A job comes before those that wait for it, because its chain contains theirs.
 */
export function longestFirst(jobs: readonly TableJob[], times: JobTimes): TableJob[] {
  const waiting = new Map<string, TableJob[]>();
  for (const job of jobs) for (const name of job.after) waiting.set(name, [...(waiting.get(name) ?? []), job]);
  const lengths = new Map<string, number>();
  const length = (job: TableJob): number => {
    const known = lengths.get(job.name);
    if (known !== undefined) return known;
    // The least that a job adds keeps it before what follows it.
    const found = Math.max(times.expect(job), 1e-6) + Math.max(0, ...(waiting.get(job.name) ?? []).map(length));
    lengths.set(job.name, found);
    return found;
  };
  return [...jobs].sort((a, b) => length(b) - length(a));
}

/** Wall seconds that jobs take on some threads: each thread takes the next job that may start. */
export function wallSeconds(jobs: readonly TableJob[], times: JobTimes, threads: number): number {
  let wall = 0;
  // One data set after the other is in the threads' memory.
  for (const key of new Set(jobs.map(({ data }) => data.key))) {
    const free = new Array<number>(Math.max(1, threads)).fill(0);
    const ends = new Map<string, number>();
    for (const job of longestFirst(
      jobs.filter(({ data }) => data.key === key),
      times,
    )) {
      const thread = free.indexOf(Math.min(...free));
      const start = Math.max(free[thread] ?? 0, ...job.after.map((name) => ends.get(name) ?? 0));
      const end = start + times.expect(job);
      free[thread] = end;
      ends.set(job.name, end);
    }
    wall += Math.max(...free);
  }
  return wall;
}
