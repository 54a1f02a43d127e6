import { checkLabels } from './coreset-targets.js';
import { ConfigError, ShapeError } from './errors.js';

/**
 * Labelled points on the host, from which coresets start.
 *
 * `images` row-major, `labels.length · size` values; `normalisation` (per channel, the last axis of `shape`) turns them
 * into network inputs, `(u/scale − mean)/std`; without it they are inputs already. Nothing is modified or kept.
 */
export interface LabelledData {
  readonly images: Float32Array | Uint8Array;
  readonly labels: ArrayLike<number>;
  /** Shape of one point. */
  readonly shape: readonly number[];
  readonly classes: number;
  readonly normalisation?: { readonly scale: number; readonly mean: readonly number[]; readonly std: readonly number[] };
}

/** Number of values of one point. */
export const pointSize = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** @throws ShapeError or ConfigError for inconsistent sizes, labels outside the classes, or values that are not finite. */
export function checkData(data: LabelledData): void {
  const { images, labels, shape, classes, normalisation } = data;
  const size = pointSize(shape);
  if (images.length !== labels.length * size) {
    throw new ShapeError(`images has ${images.length} values, expected ${labels.length} points of ${size}`, 'pass one label per image');
  }
  checkLabels(labels, classes);
  const channels = shape[shape.length - 1] ?? 1;
  if (normalisation !== undefined && (normalisation.mean.length !== channels || normalisation.std.length !== channels)) {
    throw new ShapeError(
      `normalisation has ${normalisation.mean.length} means, expected ${channels}`,
      'pass one mean and one std per channel',
    );
  }
  if (images instanceof Uint8Array) return;
  const bad = images.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0)
    throw new ConfigError(
      `images has ${images[bad]} in point ${Math.floor(bad / size)}, expected finite values`,
      'remove or repair that image',
    );
}

/** @throws ConfigError unless `imagesPerClass` is an integer ≥ 1. */
export function checkImagesPerClass(imagesPerClass: number): void {
  if (!Number.isInteger(imagesPerClass) || imagesPerClass < 1) {
    throw new ConfigError(`imagesPerClass is ${imagesPerClass}, expected an integer >= 1`, 'pass a positive integer');
  }
}

/**
 * Indices of the points of each class.
 *
 * @throws ConfigError naming the first class with fewer than `imagesPerClass` points.
 */
export function classMembers(data: LabelledData, imagesPerClass: number): number[][] {
  checkImagesPerClass(imagesPerClass);
  checkData(data);
  const members = Array.from({ length: data.classes }, (): number[] => []);
  for (let i = 0; i < data.labels.length; i++) members[data.labels[i] ?? 0]?.push(i);
  members.forEach((indices, label) => {
    if (indices.length < imagesPerClass) {
      throw new ConfigError(
        `imagesPerClass is ${imagesPerClass}, but class ${label} has only ${indices.length} images`,
        `pass at most ${Math.min(...members.map((list) => list.length))}`,
      );
    }
  });
  return members;
}

/** Raw values of one point, as a view. */
export function pointValues({ images, shape }: LabelledData, index: number): Float32Array | Uint8Array {
  const size = pointSize(shape);
  return images.subarray(index * size, (index + 1) * size);
}

/** Raw values to network inputs, in place. Affine, so it may follow averages and mixes. */
export function normaliseInPlace(values: Float32Array, { shape, normalisation }: LabelledData): Float32Array {
  if (normalisation === undefined) return values;
  const { scale, mean, std } = normalisation;
  const channels = shape[shape.length - 1] ?? 1;
  for (let i = 0; i < values.length; i++) {
    values[i] = ((values[i] ?? 0) / scale - (mean[i % channels] ?? 0)) / (std[i % channels] ?? 1);
  }
  return values;
}
