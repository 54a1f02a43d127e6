import { disposeTree, foldIn, InterruptedError, type Key, type Network, NonFiniteError, type Tree } from '@bpc/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { checkImagesFit } from '../data/check-images-fit.js';
import type { Normalisation, TrainSplit } from '../data/dataset.js';
import { batchAugmentation } from '../evaluation/augmentation.js';
import { batchesPerEpoch, batchPieces, epochBatches } from './batches.js';
import type { TrainingProgram, TrainingResult, TrainingSettings } from './training-program.js';
import { pieceSize } from './working-set.js';

/** What `trainNetwork` needs. */
export interface TrainNetworkOptions {
  readonly network: Network<Tree>;
  readonly program: TrainingProgram;
  readonly settings: TrainingSettings;
  readonly split: TrainSplit;
  readonly normalisation: Normalisation;
  /** How many images go through the network at once, at most. */
  readonly imagesPerRun: number;
  /** Which training images are used. */
  readonly points: Int32Array;
  readonly key: Key;
  readonly signal?: AbortSignal;
  /** Steps done, out of all. */
  readonly onStep?: (done: number, total: number, loss: number) => void;
  /** Which points of a batch (augmented) were classified correctly before its step; needs a program with `logits`. */
  readonly onVisit?: (indices: Int32Array, correct: Uint8Array) => void;
  /** Parameters at initialisation (epoch 0) and after each epoch; borrowed until the promise resolves. */
  readonly onEpoch?: (epoch: number, params: Tree) => Promise<void>;
}

const INIT = 0;
const ORDER = 1;
const AUGMENT = 2;
// Reading a loss back costs little, but a diverged training should not run on for an epoch either.
const watchEvery = 20;

/** 1 where the largest logit is that of the label, row by row over all pieces. */
async function correctRows(pieces: readonly Tensor[], { labels }: TrainSplit, indices: Int32Array): Promise<Uint8Array> {
  if (pieces.length === 0) throw new Error('visits were asked for, but the training program gives no logits');
  const correct = new Uint8Array(indices.length);
  let row = 0;
  for (const piece of pieces) {
    const [rows = 0, classes = 0] = piece.shape;
    const values = await piece.data();
    for (let i = 0; i < rows; i++, row++) {
      const own = values.subarray(i * classes, (i + 1) * classes);
      let top = 0;
      for (let c = 1; c < classes; c++) if ((own[c] ?? 0) > (own[top] ?? 0)) top = c;
      correct[row] = top === labels[indices[row] ?? 0] ? 1 : 0;
    }
  }
  return correct;
}

/**
 * Trains a network from a fresh initialisation; equal keys give equal weights, whatever else runs.
 *
 * @returns the last parameters, owned by the caller.
 * @throws ShapeError if the network takes other images; NonFiniteError when the loss diverges; InterruptedError when the
 * signal is aborted.
 */
export async function trainNetwork(options: TrainNetworkOptions): Promise<Tree> {
  const { network, program, settings, split, normalisation, points, key, signal, onStep, onVisit, onEpoch } = options;
  checkImagesFit(split.shape, network);
  const augment = batchAugmentation(settings.augment, split.shape);
  const total = settings.epochs * batchesPerEpoch(points.length, settings.batch);
  let params = network.init(foldIn(key, INIT));
  let state = program.initState(params);
  let step = 0;
  try {
    await onEpoch?.(0, params);
    for (let epoch = 1; epoch <= settings.epochs; epoch++) {
      for (const indices of epochBatches(points, settings.batch, foldIn(key, ORDER), epoch)) {
        if (signal?.aborted === true)
          throw new InterruptedError(`training stopped at step ${step}`, step, 'start the same command again to continue');
        const augmentKey = foldIn(foldIn(key, AUGMENT), step);
        const pieces = batchPieces(split, indices, {
          normalisation,
          classes: network.outputs,
          piece: pieceSize(indices.length, options.imagesPerRun),
          augment: (images) => augment(images, augmentKey),
        });
        let next: TrainingResult;
        try {
          next = await program.step(params, state, pieces);
        } finally {
          disposeTree(pieces);
        }
        disposeTree(params);
        disposeTree(state);
        ({ params, state } = next);
        step++;
        try {
          if (onVisit !== undefined) onVisit(indices, await correctRows(next.logits, split, indices));
        } finally {
          disposeTree(next.logits);
        }
        // Compiled steps never wait for anything, so an abort would not arrive without this turn of the event loop.
        await new Promise((resolve) => setImmediate(resolve));
        const watched = step % watchEvery === 0 || step === total;
        const loss = watched ? (await next.loss.data())[0] : undefined;
        disposeTree(next.loss);
        if (loss !== undefined) {
          if (!Number.isFinite(loss))
            throw new NonFiniteError(`the training loss is ${loss} at step ${step}`, step, 'lower the learning rate of this training');
          onStep?.(step, total, loss);
        }
      }
      await onEpoch?.(epoch, params);
    }
  } catch (error) {
    disposeTree(params);
    throw error;
  } finally {
    disposeTree(state);
  }
  return params;
}
