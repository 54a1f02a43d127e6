import type { RunFolder } from '../run-folder/index.js';

/** Wall seconds per phase, summed over the processes that a run was spread over. */
export interface PhaseClock {
  run<T>(phase: string, work: () => Promise<T>): Promise<T>;
  readonly seconds: Readonly<Record<string, number>>;
}

const piece = 'seconds';

/** A clock that continues where an interrupted run left off. */
export function phaseClock(folder: Pick<RunFolder, 'readPiece' | 'writePiece'>): PhaseClock {
  const seconds: Record<string, number> = { ...folder.readPiece<Record<string, number>>(piece) };
  return {
    seconds,
    async run(phase, work) {
      const begun = performance.now();
      try {
        return await work();
      } finally {
        seconds[phase] = Math.round(((seconds[phase] ?? 0) + (performance.now() - begun) / 1000) * 100) / 100;
        await folder.writePiece(piece, seconds);
      }
    },
  };
}
