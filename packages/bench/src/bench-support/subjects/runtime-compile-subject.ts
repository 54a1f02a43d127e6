/** How long one program takes to trace and compile in a fresh process; ends with one answer. */
import { crossEntropy, foldIn, type Key, key, langevin, normal, type Runtime, scan, type Tree, valueAndGrad } from '@bpc/core';
import { mean, type Tensor, zeros } from '@tensorflow/tfjs-core';
import { buildBenchNetwork } from '../bench-network.js';
import { mainNetwork } from '../cd-step/cases.js';
import { goalWidth } from '../cd-step/options.js';
import type { CompiledProgram, RuntimeTask } from '../runtime/task.js';
import { countedRuntime } from './counted-runtime.js';
import { milliseconds, runSubject, say } from './serve.js';
import { smallProgram } from './small-program.js';

const iterations = 100;
const batch = 10;

type Data = { readonly x: Tensor; readonly y: Tensor };

/** Compiles a program and throws it away. */
function compilation(name: CompiledProgram, runtime: Runtime): () => Promise<void> {
  if (name === 'small-scan') {
    const { step, position, x } = smallProgram();
    const program = runtime.compile((k: Key, start: Tensor, data: Tensor): Tensor => {
      const [end] = scan((w: Tensor, { key: own }) => [step(own, w, data)] as const, start, undefined, { length: iterations, key: k });
      return end;
    });
    return () => program.prepare(key(0), position, x);
  }
  const spec = mainNetwork(goalWidth);
  const network = buildBenchNetwork(spec);
  const params = network.init(key(0));
  const data: Data = { x: normal(key(1), [batch, ...spec.inputShape]), y: zeros([batch, 10]) };
  const loss = (p: Tree, { x, y }: Data): Tensor => mean(crossEntropy(network.apply(p, x), y));
  if (name === 'convnet-step') {
    const program = runtime.compile((p: Tree, given: Data): Tree => {
      const { value, grad } = valueAndGrad((q: Tree) => loss(q, given))(p);
      return { value, grad };
    });
    return () => program.prepare(params, data);
  }
  const { step } = langevin({ energy: (p: Tree, given?: Tree) => loss(p, given as Data), stepSize: 0.01, temperature: 1e-7 });
  const program = runtime.compile((k: Key, start: Tree, given: Data): Tree => {
    const [end] = scan((position: Tree, { key: own }) => [step(own, { position }, given)[0].position] as const, start, undefined, {
      length: iterations,
      key: k,
    });
    return end;
  });
  return () => program.prepare(foldIn(key(0), 1), params, data);
}

runSubject(async (argument) => {
  const task = argument as Extract<RuntimeTask, { readonly task: 'compile' }>;
  const { runtime } = await countedRuntime(task.subject);
  const compile = compilation(task.program, runtime);
  say({ result: await milliseconds(compile) });
  await runtime.dispose();
});
