/** Our side of two independent chains: two workers of one process, each with one thread, timed while both work. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { packageVersion } from '../../runtime-choice/optional-package.js';
import { moduleUrl } from '../../workers/module-url.js';
import type { GradientTask } from '../task.js';
import type { ChainOrder } from './chain-worker.js';
import { answerCounts, runSubject, say } from './serve.js';

runSubject(async (argument) => {
  const task = argument as GradientTask;
  const order = (seed: number): ChainOrder => ({ task, seed });
  const url = new URL(moduleUrl('./chain-worker.js', import.meta.url));
  const workers = [0, 100].map((seed) => new Worker(url, { workerData: order(seed) }));
  // `once` also rejects when a worker fails.
  const times = async (worker: Worker, count: number): Promise<number[]> => {
    const answer = once(worker, 'message') as Promise<[number[]]>;
    worker.postMessage(count);
    return (await answer)[0];
  };
  const together = async (count: number) => (await Promise.all(workers.map((worker) => times(worker, count)))).flat();
  await together(3);
  say({ ready: true, version: packageVersion('onnxruntime-node') });
  await answerCounts(together);
  await Promise.all(workers.map((worker) => worker.terminate()));
});
