import type { ErrorWire } from '@bpc/core/node';

/** A piece of work for any thread: an exported function by name, and options that survive structured cloning. */
export interface TaskSpec<Options> {
  /** URL of an ES module. */
  readonly module: string;
  readonly export: string;
  readonly options: Options;
  /** Places in the list of the tasks that must be done before this one starts; all are before its own. */
  readonly after?: readonly number[];
}

/** Position of a running task. */
export interface TaskProgress {
  readonly done: number;
  readonly total: number;
  readonly note?: string;
}

/** What a task is given besides its options. */
export interface TaskTools<Shared> {
  /** The value the pool was opened with: large arrays in it share memory between threads. */
  readonly shared: Shared;
  /** Aborts when the user interrupts or another task fails. */
  readonly signal: AbortSignal;
  readonly progress: (progress: TaskProgress) => void;
  /** Something kept for later tasks of the same thread, made at the first use and disposed with the thread. */
  readonly resource: <T>(name: string, make: () => Promise<T>, dispose: (value: T) => Promise<void>) => Promise<T>;
}

/** The shape of every exported task function. */
export type TaskFunction<Options, Shared, Result> = (options: Options, tools: TaskTools<Shared>) => Promise<Result>;

/** Main thread to worker. */
export type ToWorker =
  | { readonly kind: 'run'; readonly id: number; readonly task: TaskSpec<unknown> }
  | { readonly kind: 'abort' }
  | { readonly kind: 'release' }
  | { readonly kind: 'close' };

/** Worker to main thread. */
export type FromWorker =
  | { readonly kind: 'progress'; readonly id: number; readonly progress: TaskProgress }
  | { readonly kind: 'result'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly error: ErrorWire }
  | { readonly kind: 'released' }
  | { readonly kind: 'closed' };
