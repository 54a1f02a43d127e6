import { ConfigError, ShapeError } from '@bpc/core';
import { addRowProducts } from './row-products.js';
import { mirrorLower } from './symmetric-eigen.js';

/** Points that are read some at a time, as rows of float64 values. */
export interface PointRows {
  readonly count: number;
  /** Values per point. */
  readonly size: number;
  /** Rows `start … end − 1`, row-major; used up before the next are asked for. */
  read(start: number, end: number): Float64Array;
}

/** Mean and covariance of some points. */
export interface Moments {
  readonly count: number;
  readonly size: number;
  /** `[size]`. */
  readonly mean: Float64Array;
  /** `[size, size]`, symmetric. */
  readonly covariance: Float64Array;
}

/** What is divided by: N − 1 (kornia, scikit-learn's PCA) or N (population). */
export type CovarianceDivisor = 'count-1' | 'count';

const BLOCK = 512;

/**
 * Mean and covariance, `Σ_n (x_n − m)(x_n − m)ᵀ / divisor`, in float64, over blocks of points.
 *
 * Two passes, the mean first, so that no large numbers cancel. Memory: the covariance and two blocks.
 *
 * @throws ConfigError if there are fewer points than two (one for `count`); ShapeError if a read gives another length.
 */
export async function pointMoments(
  points: PointRows,
  options: { readonly divisor: CovarianceDivisor; readonly onBlock?: (points: number) => void | Promise<void> },
): Promise<Moments> {
  const { count, size } = points;
  const { divisor, onBlock } = options;
  const denominator = divisor === 'count' ? count : count - 1;
  if (denominator < 1) throw new ConfigError(`there are ${count} points, expected at least 2`, 'fit on more images');
  const mean = new Float64Array(size);
  forEachBlock(points, (rows) => {
    for (let start = 0; start < rows.length; start += size)
      for (let j = 0; j < size; j++) mean[j] = (mean[j] ?? 0) + (rows[start + j] ?? 0);
  });
  for (let j = 0; j < size; j++) mean[j] = (mean[j] ?? 0) / count;
  const covariance = new Float64Array(size * size);
  for (let start = 0; start < count; start += BLOCK) {
    const end = Math.min(count, start + BLOCK);
    const columns = { data: centredColumns(readBlock(points, start, end), mean), count: size };
    addRowProducts(columns, columns, covariance, { size: end - start, symmetric: true });
    await onBlock?.(end);
  }
  for (let i = 0; i < covariance.length; i++) covariance[i] = (covariance[i] ?? 0) / denominator;
  mirrorLower(covariance, size);
  return { count, size, mean, covariance };
}

function forEachBlock(points: PointRows, use: (rows: Float64Array) => void): void {
  for (let start = 0; start < points.count; start += BLOCK) use(readBlock(points, start, Math.min(points.count, start + BLOCK)));
}

function readBlock(points: PointRows, start: number, end: number): Float64Array {
  const rows = points.read(start, end);
  if (rows.length === (end - start) * points.size) return rows;
  throw new ShapeError(`${end - start} points have ${rows.length} values, expected ${points.size} each`, 'pass points of one size');
}

/** Centred values, transposed: what is one after another in a row is what a covariance adds up over. */
function centredColumns(rows: Float64Array, mean: Float64Array): Float64Array {
  const size = mean.length;
  const count = rows.length / size;
  const columns = new Float64Array(rows.length);
  for (let i = 0; i < count; i++) for (let j = 0; j < size; j++) columns[j * count + i] = (rows[i * size + j] ?? 0) - (mean[j] ?? 0);
  return columns;
}
