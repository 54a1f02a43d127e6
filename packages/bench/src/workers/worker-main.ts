import { parentPort, workerData } from 'node:worker_threads';
import { errorToWire } from '@bpc/core/node';
import type { FromWorker, ToWorker } from './protocol.js';
import { resourceStore } from './resources.js';
import { runTask } from './run-task.js';

const port = parentPort;
if (port === null) throw new Error('worker-main.js is started by a worker pool, not by hand');

const send = (message: FromWorker) => port.postMessage(message);
const abort = new AbortController();
const resources = resourceStore();
let running: Promise<void> = Promise.resolve();

async function execute({ id, task }: Extract<ToWorker, { kind: 'run' }>): Promise<void> {
  try {
    const value = await runTask(task, {
      shared: workerData,
      signal: abort.signal,
      progress: (progress) => send({ kind: 'progress', id, progress }),
      resource: resources.get,
    });
    send({ kind: 'result', id, value });
  } catch (error) {
    send({ kind: 'error', id, error: errorToWire(error) });
  }
}

async function release(): Promise<void> {
  await running;
  await resources.dispose();
  send({ kind: 'released' });
}

async function close(): Promise<void> {
  await running;
  // Sessions must be released before the thread ends, while their native library is still in use by it.
  await resources.dispose();
  send({ kind: 'closed' });
  port?.close();
}

port.on('message', (message: ToWorker) => {
  switch (message.kind) {
    case 'run':
      running = execute(message);
      return;
    case 'abort':
      abort.abort();
      return;
    case 'release':
      void release();
      return;
    case 'close':
      void close();
      return;
    default:
      message satisfies never;
  }
});
