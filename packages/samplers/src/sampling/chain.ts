import type { Json } from '@bpc/core';
import type { Rows } from './rows.js';

/** Numbers of a saved chain. */
export type SavedArray = Float64Array | Float32Array | Int32Array;

/** All that a chain needs to go on as if it had never stopped. Plain data. */
export interface SavedChain {
  /** Transitions behind it. */
  readonly step: number;
  readonly arrays: Readonly<Record<string, SavedArray>>;
  readonly record: ChainRecord;
}

/** What the provenance says about one chain. */
export interface ChainRecord {
  readonly [name: string]: Json;
}

/** One Markov chain, advanced piece by piece. */
export interface Chain {
  readonly index: number;
  /** Transitions done. */
  readonly step: number;
  /** Warm-up transitions and draws that diverged so far. */
  readonly divergences: number;
  /**
   * Makes transitions until at least `to` are done; a chain that runs in blocks goes on to the end of its block.
   *
   * Where it pauses changes no number. @throws NonFiniteError if the position is lost.
   */
  advance(to: number): Promise<void>;
  /** Rows kept since the last call. */
  take(): Rows;
  /** Its state between two transitions. */
  save(): Promise<SavedChain>;
  /** Step size, metric, seconds: what the provenance says. */
  record(): ChainRecord;
  dispose(): Promise<void>;
}

/** What a group of chains hands over at a time, per chain. Plain data. */
export interface Chunk {
  readonly chain: number;
  /** Transitions done after it. */
  readonly step: number;
  readonly divergences: number;
  /** Rows kept since the last chunk of this chain. */
  readonly rows: Rows;
  /** The state at `step`, where the run is to be saved. */
  readonly saved?: SavedChain;
  /** In the last chunk of a chain. */
  readonly record?: ChainRecord;
}
