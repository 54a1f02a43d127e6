import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { BpcError, ConfigError } from '@bpc/core';
import type { FromWorker, ToWorker } from './protocol.js';

/** Milliseconds that a thread has to free what it holds before it is ended. */
const GRACE = 10_000;

/** Hears what a thread says about one group of chains. */
export interface GroupListener {
  message(message: Exclude<FromWorker, { kind: 'closed' }>): void;
  /** The thread is gone. */
  lost(error: BpcError): void;
}

/** A worker thread, started at its first use and again should it die. */
export interface Thread {
  /** Groups of chains it has open. */
  readonly load: number;
  /** @throws ConfigError if the message cannot be cloned. */
  post(message: ToWorker, listener?: GroupListener): void;
  forget(id: number): void;
  dispose(): Promise<void>;
}

/** Threads run JavaScript: from TypeScript sources (tests) the built file is used. */
function workerFile(): URL {
  const url = new URL('./worker-main.js', import.meta.url);
  return existsSync(fileURLToPath(url)) ? url : new URL('../../dist/node/worker-main.js', import.meta.url);
}

/** A thread that is not started yet; `name` is for messages, `execArgv` for Node (this program's own by default). */
export function thread(name: string, execArgv: readonly string[] | undefined): Thread {
  const listeners = new Map<number, GroupListener>();
  let worker: Worker | undefined;
  let closed: () => void = () => undefined;

  const lose = (what: string, cause?: unknown): void => {
    worker = undefined;
    const error = new BpcError(
      'WORKER',
      `${name} ${what} while it advanced chains`,
      'see the cause; the next run starts a new thread, and a checkpoint would resume this one',
      { cause },
    );
    const all = [...listeners.values()];
    listeners.clear();
    for (const listener of all) listener.lost(error);
    closed();
  };

  const start = (): Worker => {
    const started = new Worker(workerFile(), { name, ...(execArgv === undefined ? {} : { execArgv: [...execArgv] }) });
    started.on('message', (message: FromWorker) => {
      if (message.kind === 'closed') closed();
      else listeners.get(message.id)?.message(message);
    });
    started.on('error', (error: Error) => {
      if (worker === started) lose(`failed (${error.message.split('\n')[0] ?? ''})`, error);
    });
    started.on('exit', (code) => {
      if (worker === started) lose(`ended with code ${code}`);
    });
    // Idle threads do not keep the program alive.
    started.unref();
    return started;
  };

  return {
    get load() {
      return listeners.size;
    },
    post(message, listener) {
      // A thread that is gone has nothing to hear of what it did.
      if (worker === undefined && message.kind !== 'open') return;
      worker ??= start();
      try {
        worker.postMessage(message);
      } catch (cause) {
        throw new ConfigError(
          `options cannot be sent to a thread: ${cause instanceof Error ? cause.message : String(cause)}`,
          'pass numbers, text and arrays only: no functions, no tensors',
          { cause },
        );
      }
      if (message.kind === 'close' || listener === undefined) return;
      listeners.set(message.id, listener);
      worker.ref();
    },
    forget(id) {
      if (!listeners.delete(id) || worker === undefined) return;
      worker.postMessage({ kind: 'forget', id } satisfies ToWorker);
      if (listeners.size === 0) worker.unref();
    },
    async dispose() {
      const ending = worker;
      if (ending === undefined) return;
      ending.ref();
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, GRACE);
        closed = () => {
          clearTimeout(timer);
          resolve();
        };
        ending.postMessage({ kind: 'close' } satisfies ToWorker);
      });
      worker = undefined;
      await ending.terminate();
      lose('was ended');
    },
  };
}
