import { ConfigError, type Coreset, coreset, disposeTree, fromPoints, type LabelledData, ShapeError, type TargetFormat } from '@bpc/core';
import { tensor1d } from '@tensorflow/tfjs-core';
import type { PointSource } from './points.js';
import type { WeightedSubset } from './subset/subset.js';

/**
 * Labelled images (bytes with a normalisation, or floats) as points; labels become targets of the given format, default one-hot.
 *
 * @throws from `read`, as `fromPoints` of `@bpc/core`.
 * @example
 * ```ts
 * import { labelledPoints } from '@bpc/baselines';
 * const data = { images: Float32Array.of(0, 1, 2, 3), labels: [0, 0, 1, 1], shape: [1], classes: 2 };
 * console.log(labelledPoints(data).count); // 4
 * ```
 */
export function labelledPoints(data: LabelledData, targets?: TargetFormat): PointSource {
  return {
    count: data.labels.length,
    read(indices) {
      const { x, y, weights } = fromPoints({ data, indices, ...(targets === undefined ? {} : { targets }) });
      disposeTree(weights);
      return { x, y };
    },
  };
}

/**
 * A weighted subset as the coreset that learning, sampling and evaluation take. The caller owns the tensors.
 *
 * @param points - a source of points (`arrayPoints`, `labelledPoints`, files).
 * @throws ConfigError for an empty subset, places that are no points, or weights that are negative or not finite; ShapeError
 * unless there is one weight per point.
 * @example
 * ```ts
 * import { jsRuntime } from '@bpc/compiler';
 * import { disposeTree } from '@bpc/core';
 * import { herding, labelledPoints, toCoreset } from '@bpc/baselines';
 * jsRuntime(); // makes a place for tensors
 * const data = { images: Float32Array.of(0, 1, 2, 7, 8, 9), labels: [0, 0, 0, 1, 1, 1], shape: [1], classes: 2 };
 * const features = { data: data.images, shape: [6, 1] } as const;
 * const chosen = await toCoreset(labelledPoints(data), herding({ features, labels: data.labels, classes: 2, pointsPerClass: 1 }));
 * console.log(chosen.x.dataSync()); // [1, 8]
 * disposeTree(chosen);
 * ```
 */
export async function toCoreset(points: PointSource, { indices, weights }: WeightedSubset): Promise<Coreset> {
  if (indices.length === 0) throw new ConfigError('the subset has no points', 'select at least one');
  if (weights.length !== indices.length)
    throw new ShapeError(`weights has ${weights.length} entries, expected ${indices.length}`, 'pass one weight per point');
  indices.forEach((place, i) => {
    if (!(place >= 0 && place < points.count))
      throw new ConfigError(`indices[${i}] is ${place}, expected an integer in [0, ${points.count})`, 'pass places of points');
    const weight = weights[i] ?? Number.NaN;
    if (!(weight >= 0 && weight < Number.POSITIVE_INFINITY))
      throw new ConfigError(`weights[${i}] is ${weight}, expected a finite number ≥ 0`, 'pass non-negative weights');
  });
  const { x, y } = await points.read(indices);
  return coreset({ x, y, weights: tensor1d(Float32Array.from(weights), 'float32') });
}
