import {
  classTargets,
  crossEntropy,
  disposeTree,
  foldIn,
  key,
  type LangevinState,
  langevin,
  normal,
  type Runtime,
  type Tree,
  valueAndGrad,
} from '@bpc/core';
import { mean, type Tensor } from '@tensorflow/tfjs-core';
import { buildBenchNetwork } from '../bench-network.js';
import type { GradientTask } from '../task.js';

type Data = { readonly x: Tensor; readonly y: Tensor };

const lossOf = (task: GradientTask) => {
  const network = buildBenchNetwork(task.network);
  return (params: Tree, { x, y }: Data): Tensor => mean(crossEntropy(network.apply(params, x), y));
};

/** Labels 0, 1, … 9, 0, … as rows of probabilities. */
const labels = (batch: number): Tensor =>
  classTargets(
    Array.from({ length: batch }, (_, i) => i % 10),
    10,
  );

/** The program of loss and parameter gradients. */
export function gradientProgram(task: GradientTask, runtime: Runtime) {
  const loss = lossOf(task);
  return runtime.compile((params: Tree, x: Tensor, y: Tensor): Tree => {
    const { value, grad } = valueAndGrad((p: Tree) => loss(p, { x, y }))(params);
    return { value, grad };
  });
}

/** One timed step of a task, as a function that keeps what it needs; everything is made on the current tfjs backend. */
export function gradientSteps(task: GradientTask, runtime: Runtime, seed = 0): () => Promise<void> {
  const params = buildBenchNetwork(task.network).init(key(seed));
  const x = normal(key(seed + 1), [task.batch, ...task.network.inputShape]);
  const y = labels(task.batch);
  if (task.step === 'gradient') {
    const program = gradientProgram(task, runtime);
    return async () => disposeTree(await program(params, x, y));
  }
  const loss = lossOf(task);
  const { stepSize, temperature } = task;
  const { init, step } = langevin({ energy: (p: Tree, data?: Tree) => loss(p, data as Data), stepSize, temperature });
  const program = runtime.compile(step);
  let state: LangevinState<Tree> = init(params, key(seed));
  let done = 0;
  return async () => {
    const [next, info] = await program(foldIn(key(seed + 2), done++), state, { x, y });
    disposeTree([state, info]);
    state = next;
  };
}
