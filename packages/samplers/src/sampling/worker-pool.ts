import type { Json } from '@bpc/core';
import type { Session } from './session.js';
import type { Settings } from './settings.js';

/** What threads are told to sample from: names and numbers. */
export interface RemoteModel {
  /** URL of the module. */
  readonly module: string;
  readonly export: string;
  readonly options: Json | undefined;
}

/** Threads that advance chains. Made by `nodeWorkers()` of `@bpc/samplers/node`. */
export interface WorkerPool {
  /** How many chains are advanced at a time. */
  readonly threads: number;
  /**
   * Opens the chains of a run, shared out among the threads.
   *
   * @internal
   */
  open(model: RemoteModel, settings: Settings): Promise<Session>;
  /** Ends the threads. Runs that are under way are stopped. */
  dispose(): Promise<void>;
}
