/** Things kept between the tasks of one thread, disposed in reverse order of their making. */
export interface ResourceStore {
  get<T>(name: string, make: () => Promise<T>, dispose: (value: T) => Promise<void>): Promise<T>;
  dispose(): Promise<void>;
}

/** An empty store. */
export function resourceStore(): ResourceStore {
  const values = new Map<string, Promise<unknown>>();
  const disposers: (() => Promise<void>)[] = [];
  return {
    get<T>(name: string, make: () => Promise<T>, dispose: (value: T) => Promise<void>) {
      const kept = values.get(name);
      // A name is always asked for with the same type: each module that uses a store prefixes its own names.
      if (kept !== undefined) return kept as Promise<T>;
      const made = make();
      values.set(name, made);
      made.then(
        (value) => disposers.push(() => dispose(value)),
        () => values.delete(name),
      );
      return made;
    },
    async dispose() {
      await Promise.allSettled(values.values());
      values.clear();
      for (const disposer of disposers.splice(0).reverse()) await disposer();
    },
  };
}
