import { tensor } from '@tensorflow/tfjs-core';
import { type Coreset, coreset } from './coreset.js';
import { checkData, type LabelledData, normaliseInPlace, pointSize, pointValues } from './coreset-data.js';
import { classTargets, type TargetFormat } from './coreset-targets.js';
import { ConfigError, ShapeError } from './errors.js';

/** Options of `fromPoints`. */
export interface FromPointsOptions {
  readonly data: LabelledData;
  /** Places in the data, in the order of the coreset. */
  readonly indices: ArrayLike<number>;
  /** One per place, finite and ≥ 0. Default 1. */
  readonly weights?: ArrayLike<number>;
  /** Default one-hot. */
  readonly targets?: TargetFormat;
}

/**
 * Real points by their places: what a selection chose, as a coreset. The caller owns the tensors.
 *
 * @throws ConfigError for places that are no points, weights that are negative or not finite, labels outside the classes or
 * images that are not finite; ShapeError for inconsistent sizes.
 * @example
 * ```ts
 * import { fromPoints } from '@bpc/core';
 * const data = { images: Float32Array.of(0, 1, 2, 3), labels: [0, 0, 1, 1], shape: [1], classes: 2 };
 * const two = fromPoints({ data, indices: [1, 2], weights: [2, 2] });
 * ```
 */
export function fromPoints({ data, indices, weights, targets }: FromPointsOptions): Coreset {
  checkData(data);
  const places = Int32Array.from(indices);
  const given = Float32Array.from(weights ?? new Float32Array(places.length).fill(1));
  if (given.length !== places.length)
    throw new ShapeError(`weights has ${given.length} entries, expected ${places.length}`, 'pass one weight per point');
  const count = data.labels.length;
  places.forEach((_, i) => {
    const [place, weight] = [indices[i], weights?.[i] ?? 1];
    if (place === undefined || !Number.isInteger(place) || place < 0 || place >= count)
      throw new ConfigError(`indices[${i}] is ${place}, expected an integer in [0, ${count})`, 'pass places of points');
    if (!(weight >= 0 && weight < Number.POSITIVE_INFINITY))
      throw new ConfigError(`weights[${i}] is ${weight}, expected a finite number ≥ 0`, 'pass non-negative weights');
  });
  const size = pointSize(data.shape);
  const values = new Float32Array(places.length * size);
  places.forEach((place, i) => values.set(pointValues(data, place), i * size));
  const labels = Array.from(places, (place) => data.labels[place] ?? 0);
  return coreset({
    x: tensor(normaliseInPlace(values, data), [places.length, ...data.shape], 'float32'),
    y: classTargets(labels, data.classes, targets),
    weights: tensor(given, [places.length], 'float32'),
  });
}
