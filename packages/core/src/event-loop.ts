/**
 * A function to await in a long loop: every 50 ms it gives timers, signals and messages a turn, else it returns at once.
 *
 * Promises alone never do: a runtime that computes in the calling thread settles them without leaving the loop, so that an
 * abort would be noticed after the last step. A turn costs Node about 1 ms.
 */
export function eventLoopTurns(): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last < 50) return;
    await new Promise((resolve) => setTimeout(resolve));
    last = performance.now();
  };
}
