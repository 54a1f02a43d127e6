/** Runs tasks one after the other, in the order they came; a task that fails does not stop the next. */
export interface Queue {
  run<T>(task: () => Promise<T>): Promise<T>;
  /** Resolves when everything queued so far has ended. */
  idle(): Promise<void>;
}

export function queue(): Queue {
  let last: Promise<unknown> = Promise.resolve();
  return {
    run(task) {
      const result = last.then(task);
      last = result.catch(() => undefined);
      return result;
    },
    idle: () => last.then(() => undefined),
  };
}
