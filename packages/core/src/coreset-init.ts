import { tensor } from '@tensorflow/tfjs-core';
import { type Coreset, coreset } from './coreset.js';
import { checkImagesPerClass, classMembers, type LabelledData, normaliseInPlace, pointSize, pointValues } from './coreset-data.js';
import { classTargets, type TargetFormat } from './coreset-targets.js';
import { ConfigError } from './errors.js';
import type { Key } from './random.js';
import { foldIn, hostInteger, hostNormal, hostPermutation, hostUniform } from './random.js';

/** Options shared by the initialisers that look at real data. */
export interface InitialCoresetOptions {
  readonly data: LabelledData;
  /** Points per class, an integer from 1 to the size of the smallest class. */
  readonly imagesPerClass: number;
  /** Default one-hot. */
  readonly targets?: TargetFormat;
}

/** Points in class order (all of class 0 first), with targets and weights 1. The caller owns the tensors. */
function assemble(
  values: Float32Array,
  shape: readonly number[],
  classes: number,
  imagesPerClass: number,
  targets: TargetFormat | undefined,
): Coreset {
  const labels = Array.from({ length: classes * imagesPerClass }, (_, i) => Math.floor(i / imagesPerClass));
  return coreset({ x: tensor(values, [labels.length, ...shape], 'float32'), y: classTargets(labels, classes, targets) });
}

function fill(
  { data, imagesPerClass, targets }: InitialCoresetOptions,
  point: (members: readonly number[], label: number, j: number, out: Float32Array) => void,
): Coreset {
  const members = classMembers(data, imagesPerClass);
  const size = pointSize(data.shape);
  const values = new Float32Array(data.classes * imagesPerClass * size);
  members.forEach((indices, label) => {
    for (let j = 0; j < imagesPerClass; j++) {
      const start = (label * imagesPerClass + j) * size;
      point(indices, label, j, values.subarray(start, start + size));
    }
  });
  return assemble(normaliseInPlace(values, data), data.shape, data.classes, imagesPerClass, targets);
}

/**
 * Real points, drawn without replacement from each class.
 *
 * @throws ConfigError for a bad `imagesPerClass`, labels outside the classes, images that are not finite; ShapeError.
 * @example
 * ```ts
 * import { fromRealImages, key } from '@bpc/core';
 * const data = { images: Float32Array.of(0, 1, 2, 3), labels: [0, 0, 1, 1], shape: [1], classes: 2 };
 * const start = fromRealImages({ data, imagesPerClass: 1, key: key(0) });
 * ```
 */
export function fromRealImages(options: InitialCoresetOptions & { readonly key: Key }): Coreset {
  const { data, key } = options;
  const orders = new Map<number, Int32Array>();
  return fill(options, (members, label, j, out) => {
    const order = orders.get(label) ?? hostPermutation(foldIn(key, label), members.length);
    orders.set(label, order);
    out.set(pointValues(data, members[order[j] ?? 0] ?? 0));
  });
}

/**
 * u = a·x_i + (1 − a)·x_j with a ~ U(0, 1) and two points of the class, drawn anew for each: the start in BPC-CD's code.
 *
 * @throws like `fromRealImages`.
 */
export function fromConvexMixes(options: InitialCoresetOptions & { readonly key: Key }): Coreset {
  const { data, key } = options;
  return fill(options, (members, label, j, out) => {
    const pointKey = foldIn(foldIn(key, label), j);
    const a = hostUniform(foldIn(pointKey, 0), 1)[0] ?? 0;
    const first = pointValues(data, members[hostInteger(foldIn(pointKey, 1), members.length)] ?? 0);
    const second = pointValues(data, members[hostInteger(foldIn(pointKey, 2), members.length)] ?? 0);
    for (let i = 0; i < out.length; i++) out[i] = a * (first[i] ?? 0) + (1 - a) * (second[i] ?? 0);
  });
}

/**
 * The real points nearest (Euclidean) to the mean of their class, nearest first: a strong, honest control. No randomness;
 * ties go to the earlier point.
 *
 * @throws like `fromRealImages`.
 */
export function fromNearestMean(options: InitialCoresetOptions): Coreset {
  const { data } = options;
  const chosen = new Map<number, readonly number[]>();
  return fill(options, (members, label, j, out) => {
    const nearest = chosen.get(label) ?? nearestToMean(data, members);
    chosen.set(label, nearest);
    out.set(pointValues(data, nearest[j] ?? 0));
  });
}

/** `members` by distance from their mean, in the metric of network inputs (channels may be scaled differently). */
function nearestToMean(data: LabelledData, members: readonly number[]): number[] {
  const size = pointSize(data.shape);
  const { std } = data.normalisation ?? {};
  const channels = data.shape[data.shape.length - 1] ?? 1;
  const deviations = Float64Array.from({ length: size }, (_, i) => std?.[i % channels] ?? 1);
  // Plain loops: a whole data set passes here, and callbacks on typed arrays take five times as long.
  const mean = new Float64Array(size);
  for (const index of members) {
    const point = pointValues(data, index);
    for (let i = 0; i < size; i++) mean[i] = (mean[i] ?? 0) + (point[i] ?? 0) / members.length;
  }
  const distance = (index: number) => {
    const point = pointValues(data, index);
    let total = 0;
    for (let i = 0; i < size; i++) total += (((point[i] ?? 0) - (mean[i] ?? 0)) / (deviations[i] ?? 1)) ** 2;
    return total;
  };
  const distances = new Map(members.map((index) => [index, distance(index)]));
  return [...members].sort((a, b) => (distances.get(a) ?? 0) - (distances.get(b) ?? 0) || a - b);
}

/**
 * Independent normal noise of standard deviation `scale` (default 1, that of normalised inputs).
 *
 * @throws ConfigError for a bad `imagesPerClass` or `scale`.
 */
export function fromNoise(options: {
  readonly shape: readonly number[];
  readonly classes: number;
  readonly imagesPerClass: number;
  readonly key: Key;
  readonly scale?: number;
  readonly targets?: TargetFormat;
}): Coreset {
  const { shape, classes, imagesPerClass, key, scale = 1, targets } = options;
  checkImagesPerClass(imagesPerClass);
  if (!Number.isFinite(scale) || scale < 0)
    throw new ConfigError(`scale is ${scale}, expected a finite number >= 0`, 'pass a non-negative scale');
  const values = hostNormal(key, classes * imagesPerClass * pointSize(shape)).map((value) => value * scale);
  return assemble(values, shape, classes, imagesPerClass, targets);
}
