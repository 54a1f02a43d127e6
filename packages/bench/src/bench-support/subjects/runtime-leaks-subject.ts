/** Memory of one runtime over many calls and many compilations; ends with one answer. */
import { setTimeout as wait } from 'node:timers/promises';
import { disposeTree } from '@bpc/core';
import { memory } from '@tensorflow/tfjs-core';
import type { LeakRecord, MemoryRecord, RuntimeTask } from '../runtime/task.js';
import { type CountedRuntime, countedRuntime } from './counted-runtime.js';
import { runSubject, say } from './serve.js';
import { smallProgram } from './small-program.js';

const mebibytes = (bytes: number) => Math.round((bytes / 2 ** 20) * 100) / 100;

async function collected({ sessions }: CountedRuntime): Promise<MemoryRecord> {
  // Finalisers of native objects run between turns of the event loop.
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.();
    await wait(50);
  }
  const { rss, heapUsed } = process.memoryUsage();
  return { rssMb: mebibytes(rss), heapMb: mebibytes(heapUsed), tensors: memory().numTensors, sessions: sessions() };
}

runSubject(async (argument) => {
  const task = argument as Extract<RuntimeTask, { readonly task: 'leaks' }>;
  if (globalThis.gc === undefined) throw new Error('start this process with --expose-gc');
  const opened = await countedRuntime(task.subject);
  const { step, key, position, x } = smallProgram();
  const program = opened.runtime.compile(step);
  let state = position;
  let done = 0;
  const call = async (count: number) => {
    for (let i = 0; i < count; i++) {
      const next = await program(key(done++), state, x);
      disposeTree(state);
      state = next;
    }
  };
  const compile = async (count: number) => {
    for (let i = 0; i < count; i++) {
      const own = opened.runtime.compile((...args: Parameters<typeof step>) => step(...args));
      disposeTree(await own(key(i), state, x));
      await own.dispose();
    }
  };
  // Compiling warms up too: V8 sizes its young generation by what tracing allocates, once.
  await compile(Math.ceil(task.warmUp / 40));
  await call(task.warmUp - Math.ceil(task.warmUp / 40));
  const warm = await collected(opened);
  await call(task.calls);
  const afterCalls = await collected(opened);
  const begun = performance.now();
  await compile(task.cycles);
  const msPerCycle = (performance.now() - begun) / task.cycles;
  const afterCycles = await collected(opened);
  say({ result: { warm, afterCalls, afterCycles, msPerCycle } satisfies LeakRecord });
  await opened.runtime.dispose();
});
