import { type Batch, ConfigError, ShapeError } from '@bpc/core';
import { tensor } from '@tensorflow/tfjs-core';

/** The points of a data set, read a batch at a time: files, or arrays in memory (`arrayPoints`). */
export interface PointSource {
  /** N. */
  readonly count: number;
  /** Inputs and targets of some points. Fresh tensors, disposed by whoever asked for them. */
  read(indices: Int32Array): Batch | Promise<Batch>;
}

/** Row-major values of any rank, points on the first axis. */
export interface PointArray {
  readonly data: Float32Array | Float64Array;
  readonly shape: readonly number[];
}

/**
 * Points in memory. Nothing is copied until a batch is read.
 *
 * @param points - `x [N, …]` inputs; `y [N, outputs]` one-hot or soft labels, or regression targets.
 * @throws ShapeError unless both have N ≥ 1 points and as many values as their shapes say; from `read`, ConfigError for a place
 * that is no point.
 * @example
 * ```ts
 * import { arrayPoints } from '@bpc/baselines';
 * const x = { data: Float32Array.of(0, 1, 2, 3), shape: [2, 2] };
 * const points = arrayPoints({ x, y: { data: Float32Array.of(1, 0, 0, 1), shape: [2, 2] } });
 * console.log(points.count); // 2
 * ```
 */
export function arrayPoints({ x, y }: { readonly x: PointArray; readonly y: PointArray }): PointSource {
  const count = x.shape[0] ?? 0;
  for (const [name, { data, shape }] of Object.entries({ x, y })) {
    const values = shape.reduce((a, b) => a * b, 1);
    if (shape.length < 2 || count < 1 || shape[0] !== count || data.length !== values) {
      throw new ShapeError(
        `${name} has ${data.length} values and shape [${shape}], expected [${count || 'points'}, …] of as many values`,
        'put points on the first axis of x and y, and let y have one row of targets per point',
      );
    }
  }
  const rows = ({ data, shape }: PointArray, indices: Int32Array) => {
    const size = data.length / count;
    const values = new Float32Array(indices.length * size);
    indices.forEach((index, i) => {
      if (!(index >= 0 && index < count)) throw new ConfigError(`index ${index} is outside the ${count} points`, 'pass places of points');
      values.set(data.subarray(index * size, (index + 1) * size), i * size);
    });
    return tensor(values, [indices.length, ...shape.slice(1)], 'float32');
  };
  return { count, read: (indices) => ({ x: rows(x, indices), y: rows(y, indices) }) };
}
