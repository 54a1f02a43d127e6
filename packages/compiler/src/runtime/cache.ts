/** A map that keeps the values used last. */
export interface Cache<V> {
  /** The value of `key`, made if there is none; the one used longest ago is handed to `evict` if there are too many then. */
  get(key: string, make: () => Promise<V>): Promise<V>;
  /** Empties the cache. */
  clear(): Promise<V>[];
}

/** An empty cache of at most `limit` values. `evict` gets what leaves it by itself; a value that fails is forgotten. */
export function cache<V>(limit: number, evict: (value: Promise<V>) => void): Cache<V> {
  // In order of use: maps keep the order of insertion.
  const entries = new Map<string, Promise<V>>();
  return {
    get(key, make) {
      const known = entries.get(key);
      entries.delete(key);
      const value = known ?? make();
      entries.set(key, value);
      // What a function captures may have changed by the next call.
      if (known === undefined) value.catch(() => entries.get(key) === value && entries.delete(key));
      const [oldest] = entries;
      if (entries.size > limit && oldest !== undefined) {
        entries.delete(oldest[0]);
        evict(oldest[1]);
      }
      return value;
    },
    clear() {
      const values = [...entries.values()];
      entries.clear();
      return values;
    },
  };
}
