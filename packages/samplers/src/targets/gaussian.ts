import { ConfigError, choleskyFactor, constant, hostNormal, ShapeError, solveLower, solveLowerTransposed } from '@bpc/core';
import type { Scalar } from '@tensorflow/tfjs-core';
import { matMul, mul, reshape, square, sub, sum } from '@tensorflow/tfjs-core';
import { real } from '../transforms/index.js';
import { checkNumbers } from './check.js';
import type { KnownTarget } from './known-target.js';

type Matrix = readonly (readonly number[])[];

/** Options of `gaussianTarget`: a mean of d numbers, and either matrix `[d, d]`; a vector stands for a diagonal matrix. */
export interface GaussianTargetOptions {
  readonly mean: readonly number[];
  readonly covariance?: Matrix | readonly number[];
  readonly precision?: Matrix | readonly number[];
}

/** A square matrix in C order; a vector becomes a diagonal. */
function squareMatrix(name: string, given: Matrix | readonly number[], size: number): Float64Array {
  const out = new Float64Array(size * size);
  if (given.length !== size) throw new ShapeError(`${name} has ${given.length} rows, expected ${size}`, 'pass one row per entry of mean');
  given.forEach((row, i) => {
    if (typeof row === 'number') out[i * size + i] = row;
    else {
      checkNumbers(`${name}[${i}]`, row, size);
      out.set(row, i * size);
    }
  });
  checkNumbers(name, out, size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < i; j++) {
      const [a, b] = [out[i * size + j] ?? 0, out[j * size + i] ?? 0];
      if (Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b))) continue;
      throw new ConfigError(`${name} has ${a} at [${i}, ${j}] but ${b} at [${j}, ${i}]`, 'pass a symmetric matrix');
    }
  }
  return out;
}

/** The Cholesky factor. */
function factorOf(name: string, matrix: Float64Array, size: number): Float64Array {
  const lower = matrix.slice();
  if (!choleskyFactor(lower, size)) throw new ConfigError(`${name} is not positive definite`, 'pass a positive definite matrix');
  return lower;
}

/** A⁻¹ from the Cholesky factor of A. */
function inverse(lower: Float64Array, size: number): Float64Array {
  const out = new Float64Array(size * size);
  for (let i = 0; i < size; i++) out[i * size + i] = 1;
  solveLower(lower, size, out, size);
  solveLowerTransposed(lower, size, out, size);
  return out;
}

/**
 * A normal distribution: `log p(x) = −½ (x − μ)ᵀ Σ⁻¹ (x − μ)`, x `[d]`.
 *
 * @throws ConfigError unless exactly one of `covariance` and `precision` is given, finite, symmetric and positive definite;
 * ShapeError if it does not fit the mean.
 * @example
 * ```ts
 * import { gaussianTarget } from '@bpc/samplers';
 * const { moments, logDensity } = gaussianTarget({ mean: [0, 1], covariance: [[1, 0.9], [0.9, 2]] });
 * ```
 */
export function gaussianTarget(options: GaussianTargetOptions): KnownTarget {
  const { mean, covariance, precision } = options;
  const size = mean.length;
  checkNumbers('mean', mean, Math.max(size, 1));
  const given = covariance ?? precision;
  if (given === undefined || (covariance !== undefined && precision !== undefined)) {
    throw new ConfigError('gaussianTarget needs either covariance or precision', 'pass exactly one of them');
  }
  const name = covariance === undefined ? 'precision' : 'covariance';
  const matrix = squareMatrix(name, given, size);
  const other = inverse(factorOf(name, matrix, size), size);
  const [sigma, lambda] = covariance === undefined ? [other, matrix] : [matrix, other];
  const lower = factorOf('covariance', sigma, size);
  const centre = Float64Array.from(mean);
  const diagonal = given.every((row) => typeof row === 'number');
  const precisions = diagonal ? Float64Array.from({ length: size }, (_, i) => lambda[i * size + i] ?? 0) : lambda;
  return {
    parameters: { x: real([size]) },
    logDensity: ({ x }) => {
      const away = sub(x, constant(centre));
      if (diagonal) return mul(sum(mul(square(away), constant(precisions))), -0.5) as Scalar;
      const pulled = matMul(constant({ data: precisions, shape: [size, size] }), reshape(away, [size, 1]));
      return mul(sum(mul(away, reshape(pulled, [size]))), -0.5) as Scalar;
    },
    moments: { mean: centre, variance: Float64Array.from({ length: size }, (_, i) => sigma[i * size + i] ?? 0) },
    draw: (key, count) => {
      const noise = hostNormal(key, count * size);
      return Float64Array.from(noise, (_, k) => {
        const [first, i] = [k - (k % size), k % size];
        let value = centre[i] ?? 0;
        for (let j = 0; j <= i; j++) value += (lower[i * size + j] ?? 0) * (noise[first + j] ?? 0);
        return value;
      });
    },
  };
}
