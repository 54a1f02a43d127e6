import type { RunFolder } from '../run-folder/index.js';
import { peakRssMb } from '../runtime-choice/index.js';

/** What a run costs, summed over the processes that it was spread over. */
export interface RunCost {
  /** Wall seconds per phase; phases follow one another, so that their sum is the run's. */
  readonly seconds: Readonly<Record<string, number>>;
  /** Seconds that threads were busy, per kind of task; threads work side by side. */
  readonly threadSeconds: Readonly<Record<string, number>>;
  /** The largest of the processes. */
  readonly peakRssMb: number;
}

/** Measures a run, and continues where an interrupted run left off. */
export interface CostMeter {
  /** Runs a phase; `enter` ends it early and begins another, once. */
  phase<T>(name: string, work: (enter: (name: string) => void) => Promise<T>): Promise<T>;
  /** Books a task; also keeps the wall time so far, so that a process that is killed loses little of it. */
  task(kind: string, seconds: number): Promise<void>;
  cost(): RunCost;
}

const piece = 'cost';
const rounded = (seconds: number): number => Math.round(100 * seconds) / 100;
const roundedAll = (all: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(all).map(([name, seconds]) => [name, rounded(seconds)]));

/** A meter that keeps its figures in the run's folder. */
export function costMeter(folder: Pick<RunFolder, 'readPiece' | 'writePiece'>, now: () => number = () => performance.now()): CostMeter {
  const before = folder.readPiece<RunCost>(piece);
  const seconds: Record<string, number> = { ...before?.seconds };
  const threadSeconds: Record<string, number> = { ...before?.threadSeconds };
  let current: { readonly name: string; since: number } | undefined;
  const lap = () => {
    if (current === undefined) return;
    const time = now();
    seconds[current.name] = (seconds[current.name] ?? 0) + (time - current.since) / 1000;
    current.since = time;
  };
  const cost = (): RunCost => ({
    seconds: roundedAll(seconds),
    threadSeconds: roundedAll(threadSeconds),
    peakRssMb: Math.max(before?.peakRssMb ?? 0, peakRssMb()),
  });
  const enter = (name: string) => {
    lap();
    current = { name, since: now() };
  };
  return {
    cost,
    async phase(name, work) {
      enter(name);
      try {
        return await work((next) => {
          if (current?.name !== next) enter(next);
        });
      } finally {
        lap();
        current = undefined;
        await folder.writePiece(piece, cost());
      }
    },
    async task(kind, took) {
      threadSeconds[kind] = (threadSeconds[kind] ?? 0) + took;
      lap();
      await folder.writePiece(piece, cost());
    },
  };
}
