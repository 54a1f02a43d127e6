import type { Coreset } from '@bpc/core';
import { tensor, tensor1d } from '@tensorflow/tfjs-core';

/** A coreset as plain arrays, which travel between threads and hash the same everywhere. */
export interface HostCoreset {
  /** Normalised images, `[points, …inputShape]`. */
  readonly x: Float32Array;
  readonly inputShape: readonly number[];
  /** Label probabilities, `[points, classes]`. */
  readonly y: Float32Array;
  readonly classes: number;
  /** `[points]`. */
  readonly weights: Float32Array;
}

/** Fresh tensors, owned by the caller. */
export function coresetTensors({ x, inputShape, y, classes, weights }: HostCoreset): Coreset {
  return {
    x: tensor(x, [weights.length, ...inputShape], 'float32'),
    y: tensor(y, [weights.length, classes], 'float32'),
    weights: tensor1d(weights, 'float32'),
  };
}

/** Rows of `softmax(logits)`. */
export function softmaxRows(logits: Float32Array, classes: number): Float32Array {
  const rows = new Float32Array(logits.length);
  for (let start = 0; start < logits.length; start += classes) {
    const row = logits.subarray(start, start + classes);
    const top = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const total = row.reduce((sum, value) => sum + Math.exp(value - top), 0);
    for (let c = 0; c < classes; c++) rows[start + c] = Math.exp((row[c] ?? 0) - top) / total;
  }
  return rows;
}

/**
 * Copies a coreset to the host.
 *
 * @param labels - what `y` holds; logits become probabilities.
 */
export async function hostCoreset({ x, y, weights }: Coreset, labels: 'probabilities' | 'logits'): Promise<HostCoreset> {
  const classes = y.shape[1] ?? 0;
  const targets = Float32Array.from(await y.data());
  return {
    x: Float32Array.from(await x.data()),
    inputShape: x.shape.slice(1),
    y: labels === 'logits' ? softmaxRows(targets, classes) : targets,
    classes,
    weights: Float32Array.from(await weights.data()),
  };
}
