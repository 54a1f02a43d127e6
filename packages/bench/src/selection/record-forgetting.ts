import { type ForgettingRecord, forgettingRecorder } from '@bpc/baselines';
import { disposeTree, type FeatureNetwork, foldIn, key, type Runtime, type Tree } from '@bpc/core';
import type { Dataset } from '../data/dataset.js';
import { batchesPerEpoch } from '../experts/batches.js';
import { trainNetwork } from '../experts/train-network.js';
import { type TrainingSettings, trainingProgram } from '../experts/training-program.js';

/** What `recordForgetting` needs. */
export interface RecordForgettingOptions {
  readonly dataset: Dataset;
  readonly network: FeatureNetwork<Tree>;
  readonly runtime: Runtime;
  readonly training: TrainingSettings;
  readonly seed: number;
  /** How many images go through the network at once, at most. */
  readonly imagesPerRun: number;
  readonly signal?: AbortSignal;
  readonly onStep?: (done: number, total: number, loss: number) => void;
}

const FORGETTING = 0xf0e6;

/**
 * Trains a network on all training images and records which were forgotten: correct at one visit, incorrect at the next.
 *
 * A visit is a batch's forward pass in training, as in Toneva et al. 2019, with the batch's augmentation.
 *
 * @throws NonFiniteError when the loss diverges; InterruptedError when aborted.
 */
export async function recordForgetting(options: RecordForgettingOptions): Promise<ForgettingRecord> {
  const { dataset, network, runtime, training, seed, imagesPerRun, signal, onStep } = options;
  const { train, normalisation } = dataset;
  const recorder = forgettingRecorder(train.count);
  const totalSteps = training.epochs * batchesPerEpoch(train.count, training.batch);
  const program = trainingProgram({ network, runtime, settings: training, totalSteps, logits: true });
  try {
    const params = await trainNetwork({
      network,
      program,
      settings: training,
      split: train,
      normalisation,
      points: Int32Array.from({ length: train.count }, (_, i) => i),
      imagesPerRun,
      key: foldIn(key(seed), FORGETTING),
      ...(signal === undefined ? {} : { signal }),
      ...(onStep === undefined ? {} : { onStep }),
      onVisit: (indices, correct) => {
        indices.forEach((index, i) => recorder.visit(index, correct[i] === 1));
      },
    });
    disposeTree(params);
  } finally {
    await program.dispose();
  }
  return recorder.record();
}
