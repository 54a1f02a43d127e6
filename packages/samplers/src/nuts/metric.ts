import { ConfigError, choleskyFactor, ShapeError } from '@bpc/core';
import { checkSize } from './check.js';

/**
 * An estimate M⁻¹ of the target's covariance, by which momenta are scaled: momentum p ~ N(0, M), kinetic energy ½ pᵀM⁻¹p.
 *
 * Kernels keep the whitened momentum r = Lᵀp ~ N(0, I) with L Lᵀ = M⁻¹, so that the kinetic energy is ½‖r‖², a leapfrog step is
 * `r += h/2·Lᵀ∇`, `q += h·L r`, `r += h/2·Lᵀ∇`, and the no-U-turn criterion is a plain dot product.
 */
export interface Metric {
  readonly kind: 'unit' | 'diagonal' | 'dense';
  /** Number of unconstrained parameters. */
  readonly size: number;
  /** M⁻¹: `[size]` variances, or `[size, size]` in C order if dense. */
  readonly inverseMass: Float64Array;
  /** L: `[size]` standard deviations, or the lower triangle in `[size, size]`, C order, zeros above. */
  readonly factor: Float64Array;
}

/** No scaling: M = I. @throws ConfigError if the size is not a positive integer. */
export function unitMetric(size: number): Metric {
  const ones = new Float64Array(checkSize(size)).fill(1);
  return { kind: 'unit', size, inverseMass: ones, factor: ones };
}

/**
 * Each parameter scaled by its own variance: M⁻¹ = diag(variances). Copies.
 *
 * @throws ConfigError unless every variance is positive and finite, with a positive finite square root.
 * @example
 * ```ts
 * import { diagonalMetric } from '@bpc/samplers';
 * console.log(diagonalMetric([4, 0.25]).factor); // standard deviations 2 and 0.5
 * ```
 */
export function diagonalMetric(variances: ArrayLike<number>): Metric {
  const inverseMass = Float64Array.from(variances);
  checkSize(inverseMass.length);
  inverseMass.forEach((variance, i) => {
    if (variance > 0 && variance < Number.POSITIVE_INFINITY) return;
    throw new ConfigError(
      `the mass matrix is not positive definite: variance ${i} is ${variance}, expected a positive finite number`,
      'pass estimates of the posterior variances',
    );
  });
  return { kind: 'diagonal', size: inverseMass.length, inverseMass, factor: inverseMass.map(Math.sqrt) };
}

/**
 * All parameters scaled together: M⁻¹ = covariance, `[size, size]` in C order. Copies.
 *
 * @throws ShapeError if there are not size² numbers; ConfigError unless the matrix is symmetric and positive definite.
 * @example
 * ```ts
 * import { denseMetric } from '@bpc/samplers';
 * console.log(denseMetric([4, 2, 2, 2], 2).factor); // 2, 0; 1, 1
 * ```
 */
export function denseMetric(covariance: ArrayLike<number>, size: number): Metric {
  checkSize(size);
  if (covariance.length !== size * size) {
    throw new ShapeError(
      `the mass matrix has ${covariance.length} numbers, expected ${size} × ${size} = ${size * size}`,
      'pass the covariance of all unconstrained parameters, row by row',
    );
  }
  const inverseMass = Float64Array.from(covariance);
  checkSymmetric(inverseMass, size);
  const factor = inverseMass.slice();
  if (!inverseMass.every(Number.isFinite) || !choleskyFactor(factor, size)) {
    throw new ConfigError(
      'the mass matrix is not positive definite',
      'pass a covariance matrix estimated from more draws than parameters, or add a multiple of the identity',
    );
  }
  return { kind: 'dense', size, inverseMass, factor };
}

/** Rounding in a sum of products may differ between the two halves of an estimate; a mistake is larger. */
const ASYMMETRY = 1e-8;

function checkSymmetric(matrix: Float64Array, size: number): void {
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < i; j++) {
      const below = matrix[i * size + j] as number;
      const above = matrix[j * size + i] as number;
      const scale = Math.sqrt(Math.abs((matrix[i * size + i] as number) * (matrix[j * size + j] as number)));
      if (Math.abs(below - above) <= ASYMMETRY * scale || Number.isNaN(scale)) continue;
      throw new ConfigError(
        `the mass matrix is not symmetric: entries (${i}, ${j}) and (${j}, ${i}) are ${below} and ${above}`,
        'pass a covariance matrix',
      );
    }
  }
}

/** @throws ShapeError unless the metric is for `size` parameters. */
export function checkMetric(metric: Metric, size: number): Metric {
  const { kind, factor } = metric;
  const numbers = kind === 'dense' ? size * size : size;
  if (metric.size === size && factor.length === numbers) return metric;
  throw new ShapeError(
    `the ${kind} mass matrix is for ${metric.size} parameters with ${factor.length} numbers, expected ${size} with ${numbers}`,
    'make the metric for as many unconstrained parameters as the density has',
  );
}
