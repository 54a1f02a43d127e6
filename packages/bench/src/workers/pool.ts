import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { InterruptedError } from '@bpc/core';
import { errorFromWire } from '@bpc/core/node';
import { builtModule } from './module-url.js';
import type { FromWorker, TaskProgress, TaskSpec, ToWorker } from './protocol.js';
import { resourceStore } from './resources.js';
import { runTask } from './run-task.js';
import { schedule } from './schedule.js';

/** What the caller hears while tasks run; `index` is the task's place in the list. */
export interface TaskListener<Result> {
  readonly onProgress?: (index: number, progress: TaskProgress) => void;
  /** As soon as a task is done, so that its result can be stored before the others are; `seconds` is what it took. */
  readonly onResult?: (index: number, result: Result, seconds: number) => void | Promise<void>;
}

/** Runs tasks on several threads; results come back in the order of the tasks, whichever thread ran them. */
export interface TaskPool {
  /** How many tasks run at once. */
  readonly size: number;
  /**
   * Runs every task once, in the order of the list, each after those named in its `after`.
   *
   * The first failure stops the rest and is thrown; an aborted signal stops all and throws `InterruptedError`, after every
   * running task has saved what it wants to save.
   */
  run<Options, Result>(tasks: readonly TaskSpec<Options>[], listen?: TaskListener<Result>): Promise<Result[]>;
  /** Frees what tasks have kept for one another: programs of a phase that is over would only hold memory. */
  release(): Promise<void>;
  /** Ends the threads, waiting for what they hold to be released. */
  dispose(): Promise<void>;
}

interface PoolOptions {
  /** 0 runs tasks in this thread, one after the other. */
  readonly workers: number;
  /** Given to every task; put large arrays into a `SharedArrayBuffer`. */
  readonly shared: unknown;
  readonly signal?: AbortSignal;
}

const interrupted = () => new InterruptedError('stopped while tasks were running', 0, 'start the same command again to continue');

/** Threads run JavaScript: from TypeScript sources (tests) the built file next door is used. */
function workerFile(): URL {
  const url = new URL('./worker-main.js', import.meta.url);
  return existsSync(fileURLToPath(url)) ? url : new URL('../../dist/workers/worker-main.js', import.meta.url);
}

function localPool({ shared, signal = new AbortController().signal }: PoolOptions): TaskPool {
  const resources = resourceStore();
  return {
    size: 1,
    async run<Options, Result>(tasks: readonly TaskSpec<Options>[], listen?: TaskListener<Result>) {
      const results: Result[] = [];
      schedule(tasks);
      for (const [index, task] of tasks.entries()) {
        if (signal.aborted) throw interrupted();
        const progress = (position: TaskProgress) => listen?.onProgress?.(index, position);
        const begun = performance.now();
        const result = await runTask<Options, unknown, Result>(task, { shared, signal, progress, resource: resources.get });
        await listen?.onResult?.(index, result, (performance.now() - begun) / 1000);
        results.push(result);
      }
      return results;
    },
    release: resources.dispose,
    dispose: resources.dispose,
  };
}

function threadPool({ workers: count, shared, signal }: PoolOptions): TaskPool {
  const threads = Array.from({ length: count }, () => new Worker(workerFile(), { workerData: shared }));
  for (const thread of threads) thread.unref();
  const post = (thread: Worker, message: ToWorker) => thread.postMessage(message);
  let broken = false;

  const runOn = <Result>(thread: Worker, id: number, task: TaskSpec<unknown>, listen?: TaskListener<Result>) =>
    new Promise<Result>((resolve, reject) => {
      const settle = (finish: () => void) => {
        thread.off('message', onMessage).off('error', onError).off('exit', onExit);
        finish();
      };
      const onMessage = (message: FromWorker) => {
        if (message.kind === 'closed' || message.kind === 'released' || message.id !== id) return;
        if (message.kind === 'progress') listen?.onProgress?.(id, message.progress);
        else if (message.kind === 'result') settle(() => resolve(message.value as Result));
        else settle(() => reject(errorFromWire(message.error)));
      };
      const onError = (error: Error) => settle(() => reject(error));
      const onExit = (code: number) => settle(() => reject(new Error(`a worker thread ended with code ${code} in the middle of a task`)));
      thread.on('message', onMessage).on('error', onError).on('exit', onExit);
      // Task modules must come from the same build as the worker that imports them.
      post(thread, { kind: 'run', id, task: { ...task, module: builtModule(task.module) } });
    });

  /** Posts a message and waits for its answer, or for the end of the thread. */
  const answered = (thread: Worker, kind: 'release', answer: FromWorker['kind']) =>
    new Promise<void>((resolve) => {
      const finish = () => {
        thread.off('message', onMessage).off('exit', finish).unref();
        resolve();
      };
      const onMessage = (message: FromWorker) => {
        if (message.kind === answer) finish();
      };
      if (thread.threadId === -1) return resolve();
      thread.ref();
      thread.on('message', onMessage).on('exit', finish);
      post(thread, { kind });
    });

  return {
    size: count,
    async run<Options, Result>(tasks: readonly TaskSpec<Options>[], listen?: TaskListener<Result>) {
      const results = new Array<Result>(tasks.length);
      const failures: unknown[] = [];
      const order = schedule(tasks);
      let wake: (() => void)[] = [];
      const wakeAll = () => {
        const sleeping = wake;
        wake = [];
        for (const resume of sleeping) resume();
      };
      const stop = () => {
        broken = true;
        for (const thread of threads) post(thread, { kind: 'abort' });
        wakeAll();
      };
      const serve = async (thread: Worker) => {
        while (!broken && signal?.aborted !== true && !order.empty) {
          const index = order.take();
          const task = index === undefined ? undefined : tasks[index];
          if (index === undefined || task === undefined) {
            await new Promise<void>((resolve) => {
              wake.push(resolve);
            });
            continue;
          }
          try {
            const begun = performance.now();
            const result = await runOn<Result>(thread, index, task, listen);
            results[index] = result;
            await listen?.onResult?.(index, result, (performance.now() - begun) / 1000);
            order.finish(index);
            wakeAll();
          } catch (error) {
            failures.push(error);
            stop();
            return;
          }
        }
      };
      for (const thread of threads) thread.ref();
      signal?.addEventListener('abort', stop, { once: true });
      if (signal?.aborted === true) stop();
      await Promise.all(threads.map(serve));
      signal?.removeEventListener('abort', stop);
      for (const thread of threads) thread.unref();
      // Tasks stopped because of another's failure report an interruption; the cause is what matters.
      const cause = failures.find((error) => !(error instanceof InterruptedError));
      if (cause !== undefined) throw cause;
      if (failures.length > 0) throw failures[0];
      if (signal?.aborted === true) throw interrupted();
      return results;
    },
    async release() {
      await Promise.all(threads.map((thread) => answered(thread, 'release', 'released')));
    },
    async dispose() {
      await Promise.all(
        threads.map((thread) => {
          const closed = new Promise<void>((resolve) => {
            thread.once('exit', () => resolve());
          });
          thread.ref();
          post(thread, { kind: 'close' });
          return thread.threadId === -1 ? undefined : closed;
        }),
      );
    },
  };
}

/** A pool of threads, or of this thread only. */
export function taskPool(options: PoolOptions): TaskPool {
  return options.workers === 0 ? localPool(options) : threadPool(options);
}
