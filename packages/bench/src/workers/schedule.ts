import type { TaskSpec } from './protocol.js';

/** Which task a free thread starts next. */
export interface Schedule {
  /** The first task in the list that may start now; undefined if all are started or the rest waits for running ones. */
  take(): number | undefined;
  /** Tells that a task is done, so that those behind it may start. */
  finish(index: number): void;
  /** True when every task has been started. */
  readonly empty: boolean;
}

/**
 * The order of a list of tasks: first come, first served, each after those that it names in `after`.
 *
 * @throws Error if a task waits for itself or for one further down, which could never be served by one thread.
 */
export function schedule(tasks: readonly Pick<TaskSpec<unknown>, 'after'>[]): Schedule {
  for (const [index, { after = [] }] of tasks.entries()) {
    const late = after.find((other) => !(other < index && other >= 0));
    if (late !== undefined) throw new Error(`task ${index} waits for task ${late}, which is not before it`);
  }
  const waiting = tasks.map((_, index) => index);
  const done = new Set<number>();
  return {
    take() {
      const place = waiting.findIndex((index) => tasks[index]?.after?.every((other) => done.has(other)) ?? true);
      return place < 0 ? undefined : waiting.splice(place, 1)[0];
    },
    finish(index) {
      done.add(index);
    },
    get empty() {
      return waiting.length === 0;
    },
  };
}
