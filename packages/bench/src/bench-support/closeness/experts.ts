import {
  type BatchSource,
  disposeTree,
  type ExpertSource,
  foldIn,
  grad,
  hostPermutation,
  type Key,
  type Runtime,
  treeLeaves,
  treeMap,
  treeUnflatten,
} from '@bpc/core';
import type { MlpParams } from '@bpc/models';
import { add, mul, neg, type Scalar, scalar, sub, sum, type Tensor, tensor } from '@tensorflow/tfjs-core';
import { modelOf, stepUnit } from './model.js';
import { type ClosenessProblem, trainCount } from './problem.js';

/** How experts are trained. */
export interface ExpertBudget {
  readonly experts: number;
  /** Passes over the data; there is one snapshot more. */
  readonly epochs: number;
  /** Points per step. */
  readonly batch: number;
  /** Of the first step, in units of `stepUnit`; it falls to nothing linearly, as stochastic gradients would else never settle. */
  readonly stepSize: number;
}

/** Batches of the training data, drawn without replacement, all of `size` points or of all there are. */
export function batchSource(problem: ClosenessProblem, size: number): BatchSource {
  const count = trainCount(problem);
  const taken = Math.min(size, count);
  return { count, draw: async (key) => rowsOf(problem, hostPermutation(key, count).subarray(0, taken)) };
}

/** Training points as tensors. The caller owns them. */
function rowsOf({ train, inputs, outputs }: ClosenessProblem, rows: Int32Array): { readonly x: Tensor; readonly y: Tensor } {
  const of = (values: Float64Array, width: number) => {
    const out = new Float32Array(rows.length * width);
    rows.forEach((row, i) => {
      out.set(values.subarray(row * width, (row + 1) * width), i * width);
    });
    return tensor(out, [rows.length, width], 'float32');
  };
  return { x: of(train.x, inputs), y: of(train.y, outputs) };
}

/** Snapshots of one expert, leaf by leaf. */
type Snapshot = readonly Float32Array[];

/** A trajectory of stochastic gradient ascent on log π(θ) + Σ log p(y_n | x_n, θ), from the model's own initialisation. */
async function trajectory(
  problem: ClosenessProblem,
  { epochs, batch, stepSize }: ExpertBudget,
  key: Key,
  step: (params: MlpParams, x: Tensor, y: Tensor, length: Scalar) => Promise<MlpParams>,
): Promise<{ readonly snapshots: Snapshot[]; readonly shapes: readonly (readonly number[])[]; readonly like: MlpParams }> {
  const count = trainCount(problem);
  const size = Math.min(batch, count);
  const steps = Math.floor(count / size);
  let params = modelOf(problem).init(foldIn(key, 0));
  const like = params;
  const read = async () => Promise.all(treeLeaves(params).map(async (leaf) => Float32Array.from(await leaf.data())));
  const snapshots = [await read()];
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = hostPermutation(foldIn(foldIn(key, 1), epoch), count);
    for (let i = 0; i < steps; i++) {
      const { x, y } = rowsOf(problem, order.subarray(i * size, (i + 1) * size));
      const length = scalar(stepSize * stepUnit(problem) * (1 - (epoch * steps + i) / (epochs * steps)), 'float32');
      const next = await step(params, x, y, length);
      if (params !== like) disposeTree(params);
      disposeTree([x, y, length]);
      params = next;
    }
    snapshots.push(await read());
  }
  if (params !== like) disposeTree(params);
  return { snapshots, shapes: treeLeaves(like).map(({ shape }) => shape), like };
}

/** Experts with what holds their structure. */
export interface HeldExperts {
  readonly source: ExpertSource<MlpParams>;
  dispose(): void;
}

/** Experts in memory, as the methods' papers train theirs: stochastic gradient descent on the full data, a snapshot per epoch. */
export async function trainExperts(
  problem: ClosenessProblem,
  budget: ExpertBudget,
  { runtime, key }: { readonly runtime: Runtime; readonly key: Key },
): Promise<HeldExperts> {
  const model = modelOf(problem);
  const scale = trainCount(problem) / Math.min(budget.batch, trainCount(problem));
  const program = runtime.compile((params: MlpParams, x: Tensor, y: Tensor, length: Scalar) => {
    const potential = (p: MlpParams) => neg(add(model.logPrior(p), mul(scale, sum(model.logLikelihood(p, { x, y }))))) as Scalar;
    return treeMap((theta, g) => sub(theta, mul(g, length)), params, grad(potential)(params));
  });
  const trained: Awaited<ReturnType<typeof trajectory>>[] = [];
  try {
    for (let i = 0; i < budget.experts; i++) trained.push(await trajectory(problem, budget, foldIn(key, i), program));
  } finally {
    await program.dispose();
  }
  const [first, ...rest] = trained;
  if (first === undefined) throw new RangeError('at least one expert is needed');
  for (const { like } of rest) disposeTree(like);
  const load = async (expert: number, epoch: number) => {
    const leaves = trained[expert]?.snapshots[epoch] ?? [];
    return treeUnflatten(
      first.like,
      leaves.map((values, i) => tensor(values, [...(first.shapes[i] ?? [])], 'float32')),
    );
  };
  return { source: { count: trained.length, epochs: budget.epochs + 1, load }, dispose: () => disposeTree(first.like) };
}
