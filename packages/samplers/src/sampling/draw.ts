import type { Draws } from '../draws.js';

/** One kept draw of one chain. Its arrays are the caller's. */
export interface Draw {
  readonly chain: number;
  /** Its place among the chain's draws, or among those of the warm-up. */
  readonly index: number;
  /** Draws of the warm-up are no sample of the target; they are only given with `keepWarmup`. */
  readonly warmup: boolean;
  /** Values on their supports by name, in C order. */
  readonly values: Readonly<Record<string, Float64Array>>;
  readonly statistics: Readonly<Record<string, number>>;
  readonly unconstrained: Float64Array;
}

/** A run that starts when it is iterated or collected. */
export interface Sampling extends AsyncIterable<Draw> {
  /** Runs to the end, or to an abort, and gives all draws. */
  collect(): Promise<Draws>;
}
