import { textTable } from '../cli/text-table.js';
import { formatSeconds } from '../progress/index.js';
import type { Cells } from './cells.js';
import type { TableJob, TableJobs } from './jobs.js';
import { type Remaining, wallSeconds } from './remaining.js';
import type { JobTimes } from './times.js';

/** A table before it runs. */
export interface Plan {
  readonly cells: { readonly id: string; readonly seeds: number; readonly done: number; readonly failure?: string }[];
  readonly jobs: {
    readonly kind: string;
    readonly data: string;
    readonly left: number;
    readonly done: number;
    readonly threadSeconds: number;
  }[];
  /** About how long it takes, with the workers asked for. */
  readonly seconds: number;
  readonly workers: number;
}

interface PlanOptions {
  readonly cells: Cells;
  readonly work: TableJobs;
  readonly remaining: Remaining;
  readonly times: JobTimes;
  readonly workers: number;
}

/** What is done, what is left and about how long it takes. */
export function describePlan({ cells, work, remaining, times, workers }: PlanOptions): Plan {
  const finished = new Set(remaining.done.map(({ name }) => name));
  const impossible = new Map(cells.impossible.map(({ id, failure }) => [id, failure.message]));
  const kinds = new Map<string, TableJob[]>();
  for (const job of work.jobs) {
    const key = `${job.data.key}\n${job.kind}`;
    kinds.set(key, [...(kinds.get(key) ?? []), job]);
  }
  const left = new Set(remaining.left.map(({ name }) => name));
  return {
    cells: cells.order.flatMap((id) => {
      const failure = impossible.get(id);
      if (failure !== undefined) return [{ id, seeds: 0, done: 0, failure }];
      const sources = work.sources.get(id);
      if (sources === undefined) return [];
      return [{ id, seeds: sources.length, done: sources.filter(({ job }) => finished.has(job)).length }];
    }),
    jobs: [...kinds.values()].map((jobs) => {
      const open = jobs.filter(({ name }) => left.has(name));
      return {
        kind: jobs[0]?.kind ?? '',
        data: jobs[0]?.data.key ?? '',
        left: open.length,
        done: jobs.filter(({ name }) => finished.has(name)).length,
        threadSeconds: open.reduce((sum, job) => sum + times.expect(job), 0),
      };
    }),
    seconds: wallSeconds(remaining.left, times, workers),
    workers,
  };
}

/** The plan for a terminal. */
export function planText({ cells, jobs, seconds, workers }: Plan): string {
  const cellLines = textTable(
    ['cell', 'seeds', 'done', ''],
    cells.map(({ id, seeds, done, failure }) => [id, String(seeds), String(done), failure === undefined ? '' : `impossible: ${failure}`]),
  );
  const jobLines = textTable(
    ['data', 'work', 'left', 'done', 'thread time'],
    jobs.map(({ kind, data, left, done, threadSeconds }) => [
      data,
      kind,
      String(left),
      String(done),
      left === 0 ? '-' : formatSeconds(threadSeconds),
    ]),
  );
  const total =
    seconds === 0 ? 'Nothing is left to do.' : `About ${formatSeconds(seconds)} with ${workers} ${workers === 1 ? 'worker' : 'workers'}.`;
  return [cellLines, '', jobLines, '', total].join('\n');
}
