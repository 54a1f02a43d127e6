import { foldIn, hostPermutation, type Key } from '@bpc/core';
import { tensor } from '@tensorflow/tfjs-core';
import type { Normalisation, Split, SplitRole } from '../data/dataset.js';
import { toFloat } from '../data/to-float.js';
import type { Piece } from './training-program.js';

/** Rows of one-hot labels, `[count, classes]`. */
export function oneHot(labels: ArrayLike<number>, classes: number): Float32Array {
  const rows = new Float32Array(labels.length * classes);
  for (let i = 0; i < labels.length; i++) rows[i * classes + (labels[i] ?? 0)] = 1;
  return rows;
}

interface BatchOptions {
  readonly normalisation: Normalisation;
  readonly classes: number;
  /** Points per piece; must divide their count. */
  readonly piece: number;
  /** Applied to the batch as a whole. */
  readonly augment?: (images: Float32Array) => Float32Array;
}

/** Normalised images and one-hot labels of some points, cut into equal pieces, on the current tfjs backend. The caller disposes them. */
export function batchPieces(split: Split<SplitRole>, indices: Int32Array, options: BatchOptions): Piece[] {
  const { normalisation, classes, piece, augment = (images) => images } = options;
  const images = augment(toFloat(split, indices, normalisation));
  const labels = oneHot(
    Int32Array.from(indices, (index) => split.labels[index] ?? 0),
    classes,
  );
  const size = images.length / indices.length;
  return Array.from({ length: indices.length / piece }, (_, i) => ({
    x: tensor(images.slice(i * piece * size, (i + 1) * piece * size), [piece, ...split.shape], 'float32'),
    y: tensor(labels.slice(i * piece * classes, (i + 1) * piece * classes), [piece, classes], 'float32'),
  }));
}

/** How many full batches an epoch has; fewer points than a batch make one batch of all of them. */
export function batchesPerEpoch(points: number, batch: number): number {
  return Math.max(1, Math.floor(points / batch));
}

/**
 * The batches of one epoch: a fresh permutation per epoch, cut into equal pieces, the remainder left out.
 *
 * Equal batches keep one compiled shape; the permutation lets every point come in again next epoch.
 */
export function epochBatches(points: Int32Array, batch: number, key: Key, epoch: number): Int32Array[] {
  const order = hostPermutation(foldIn(key, epoch), points.length);
  const size = Math.min(batch, points.length);
  return Array.from({ length: batchesPerEpoch(points.length, batch) }, (_, b) =>
    Int32Array.from({ length: size }, (_, i) => points[order[b * size + i] ?? 0] ?? 0),
  );
}
