type Global = { readonly setImmediate?: (callback: () => void) => unknown };

/** Lets timers, signals and messages have their turn. Microseconds in Node; a message channel where there is no `setImmediate`. */
function oneTurn(): Promise<void> {
  const { setImmediate }: Global = globalThis;
  return new Promise((resolve) => {
    if (setImmediate !== undefined) {
      setImmediate(resolve);
      return;
    }
    // Browsers delay nested timeouts by 4 ms, messages not at all.
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}

/**
 * A function to await in a long loop: every `interval` milliseconds it gives timers, signals and messages a turn, else it
 * returns at once.
 *
 * Promises alone never do: a runtime that computes in the calling thread settles them without leaving the loop, so that an
 * abort would be noticed after the last step.
 */
export function eventLoopTurns(interval = 50): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last < interval) return;
    await oneTurn();
    last = performance.now();
  };
}
