import { checkInteger, choleskyFactor, hostNormal, type Key, ShapeError, solveLower, solveLowerTransposed } from '@bpc/core';
import type { RowMatrix } from '../row-matrix.js';
import { dotAt } from '../vectors.js';

/** The normal distribution at a posterior's mode: N(mode, H⁻¹), H the negative Hessian of the log posterior there. */
export interface LaplaceFit {
  readonly mode: Float64Array;
  /** L with H = L Lᵀ, `[size, size]` row-major, lower triangular. */
  readonly precisionFactor: Float64Array;
  /** H⁻¹, `[size, size]`, computed anew at each call. */
  covariance(): Float64Array;
  /** `count` draws, `[count, size]`. Equal keys give equal draws. */
  draw(key: Key, count: number): RowMatrix & { readonly data: Float64Array };
}

/** A fit from its mode and the factor of its precision. */
export function laplaceFit(mode: Float64Array, precisionFactor: Float64Array): LaplaceFit {
  const size = mode.length;
  return {
    mode,
    precisionFactor,
    covariance() {
      const inverse = new Float64Array(size * size);
      for (let i = 0; i < size; i++) inverse[i * size + i] = 1;
      solveLower(precisionFactor, size, inverse, size);
      solveLowerTransposed(precisionFactor, size, inverse, size);
      return inverse;
    },
    draw(key, count) {
      checkInteger('count', count, 1);
      const noise = hostNormal(key, count * size);
      // L⁻ᵀ z has the covariance H⁻¹; one draw per column, so that all are solved for in one pass over L.
      const columns = new Float64Array(count * size);
      for (let s = 0; s < count; s++) for (let j = 0; j < size; j++) columns[j * count + s] = noise[s * size + j] as number;
      solveLowerTransposed(precisionFactor, size, columns, count);
      const data = new Float64Array(count * size);
      for (let s = 0; s < count; s++)
        for (let j = 0; j < size; j++) data[s * size + j] = (mode[j] as number) + (columns[j * count + s] as number);
      return { data, shape: [count, size] };
    },
  };
}

/**
 * KL(p ‖ q) of two normal distributions in nats: how far the posterior p is from q.
 *
 * `½ [tr(Σ_q⁻¹ Σ_p) + (μ_q − μ_p)ᵀ Σ_q⁻¹ (μ_q − μ_p) − d + ln det Σ_q − ln det Σ_p]`
 *
 * @throws ShapeError if they have different sizes.
 * @example
 * ```ts
 * import { generalisedLinearModel, laplaceKl } from '@bpc/baselines';
 * const x = { data: Float64Array.of(1, 1, 1, 1), shape: [4, 1] } as const;
 * const model = generalisedLinearModel({ family: 'gaussian', x, y: [0, 1, 2, 1], priorPrecision: 1 });
 * const two = model.laplace({ indices: Int32Array.of(0, 2), weights: Float64Array.of(2, 2) });
 * console.log(laplaceKl(two, model.laplace())); // 0: these two stand for all four exactly
 * ```
 */
export function laplaceKl(p: LaplaceFit, q: LaplaceFit): number {
  const size = p.mode.length;
  if (q.mode.length !== size) throw new ShapeError(`p has ${size} dimensions and q ${q.mode.length}`, 'compare posteriors of one model');
  const [lower, other] = [p.precisionFactor, q.precisionFactor];
  // tr(H_q H_p⁻¹) = ‖L_p⁻¹ L_q‖².
  const ratio = Float64Array.from(other);
  solveLower(lower, size, ratio, size);
  const trace = dotAt(ratio, 0, ratio);
  let [shift, logs] = [0, 0];
  for (let j = 0; j < size; j++) {
    let component = 0;
    for (let i = j; i < size; i++) component += (other[i * size + j] as number) * ((q.mode[i] as number) - (p.mode[i] as number));
    shift += component * component;
    logs += Math.log(lower[j * size + j] as number) - Math.log(other[j * size + j] as number);
  }
  return (trace + shift - size) / 2 + logs;
}

/** Factors H in place. False if it is not positive definite. */
export const factorPrecision = (precision: Float64Array, size: number): boolean => choleskyFactor(precision, size);
