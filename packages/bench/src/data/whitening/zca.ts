import { ConfigError, ShapeError } from '@bpc/core';
import type { CovarianceDivisor, Moments } from './covariance.js';
import { addRowProducts } from './row-products.js';
import { mirrorLower, symmetricEigen } from './symmetric-eigen.js';

/** A fitted whitening transform of points with `size` values each. Plain data: it can be sent to a thread and stored. */
export interface Zca {
  readonly size: number;
  /** Points it was fitted on. */
  readonly count: number;
  readonly regularisation: number;
  readonly divisor: CovarianceDivisor;
  /** `[size]`. */
  readonly mean: Float64Array;
  /** `[size, size]`, symmetric: `U (Λ + r I)^{-1/2} Uᵀ`. */
  readonly whitening: Float64Array;
  /** `[size, size]`, symmetric: `U (Λ + r I)^{1/2} Uᵀ`. */
  readonly inverse: Float64Array;
  /** Of the covariance, descending; those below 0 by rounding are 0. */
  readonly eigenvalues: Float64Array;
}

/**
 * The ZCA whitening transform of points with these moments.
 *
 * `C = U Λ Uᵀ`, `W = U (Λ + r I)^{-1/2} Uᵀ`, and `x ↦ (x − m) W`. The whitened training points have covariance
 * `U Λ (Λ + r I)^{-1} Uᵀ`. Sources: A. Bell, T. Sejnowski (1997); the implementation in kornia; T. Nguyen et al., "Dataset
 * distillation with infinitely wide convolutional networks" (2021), for r = 0.1.
 *
 * @param options.regularisation - r, in units of the covariance. With 0 a singular covariance is refused.
 * @throws ConfigError for a negative r, or r = 0 and a covariance that is singular to working precision.
 */
export function zcaOfMoments(
  { count, size, mean, covariance }: Moments,
  options: { readonly regularisation: number; readonly divisor: CovarianceDivisor; readonly onProgress?: (share: number) => void },
): Zca {
  const { regularisation, divisor, onProgress } = options;
  if (!(regularisation >= 0) || !Number.isFinite(regularisation)) {
    throw new ConfigError(`regularisation is ${regularisation}, expected a number ≥ 0`, 'pass 0.1, as the papers do');
  }
  const { values, vectors } = symmetricEigen(covariance, size, (share) => onProgress?.(0.8 * share));
  const eigenvalues = values.map((value) => Math.max(0, value));
  const largest = eigenvalues.at(-1) ?? 0;
  const rank = eigenvalues.filter((value) => value > largest * size * Number.EPSILON).length;
  if (regularisation === 0 && rank < size) {
    throw new ConfigError(
      `the covariance of ${count} points with ${size} values has rank ${rank}, so it has no inverse square root`,
      `pass a positive regularisation (the papers use 0.1), or more than ${size} different images`,
    );
  }
  const whitening = ofEigen(vectors, eigenvalues, size, (value) => (value + regularisation) ** -0.5);
  onProgress?.(0.9);
  const inverse = ofEigen(vectors, eigenvalues, size, (value) => (value + regularisation) ** 0.5);
  onProgress?.(1);
  return { size, count, regularisation, divisor, mean, whitening, inverse, eigenvalues: eigenvalues.reverse() };
}

/** `U f(Λ) Uᵀ` from the rows of Uᵀ. */
function ofEigen(vectors: Float64Array, values: Float64Array, size: number, f: (value: number) => number): Float64Array {
  const columns = new Float64Array(size * size);
  const scaled = new Float64Array(size * size);
  for (let k = 0; k < size; k++) {
    const factor = f(values[k] ?? 0);
    for (let i = 0; i < size; i++) {
      const value = vectors[k * size + i] ?? 0;
      columns[i * size + k] = value;
      scaled[i * size + k] = factor * value;
    }
  }
  const out = new Float64Array(size * size);
  addRowProducts({ data: scaled, count: size }, { data: columns, count: size }, out, { size, symmetric: true });
  mirrorLower(out, size);
  return out;
}

/**
 * Whiten points: `(x − m) W`, computed in float64.
 *
 * @param points - `[count, size]`, row-major.
 * @returns float64, fresh.
 * @throws ShapeError if the length is no multiple of the transform's size.
 */
export function whitenPoints(points: ArrayLike<number>, zca: Zca): Float64Array<ArrayBuffer> {
  const count = countOf(points, zca);
  const { size, mean } = zca;
  const centred = Float64Array.from(points);
  for (let i = 0; i < centred.length; i++) centred[i] = (centred[i] ?? 0) - (mean[i % size] ?? 0);
  const out = new Float64Array(count * size);
  addRowProducts({ data: centred, count }, { data: zca.whitening, count: size }, out, { size });
  return out;
}

/** The way back: `y W⁻¹ + m`. @throws ShapeError as `whitenPoints`. */
export function unwhitenPoints(points: ArrayLike<number>, zca: Zca): Float64Array<ArrayBuffer> {
  const count = countOf(points, zca);
  const { size, mean } = zca;
  const out = new Float64Array(count * size);
  addRowProducts({ data: Float64Array.from(points), count }, { data: zca.inverse, count: size }, out, { size });
  for (let i = 0; i < out.length; i++) out[i] = (out[i] ?? 0) + (mean[i % size] ?? 0);
  return out;
}

function countOf(points: ArrayLike<number>, { size }: Zca): number {
  if (points.length % size === 0) return points.length / size;
  throw new ShapeError(
    `there are ${points.length} values, expected a multiple of ${size}, those of one point`,
    'pass points of the size the transform was fitted on',
  );
}
