import { type Dataset, toFloat } from '@bpc/bench';
import {
  applyUpdates,
  cloneTree,
  crossEntropy,
  disposeTree,
  foldIn,
  hostPermutation,
  type Key,
  type Network,
  type Runtime,
  sgd,
  type Tree,
  valueAndGrad,
} from '@bpc/core';
import { mean, type Tensor, tensor } from '@tensorflow/tfjs-core';

const BATCH = 64;

/** What the experts of this example are trained on. */
export interface TrainExpertsOptions<P extends Tree> {
  readonly network: Network<P>;
  readonly digits: Dataset;
  readonly runtime: Runtime;
  readonly count: number;
  readonly epochs: number;
  readonly key: Key;
}

/** One row per image, with a one at its class. */
function oneHotRows({ train, classes }: Dataset, indices: Int32Array): Float32Array {
  const rows = new Float32Array(indices.length * classes);
  indices.forEach((index, row) => {
    rows[row * classes + (train.labels[index] ?? 0)] = 1;
  });
  return rows;
}

/** Trains a few networks on the full data and keeps their parameters of every epoch, in memory. */
export async function trainExperts<P extends Tree>({ network, digits, runtime, count, epochs, key }: TrainExpertsOptions<P>) {
  const optimizer = sgd({ learningRate: 0.05, momentum: 0.9 });
  const step = runtime.compile((params: P, state: Tree, x: Tensor, y: Tensor) => {
    const { grad } = valueAndGrad((p: P) => mean(crossEntropy(network.apply(p, x), y)))(params);
    const update = optimizer.update(grad, state as readonly Tree[], params);
    return { params: applyUpdates(params, update.updates), state: update.state };
  });
  const trajectories: P[][] = [];
  for (let expert = 0; expert < count; expert++) {
    const expertKey = foldIn(key, expert);
    let params = network.init(expertKey);
    let state: Tree = optimizer.init(params);
    const snapshots = [cloneTree(params)];
    for (let epoch = 1; epoch <= epochs; epoch++) {
      const order = hostPermutation(foldIn(expertKey, epoch), digits.train.count);
      for (let first = 0; first + BATCH <= order.length; first += BATCH) {
        const indices = order.subarray(first, first + BATCH);
        const x = tensor(toFloat(digits.train, indices, digits.normalisation), [BATCH, ...digits.shape]);
        const y = tensor(oneHotRows(digits, indices), [BATCH, digits.classes]);
        const next: { params: P; state: Tree } = await step(params, state, x, y);
        disposeTree([params, state, x, y]);
        ({ params, state } = next);
      }
      snapshots.push(cloneTree(params));
    }
    disposeTree([params, state]);
    trajectories.push(snapshots);
  }
  await step.dispose();
  return {
    count,
    epochs,
    load: async (expert: number, epoch: number): Promise<P> => {
      const snapshot = trajectories[expert]?.[epoch];
      if (snapshot === undefined) throw new RangeError(`no snapshot ${epoch} of expert ${expert}`);
      return cloneTree(snapshot);
    },
  };
}
