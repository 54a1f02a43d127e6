/** What a call costs whose work is next to nothing: the sum of ten numbers, a thousand times per step. */
import { disposeTree } from '@bpc/core';
import { sum, type Tensor, zeros } from '@tensorflow/tfjs-core';
import type { RuntimeTask } from '../runtime/task.js';
import { countedRuntime } from './counted-runtime.js';
import { milliseconds, runSubject, serve } from './serve.js';

runSubject(async (argument) => {
  const task = argument as Extract<RuntimeTask, { readonly task: 'calls' }>;
  const { runtime } = await countedRuntime(task.subject);
  const program = runtime.compile((x: Tensor): Tensor => sum(x));
  const x = zeros([10]);
  const thousandCalls = async () => {
    for (let i = 0; i < 1000; i++) disposeTree(await program(x));
  };
  await serve(() => milliseconds(thousandCalls), undefined);
  await runtime.dispose();
});
