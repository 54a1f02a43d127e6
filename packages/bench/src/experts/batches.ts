import { foldIn, hostPermutation, type Key } from '@bpc/core';
import { type Tensor, tensor } from '@tensorflow/tfjs-core';
import type { Normalisation, Split, SplitRole } from '../data/dataset.js';
import { toFloat } from '../data/to-float.js';

/** Rows of one-hot labels, `[count, classes]`. */
export function oneHot(labels: ArrayLike<number>, classes: number): Float32Array {
  const rows = new Float32Array(labels.length * classes);
  for (let i = 0; i < labels.length; i++) rows[i * classes + (labels[i] ?? 0)] = 1;
  return rows;
}

/** Normalised images and one-hot labels of some points, on the current tfjs backend. The caller disposes them. */
export function batchTensors(
  split: Split<SplitRole>,
  indices: ArrayLike<number>,
  options: { readonly normalisation: Normalisation; readonly classes: number; readonly augment?: (images: Float32Array) => Float32Array },
): { readonly x: Tensor; readonly y: Tensor } {
  const { normalisation, classes, augment = (images) => images } = options;
  const labels = Int32Array.from({ length: indices.length }, (_, i) => split.labels[indices[i] ?? 0] ?? 0);
  return {
    x: tensor(augment(toFloat(split, indices, normalisation)), [indices.length, ...split.shape], 'float32'),
    y: tensor(oneHot(labels, classes), [indices.length, classes], 'float32'),
  };
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
