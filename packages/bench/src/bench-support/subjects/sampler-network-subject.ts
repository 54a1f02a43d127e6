/** One side of `bpc bench samplers`, case `network`: gradients of a network on ONNX Runtime, bare or in steps of a sampler. */
import {
  type Algorithm,
  classTargets,
  crossEntropy,
  disposeTree,
  foldIn,
  type Key,
  key,
  normal,
  type Runtime,
  type Tree,
  valueAndGrad,
} from '@bpc/core';
import { sghmc, sgld } from '@bpc/samplers';
import { neg, sum, type Tensor } from '@tensorflow/tfjs-core';
import { buildBenchNetwork } from '../bench-network.js';
import type { NetworkTask } from '../samplers/network-task.js';
import { openSubject } from './open-subject.js';
import { milliseconds, runSubject, serve } from './serve.js';

type Data = { readonly x: Tensor; readonly y: Tensor };

/** One timed step, as a function that keeps what it needs. */
async function stepOf({ work, network: shape, batch }: NetworkTask, runtime: Runtime): Promise<() => Promise<void>> {
  const network = buildBenchNetwork(shape);
  const params = network.init(key(0));
  const labels = Array.from({ length: batch }, (_, i) => i % 10);
  const data: Data = { x: normal(key(1), [batch, ...shape.inputShape]), y: classTargets(labels, 10) };
  const logDensity = (p: Tree, given?: Tree): Tensor => {
    const { x, y } = given as Data;
    return neg(sum(crossEntropy(network.apply(p, x), y)));
  };
  if (work === 'gradient') {
    const program = runtime.compile((p: Tree, given: Data): Tree => {
      const { value, grad } = valueAndGrad((q: Tree) => logDensity(q, given))(p);
      return { value, grad };
    });
    return async () => disposeTree(await program(params, data));
  }
  // Moves too small to take a parameter to where numbers are special.
  const made: Algorithm<Tree, Tree, Tree> = work === 'sgld' ? sgld({ logDensity, stepSize: 1e-7 }) : sghmc({ logDensity, stepSize: 1e-4 });
  const begin = runtime.compile((p: Tree, k: Key, given: Data) => made.init(p, k, given));
  const program = runtime.compile((k: Key, state: Tree, given: Data): Tree => [...made.step(k, state, given)]);
  let state = await begin(params, key(2), data);
  let done = 0;
  return async () => {
    const [next, info] = (await program(foldIn(key(3), done++), state, data)) as readonly [Tree, Tree];
    disposeTree([state, info]);
    state = next;
  };
}

runSubject(async (argument) => {
  const task = argument as NetworkTask;
  const { runtime, version } = await openSubject('onnx:cpu', task.threads);
  const step = await stepOf(task, runtime);
  await serve(() => milliseconds(step), version);
  await runtime.dispose();
});
