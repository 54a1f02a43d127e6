import { ShapeError } from '@bpc/core';
import { checkSize } from '../nuts/check.js';

/** A running estimate of mean and (co)variance. */
export interface Welford {
  readonly count: number;
  /** Running mean, `[size]`. A view: changes with every update. */
  readonly mean: Float64Array;
  /** Takes one more vector into account. @throws ShapeError on another length. */
  update(position: Float64Array): void;
  /** Divisor count − 1: `[size]` variances, or the `[size, size]` covariance, C order. Fresh. NaN below 2 vectors. */
  estimate(): Float64Array;
  /** Stan's shrinkage of the estimate S towards a small multiple of the identity: n/(n + 5)·S + 10⁻³·5/(n + 5)·I. Fresh. */
  regularised(): Float64Array;
  /** Forgets everything. */
  reset(): void;
  /** All its numbers, to continue bitwise. */
  save(): Float64Array;
  load(saved: Float64Array): void;
}

/**
 * Welford's numerically stable running variance: `d = x − mean`, `mean += d/n`, `M₂ += d·(x − mean)ᵀ`.
 *
 * Source: Welford 1962; the shrinkage is Stan's. `dense` keeps the whole covariance, else only its diagonal.
 *
 * @throws ConfigError unless the size is a positive integer.
 * @example
 * ```ts
 * import { welford } from '@bpc/samplers';
 * const running = welford(2);
 * for (const x of [[1, 2], [3, 4], [5, 0]]) running.update(Float64Array.from(x));
 * console.log(running.mean, running.estimate()); // 3, 2; 4, 4
 * ```
 */
export function welford(size: number, { dense = false }: { readonly dense?: boolean } = {}): Welford {
  checkSize(size);
  const squares = dense ? size * size : size;
  const values = new Float64Array(1 + size + squares);
  const mean = values.subarray(1, 1 + size);
  const moments = values.subarray(1 + size);
  const before = new Float64Array(size);
  const count = (): number => values[0] as number;
  const diagonal = (i: number): number => (dense ? i * size + i : i);

  const estimate = (): Float64Array => moments.map((value) => (count() > 1 ? value / (count() - 1) : Number.NaN));

  return {
    get count() {
      return count();
    },
    mean,
    update(position) {
      if (position.length !== size) {
        throw new ShapeError(`position has ${position.length} numbers, expected ${size}`, 'pass vectors of one size');
      }
      const n = count() + 1;
      values[0] = n;
      for (let i = 0; i < size; i++) {
        const difference = (position[i] as number) - (mean[i] as number);
        before[i] = difference;
        mean[i] = (mean[i] as number) + difference / n;
      }
      for (let i = 0; i < size; i++) {
        const after = (position[i] as number) - (mean[i] as number);
        if (!dense) {
          moments[i] = (moments[i] as number) + (before[i] as number) * after;
          continue;
        }
        // Half of the matrix, mirrored: the product is symmetric only up to rounding.
        for (let j = 0; j <= i; j++) {
          const moment = (moments[i * size + j] as number) + after * (before[j] as number);
          moments[i * size + j] = moment;
          moments[j * size + i] = moment;
        }
      }
    },
    estimate,
    regularised() {
      const n = count();
      const shrunk = estimate().map((value) => (n / (n + 5)) * value);
      for (let i = 0; i < size; i++) shrunk[diagonal(i)] = (shrunk[diagonal(i)] as number) + 1e-3 * (5 / (n + 5));
      return shrunk;
    },
    reset: () => void values.fill(0),
    save: () => values.slice(),
    load: (saved) => values.set(saved),
  };
}
