import { choleskyFactor, ShapeError, solveLower } from '@bpc/core';

/** Mean and covariance of a distribution: all that a normal distribution has. */
export interface Moments {
  /** `[size]` */
  readonly mean: Float64Array;
  /** `[size, size]`, row-major. */
  readonly covariance: Float64Array;
}

const rowsOf = (draws: Float64Array, size: number): number => {
  const count = draws.length / size;
  if (Number.isInteger(count) && count >= 2) return count;
  throw new ShapeError(`draws has ${draws.length} numbers, expected two or more rows of ${size}`, 'pass draws of all parameters');
};

/** Standard deviations of the single coordinates. */
export const deviations = ({ mean, covariance }: Moments): Float64Array =>
  mean.map((_, j) => Math.sqrt(covariance[j * mean.length + j] ?? Number.NaN));

/** Means of the columns of draws `[n, size]`, row-major. @throws ShapeError unless there are at least two draws of that size. */
export function columnMeans(draws: Float64Array, size: number): Float64Array {
  const count = rowsOf(draws, size);
  const mean = new Float64Array(size);
  for (let n = 0; n < count; n++) for (let j = 0; j < size; j++) mean[j] = (mean[j] as number) + (draws[n * size + j] as number) / count;
  return mean;
}

/** Standard deviations (divisor n − 1) of the columns: all that is wanted of a network, whose covariance has millions of entries. */
export function columnDeviations(draws: Float64Array, mean: Float64Array): Float64Array {
  const size = mean.length;
  const count = rowsOf(draws, size);
  const variance = new Float64Array(size);
  for (let n = 0; n < count; n++)
    for (let j = 0; j < size; j++)
      variance[j] = (variance[j] as number) + ((draws[n * size + j] as number) - (mean[j] as number)) ** 2 / (count - 1);
  return variance.map(Math.sqrt);
}

/**
 * Mean and covariance (divisor n − 1) of draws `[n, size]`, row-major: the normal distribution that fits them.
 *
 * @throws ShapeError unless there are at least two draws of that size.
 * @example
 * ```ts
 * import { fitMoments, gaussianKl } from '@bpc/bench';
 * import type { Draws } from '@bpc/samplers';
 * // How far the posterior of a coreset is from that of all data, both ways, by the draws of each.
 * const both = (coreset: Draws, full: Draws, size: number) => {
 *   const [own, truth] = [fitMoments(coreset.unconstrained, size), fitMoments(full.unconstrained, size)];
 *   return [gaussianKl(own, truth), gaussianKl(truth, own)];
 * };
 * ```
 */
export function fitMoments(draws: Float64Array, size: number): Moments {
  const count = rowsOf(draws, size);
  const mean = columnMeans(draws, size);
  const covariance = new Float64Array(size * size);
  const centred = new Float64Array(size);
  for (let n = 0; n < count; n++) {
    for (let j = 0; j < size; j++) centred[j] = (draws[n * size + j] as number) - (mean[j] as number);
    for (let j = 0; j < size; j++) {
      const factor = (centred[j] as number) / (count - 1);
      for (let k = 0; k <= j; k++) covariance[j * size + k] = (covariance[j * size + k] as number) + factor * (centred[k] as number);
    }
  }
  for (let j = 0; j < size; j++) for (let k = 0; k < j; k++) covariance[k * size + j] = covariance[j * size + k] as number;
  return { mean, covariance };
}

/** The Cholesky factor of a covariance; NaN if it is not positive definite. */
function factorOf({ mean, covariance }: Moments): Float64Array {
  const factor = Float64Array.from(covariance);
  choleskyFactor(factor, mean.length);
  return factor;
}

/**
 * KL(p ‖ q) of two normal distributions in nats:
 *
 *   ½ [tr(Σ_q⁻¹ Σ_p) + (μ_q − μ_p)ᵀ Σ_q⁻¹ (μ_q − μ_p) − d + ln |Σ_q| − ln |Σ_p|]
 *
 * NaN unless both covariances are positive definite, as those of draws that stand still are not.
 *
 * @throws ShapeError for distributions of different dimensions.
 * @example
 * ```ts
 * import { gaussianKl } from '@bpc/bench';
 * const p = { mean: Float64Array.of(0), covariance: Float64Array.of(1) };
 * const q = { mean: Float64Array.of(0), covariance: Float64Array.of(4) };
 * console.log(gaussianKl(p, q)); // ln 2 − 3/8
 * ```
 */
export function gaussianKl(p: Moments, q: Moments): number {
  const size = p.mean.length;
  if (q.mean.length !== size) throw new ShapeError(`p has ${size} dimensions and q ${q.mean.length}`, 'compare posteriors of one model');
  const [lowerP, lowerQ] = [factorOf(p), factorOf(q)];
  let logs = 0;
  for (let j = 0; j < size; j++) logs += Math.log(lowerQ[j * size + j] as number) - Math.log(lowerP[j * size + j] as number);
  // tr(Σ_q⁻¹ Σ_p) = ‖L_q⁻¹ L_p‖².
  solveLower(lowerQ, size, lowerP, size);
  const shift = q.mean.map((value, j) => value - (p.mean[j] as number));
  solveLower(lowerQ, size, shift);
  const squares = (values: Float64Array) => values.reduce((sum, value) => sum + value * value, 0);
  return (squares(lowerP) + squares(shift) - size) / 2 + logs;
}
