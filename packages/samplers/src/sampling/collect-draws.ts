import type { Draws } from '../draws.js';
import { type DrawStore, drawStore } from './draw-store.js';
import type { Layout } from './layout.js';
import type { Rows } from './rows.js';
import { keptRows, type Settings, totalSteps } from './settings.js';

/** Gathers rows into `Draws`. */
export interface DrawCollector {
  add(chain: number, rows: Rows): void;
  /** What there is: draws of all chains up to the shortest. */
  finish(rest: Pick<Draws, 'interrupted' | 'provenance'>): Draws;
}

/** Room for all draws of a run. @throws ConfigError if there is not so much memory. */
export function drawCollector(layout: Layout, statistics: readonly string[], settings: Settings): DrawCollector {
  const { chains } = settings;
  const expected = keptRows(settings, totalSteps(settings));
  const store = (capacity: number): DrawStore => drawStore(layout, statistics, chains, capacity);
  const draws = store(expected.draws);
  const warmup = settings.keepWarmup ? store(expected.warmup) : undefined;
  const counts = new Float64Array(chains);
  return {
    add(chain, rows) {
      const before = counts[chain] as number;
      counts[chain] = before + rows.count;
      // Rows of the warm-up come first; a chunk may hold the last of them and the first draws.
      const split = Math.max(0, Math.min(rows.count, expected.warmup - before));
      if (split > 0) warmup?.add(chain, rows, 0, split);
      draws.add(chain, rows, split, rows.count);
    },
    finish(rest) {
      const shortest = counts.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
      const length = Math.max(0, shortest - expected.warmup);
      return {
        ...draws.finish(length, rest),
        ...(warmup === undefined ? {} : { warmup: warmup.finish(Math.min(shortest, expected.warmup), rest) }),
      };
    },
  };
}
