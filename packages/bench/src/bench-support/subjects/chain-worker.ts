/** One of two chains: a runtime with one thread in a worker, since ONNX Runtime blocks the thread that calls it. */
import { parentPort, workerData } from 'node:worker_threads';
import type { GradientTask } from '../task.js';
import { gradientSteps } from './gradient-steps.js';
import { openSubject } from './open-subject.js';
import { milliseconds } from './serve.js';

/** What a chain is told: which one it is. */
export interface ChainOrder {
  readonly task: GradientTask;
  readonly seed: number;
}

const port = parentPort;
if (port === null) throw new Error('a chain runs in a worker');
const { task, seed } = workerData as ChainOrder;
const { runtime } = await openSubject(task.subject, task.threads);
const step = gradientSteps(task, runtime, seed);
port.on('message', async (count: number) => {
  const ms: number[] = [];
  for (let i = 0; i < count; i++) ms.push(await milliseconds(step));
  port.postMessage(ms);
});
