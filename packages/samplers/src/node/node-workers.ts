import { availableParallelism } from 'node:os';
import { ConfigError, checkInteger } from '@bpc/core';
import type { WorkerPool } from '../sampling/worker-pool.js';
import { remoteSession } from './remote-session.js';
import { type Thread, thread } from './thread.js';

/** Options of `nodeWorkers`. */
export interface NodeWorkersOptions {
  /** Chains that are advanced at a time; as many as the machine has processors by default. */
  readonly threads?: number;
  /** Options of Node for the threads, such as a loader (`['--import', 'tsx']`); those of this program by default. */
  readonly execArgv?: readonly string[];
}

/**
 * Worker threads that advance chains: `sample({ model: { module }, workers: nodeWorkers(), … })`.
 *
 * Threads are sent the name of a module that exports the target, and import it themselves; draws are the same as in one thread.
 * Each thread takes a share of the chains. Threads start at the first run and stay warm: they keep what they compiled per
 * module, export and options, so that one pool serves many runs. They compute with `jsRuntime()`, or with what an export
 * `runtime` of the module makes (`export const runtime = () => onnxRuntime({ ort, threads: 1 })`). A thread that dies fails its
 * runs with an error of code `WORKER`, and is started anew by the next one. Idle threads do not keep the program alive.
 *
 * The caller owns the pool: `dispose()` stops its runs and ends the threads.
 *
 * @throws ConfigError unless `threads` is a positive integer.
 * @example
 * ```ts
 * import { key, sample } from '@bpc/samplers';
 * import { nodeWorkers } from '@bpc/samplers/node';
 * const workers = nodeWorkers({ threads: 2 });
 * // A target of this package; yours is in a module of your own: new URL('./model.js', import.meta.url).
 * const model = { module: import.meta.resolve('@bpc/samplers'), export: 'funnelTarget', options: { size: 3 } };
 * const draws = await sample({ model, workers, key: key(1), warmup: 200, draws: 200 }).collect();
 * console.log(draws.values['x']?.length); // 4 chains of 200 draws of 3 numbers
 * await workers.dispose();
 * ```
 */
export function nodeWorkers({ threads: count = availableParallelism(), execArgv }: NodeWorkersOptions = {}): WorkerPool {
  checkInteger('threads', count, 1);
  const threads: Thread[] = Array.from({ length: count }, (_, i) => thread(`sampling thread ${i}`, execArgv));
  let nextId = 0;
  let disposed = false;
  return {
    threads: count,
    async open(model, settings) {
      if (disposed) throw new ConfigError('the pool of workers is disposed', 'make a new one with nodeWorkers()');
      const { chains } = settings;
      // Runs that go on at the same time share the threads evenly.
      const chosen = [...threads].sort((a, b) => a.load - b.load).slice(0, chains);
      const groups = chosen.map((each, t) => ({
        thread: each,
        id: nextId++,
        chains: Array.from({ length: chains }, (_, c) => c).filter((c) => c % chosen.length === t),
      }));
      return remoteSession(groups, model, settings);
    },
    async dispose() {
      disposed = true;
      await Promise.all(threads.map((each) => each.dispose()));
    },
  };
}
