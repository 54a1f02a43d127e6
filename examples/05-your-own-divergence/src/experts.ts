import { batchesPerEpoch, type Dataset, type TrainingSettings, trainingProgram, trainNetwork } from '@bpc/bench';
import {
  cloneTree,
  disposeTree,
  type ExpertSource,
  foldIn,
  hostPermutation,
  type Key,
  type Network,
  type Runtime,
  type Tree,
} from '@bpc/core';

const settings: TrainingSettings = {
  epochs: 4,
  batch: 32,
  learningRate: 0.05,
  momentum: 0.9,
  weightDecay: 0,
  decay: 'constant',
  augment: 'none',
};

/** Where experts come from. */
export interface ExpertsOptions {
  readonly network: Network<Tree>;
  readonly dataset: Dataset;
  readonly runtime: Runtime;
  readonly count: number;
  readonly key: Key;
}

/** Networks trained on the training split, with their parameters at the start and after every epoch, in memory. */
export async function trainExperts({ network, dataset, runtime, count, key }: ExpertsOptions): Promise<ExpertSource<Tree>> {
  const { train, normalisation } = dataset;
  const points = hostPermutation(key, train.count);
  const totalSteps = settings.epochs * batchesPerEpoch(points.length, settings.batch);
  const program = trainingProgram({ network, runtime, settings, totalSteps });
  const snapshots: Tree[][] = [];
  for (let expert = 0; expert < count; expert++) {
    const own: Tree[] = [];
    const onEpoch = async (_epoch: number, params: Tree) => void own.push(cloneTree(params));
    const options = { network, program, settings, split: train, normalisation, points, imagesPerRun: settings.batch };
    disposeTree(await trainNetwork({ ...options, key: foldIn(key, expert), onEpoch }));
    snapshots.push(own);
  }
  await program.dispose();
  return {
    count,
    // `epochs` counts snapshots: the initialisation is one of them.
    epochs: settings.epochs + 1,
    load: async (expert, epoch) => {
      const found = snapshots[expert]?.[epoch];
      if (found === undefined) throw new RangeError(`expert ${expert} has no snapshot ${epoch}`);
      return cloneTree(found);
    },
  };
}
