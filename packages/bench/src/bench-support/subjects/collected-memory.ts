import { setTimeout as wait } from 'node:timers/promises';
import { memory } from '@tensorflow/tfjs-core';
import type { MemoryRecord } from '../runtime/task.js';
import type { CountedRuntime } from './counted-runtime.js';

const mebibytes = (bytes: number) => Math.round((bytes / 2 ** 20) * 100) / 100;

/** Memory after forced collections. @throws Error unless the process was started with `--expose-gc`. */
export async function collectedMemory({ sessions }: CountedRuntime): Promise<MemoryRecord> {
  if (globalThis.gc === undefined) throw new Error('start this process with --expose-gc');
  // Finalisers of native objects run between turns of the event loop.
  for (let i = 0; i < 4; i++) {
    globalThis.gc();
    await wait(50);
  }
  const { rss, heapUsed } = process.memoryUsage();
  return { rssMb: mebibytes(rss), heapMb: mebibytes(heapUsed), tensors: memory().numTensors, sessions: sessions() };
}
