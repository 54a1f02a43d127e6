import { ShapeError } from '@bpc/core';
import type { Dataset, Split, SplitRole, WhitenedValues } from '../dataset.js';
import type { Zca } from './zca.js';

/** Options of `whiten`. */
export interface WhitenOptions {
  /**
   * Keep every whitened image in memory, so that it is computed once and not once per epoch: `4 d` bytes an image, 737 MB for
   * all of CIFAR-10. Default true; without it a batch of 256 CIFAR-10 images takes a second each time.
   */
  readonly keep?: boolean;
}

/**
 * A data set whose images `toFloat` whitens, after normalising them: `((u / scale − mean) / std − m) W`.
 *
 * Splits and bytes stay as they are; the transform travels with the normalisation, so learning, evaluation and pictures
 * (which undo it) follow. If the images stand on shared memory, so do transform and kept images: threads compute each image
 * once between them.
 *
 * @param zca - fitted on `dataset.train` with `dataset.normalisation`.
 * @throws ShapeError if the transform was fitted on images of another size.
 *
 * @example
 * ```ts
 * import { fitZca, getDataset, toFloat, whiten } from '@bpc/bench';
 * const digits = await getDataset('digits');
 * const white = whiten(digits, await fitZca(digits.train, digits.normalisation));
 * const batch = toFloat(white.test, { start: 0, end: 8 }, white.normalisation); // whitened with the training images' transform
 * ```
 */
export function whiten(dataset: Dataset, zca: Zca, { keep = true }: WhitenOptions = {}): Dataset {
  const size = dataset.shape[0] * dataset.shape[1] * dataset.shape[2];
  if (zca.size !== size) {
    throw new ShapeError(
      `the transform was fitted on images of ${zca.size} values, those of ${dataset.name} have ${size}`,
      'fit a transform on this data set',
    );
  }
  const shared = dataset.train.images.buffer instanceof SharedArrayBuffer;
  const stored = <Role extends SplitRole>(split: Split<Role>): Split<Role> =>
    keep ? { ...split, whitened: emptyStore(split.count, size, shared) } : split;
  return {
    ...dataset,
    normalisation: { ...dataset.normalisation, whitening: shared ? onSharedMemory(zca) : zca },
    train: stored(dataset.train),
    validation: stored(dataset.validation),
    test: stored(dataset.test),
  };
}

/** Pages of it take memory only once an image is written there. */
function emptyStore(count: number, size: number, shared: boolean): WhitenedValues {
  const buffer = (bytes: number): ArrayBuffer | SharedArrayBuffer => (shared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes));
  return { values: new Float32Array(buffer(4 * count * size)), done: new Uint8Array(buffer(count)) };
}

function onSharedMemory(zca: Zca): Zca {
  const share = (values: Float64Array): Float64Array => {
    const copy = new Float64Array(new SharedArrayBuffer(values.byteLength));
    copy.set(values);
    return copy;
  };
  const { mean, whitening, inverse } = zca;
  return { ...zca, mean: share(mean), whitening: share(whitening), inverse: share(inverse) };
}
