/** Memory of one runtime over many calls and many compilations; ends with one answer. */
import { disposeTree } from '@bpc/core';
import type { LeakRecord, RuntimeTask } from '../runtime/task.js';
import { collectedMemory } from './collected-memory.js';
import { countedRuntime } from './counted-runtime.js';
import { runSubject, say } from './serve.js';
import { smallProgram } from './small-program.js';

runSubject(async (argument) => {
  const task = argument as Extract<RuntimeTask, { readonly task: 'leaks' }>;
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
  const warm = await collectedMemory(opened);
  await call(task.calls);
  const afterCalls = await collectedMemory(opened);
  const begun = performance.now();
  await compile(task.cycles);
  const msPerCycle = (performance.now() - begun) / task.cycles;
  const afterCycles = await collectedMemory(opened);
  say({ result: { warm, afterCalls, afterCycles, msPerCycle } satisfies LeakRecord });
  await opened.runtime.dispose();
});
