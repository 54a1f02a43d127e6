import { InterruptedError } from '@bpc/core';

interface CounterOptions {
  /** Moves of the whole task. */
  readonly total: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

const every = 20;

/**
 * Counts the moves of an evaluation; now and then it tells of them and lets signals arrive.
 *
 * @returns what to call after so many moves. @throws InterruptedError from there when the signal is aborted.
 */
export function moveCounter({ total, signal, onProgress }: CounterOptions): (moves: number) => Promise<void> {
  let done = 0;
  let told = 0;
  return async (moves) => {
    done += moves;
    if (done - told < every && done !== total) return;
    told = done;
    onProgress?.(done, total);
    // Native runs block the thread; without a turn of the event loop, no abort would ever arrive.
    await new Promise((resolve) => setImmediate(resolve));
    if (signal?.aborted === true) throw new InterruptedError('stopped while evaluating', done, 'start the same command again');
  };
}
