import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Dataset } from '../data/dataset.js';
import { buildNetwork, networkSpec } from '../experts/network.js';
import { type Job, runJobs } from '../learning/jobs.js';
import { type CostMeter, costMeter } from '../learning/phases.js';
import { checkImagesPerClass, checkMethod } from '../methods/index.js';
import type { PhaseProgress, Reporter } from '../progress/index.js';
import type { RunFolder } from '../run-folder/index.js';
import { moduleUrl, type TaskPool } from '../workers/index.js';
import type { Attempt, AttemptOptions } from './attempt-task.js';
import type { Cell } from './cells.js';
import { type Failure, failureOf } from './failure.js';
import type { DataPlace, TableJob, TableJobs } from './jobs.js';
import { longestFirst, remainingJobs } from './remaining.js';
import { jobTimes } from './times.js';

/** What `runTable` needs; everything in it is validated. */
export interface RunTableOptions {
  /** Cells to work on. */
  readonly cells: readonly Cell[];
  readonly work: TableJobs;
  readonly folder: RunFolder;
  readonly reporter: Reporter;
  readonly load: (place: DataPlace) => Promise<Dataset>;
  /** Opens threads that hold a data set, for the length of some work. */
  readonly withPool: <T>(dataset: Dataset, work: (pool: TaskPool) => Promise<T>) => Promise<T>;
}

/** How a table's work ended. */
export interface TableRun {
  /** By cell. */
  readonly failures: ReadonlyMap<string, Failure>;
  readonly meter: CostMeter;
}

/** Cells that their data set rules out, found before anything is trained for them. */
function refusedCells(dataset: Dataset, cells: readonly Cell[]): Map<string, Failure> {
  const refused = new Map<string, Failure>();
  for (const { id, ipc, config, kind } of cells) {
    try {
      if (kind === 'learned') checkMethod(config, dataset);
      else if (kind === 'control') checkImagesPerClass(dataset, ipc);
      buildNetwork(networkSpec(config, dataset));
    } catch (error) {
      refused.set(id, failureOf(error));
    }
  }
  return refused;
}

/** Removes files that are damaged, so that they are made again. */
async function removeDamaged(jobs: readonly TableJob[], dataset: Dataset, warn: (message: string) => void): Promise<void> {
  for (const { file, isSound } of jobs) {
    if (file !== undefined && existsSync(file) && (await isSound?.(dataset, warn)) === false) await rm(file, { force: true });
  }
}

/** The part of a progress line that one data set has. */
const part = (phase: PhaseProgress, before: number, note: () => string): PhaseProgress => ({
  update: (done) => phase.update(before + done, note()),
  finish: () => undefined,
  stop: () => undefined,
});

const attempt = (job: TableJob, dataset: Dataset, after: readonly string[], weight: number): Job => {
  const options: AttemptOptions = { task: job.task(dataset) };
  const task = { module: moduleUrl('./attempt-task.js', import.meta.url), export: 'attemptTask', options };
  return { name: job.name, kind: job.kind, task, weight, after };
};

const wholeFailure: Failure = { message: 'its coreset was not learned', remedy: 'see the messages above' };

/**
 * Does what is left of a table, one data set after the other, each in as many threads as its pool has.
 *
 * The result of a job is kept under the job's name as soon as it is there. A job that fails costs the cells that need it and
 * nothing else; failures are not kept, so that the next start tries again.
 *
 * @throws InterruptedError when aborted; StorageError if results cannot be written.
 */
export async function runTable({ cells, work, folder, reporter, load, withPool }: RunTableOptions): Promise<TableRun> {
  const meter = costMeter(folder);
  const times = jobTimes(folder);
  const failures = new Map<string, Failure>();
  const fail = (ids: readonly string[], failure: Failure) => {
    for (const id of ids) {
      if (failures.has(id)) continue;
      failures.set(id, failure);
      reporter.warn(`${id} failed: ${failure.message}`);
    }
  };
  const { left } = remainingJobs(work.jobs, folder);
  if (left.length === 0) return { failures, meter };
  // Of the moment of the start: a unit that is refined while jobs are done would make no scale.
  const expected = new Map(work.jobs.map((job) => [job.name, times.expect(job)]));
  const secondsOf = (jobs: readonly Pick<TableJob, 'name'>[]) => jobs.reduce((sum, { name }) => sum + (expected.get(name) ?? 0), 0);
  const total = secondsOf(left);
  const phase = reporter.phase('table', total);
  let before = 0;
  try {
    for (const place of new Map(left.map(({ data }) => [data.key, data])).values()) {
      const dataset = await load(place);
      const ids = new Set(work.jobs.filter(({ data }) => data.key === place.key).flatMap((job) => job.cells));
      const own = cells.filter(({ id }) => ids.has(id));
      const refused = refusedCells(dataset, own);
      for (const [id, failure] of refused) fail([id], failure);
      const wanted = work.jobs.filter((job) => job.data.key === place.key && job.cells.some((id) => !refused.has(id)));
      await removeDamaged(wanted, dataset, reporter.warn);
      const jobs = longestFirst(remainingJobs(wanted, folder).left, times);
      const byName = new Map(jobs.map((job) => [job.name, job]));
      let done = 0;
      const progress = () => part(phase, before, () => `${place.key}, ${done} of ${jobs.length} jobs`);
      const store = async ({ name: job }: Job, result: unknown, seconds: number) => {
        const found = byName.get(job);
        if (found === undefined) return;
        done++;
        // The task is `attemptTask`.
        const attempted = result as Attempt;
        if ('failure' in attempted) return fail(found.cells, attempted.failure);
        if (found.file === undefined) {
          if (attempted.value === null || attempted.value === undefined) return fail(found.cells, wholeFailure);
          await folder.writePiece(job, attempted.value);
        }
        await times.measured(found, seconds);
        await meter.task(found.kind, seconds);
      };
      await meter.phase(place.key, () =>
        withPool(dataset, (pool) =>
          runJobs({ pool, jobs: jobs.map((job) => attempt(job, dataset, job.after, secondsOf([job]))), progress, store }),
        ),
      );
      before += secondsOf(left.filter(({ data }) => data.key === place.key));
    }
    phase.finish();
  } catch (error) {
    phase.stop();
    throw error;
  }
  return { failures, meter };
}
