/** Statistics that speak for every transition since the kept draw before: any of them diverged, all their leapfrog steps. */
const ANY = new Set(['divergent', 'maxDepthReached']);
const SUM = new Set(['leapfrogSteps']);

/** The statistics of a draw when only every `thin`-th transition is kept. */
export interface StatisticsWindow {
  /** What was gathered since the last kept draw; refilled in place. */
  readonly values: Float64Array;
  /** Takes the statistics of one more transition. */
  add(statistics: Float64Array): void;
  /** Starts over, after a draw is kept. */
  clear(): void;
}

/** `divergent` and `maxDepthReached` of any, `leapfrogSteps` of all, everything else of the last transition. */
export function statisticsWindow(names: readonly string[]): StatisticsWindow {
  const any = Uint8Array.from(names, (name) => +ANY.has(name));
  const sum = Uint8Array.from(names, (name) => +SUM.has(name));
  const values = new Float64Array(names.length);
  return {
    values,
    add(statistics) {
      for (let i = 0; i < values.length; i++) {
        const next = statistics[i] as number;
        const before = values[i] as number;
        values[i] = any[i] === 1 ? Math.max(before, next) : sum[i] === 1 ? before + next : next;
      }
    },
    clear() {
      values.fill(0);
    },
  };
}
