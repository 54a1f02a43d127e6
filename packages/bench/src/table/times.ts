import type { RunFolder } from '../run-folder/index.js';
import type { TableJob } from './jobs.js';

/** Seconds that the jobs of a kind took, and what was expected of them. */
interface Measured {
  readonly taken: number;
  readonly expected: number;
}

type Timed = Pick<TableJob, 'kind' | 'data' | 'seconds'>;

/** What is known of how long jobs take, from the jobs that were done in this folder. */
export interface JobTimes {
  /** Seconds of one thread that a job is going to take. */
  expect(job: Timed): number;
  /** Books a job that was done. */
  measured(job: Timed, seconds: number): Promise<void>;
}

const piece = 'times';

/** Times that are refined by every job done: by kind and data set, else by kind, else by all together. */
export function jobTimes(folder: Pick<RunFolder, 'readPiece' | 'writePiece'>): JobTimes {
  const known: Record<string, Measured> = { ...folder.readPiece<Record<string, Measured>>(piece) };
  const names = ({ kind, data }: Timed) => [`${kind} on ${data.dataset}`, kind, 'all'];
  return {
    expect(job) {
      const found = names(job)
        .map((name) => known[name])
        .find((measured) => measured !== undefined && measured.expected > 0);
      return found === undefined ? job.seconds : (job.seconds * found.taken) / found.expected;
    },
    async measured(job, seconds) {
      for (const name of names(job)) {
        const { taken, expected } = known[name] ?? { taken: 0, expected: 0 };
        known[name] = { taken: taken + seconds, expected: expected + job.seconds };
      }
      await folder.writePiece(piece, known);
    },
  };
}
