import { studentReach, studentTwoSided } from './student-t.js';

/** A mean difference with what is known about its error. */
export interface Interval {
  readonly mean: number;
  /** Two-sided interval at the level asked for. */
  readonly low: number;
  readonly high: number;
  readonly standardError: number;
  /** Degrees of freedom of the t distribution behind it. */
  readonly df: number;
  /** Two-sided p-value of "the true mean is 0". */
  readonly p: number;
  /** Differences that it is made of. */
  readonly n: number;
}

/** The level of every interval of a table. */
export const confidenceLevel = 0.95;

const meanOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
const squaresOf = (values: readonly number[], mean: number): number => values.reduce((sum, value) => sum + (value - mean) ** 2, 0);

function intervalOf(mean: number, standardError: number, df: number, n: number): Interval {
  // Differences that are all equal leave nothing to estimate an error from; only "all of them 0" is an equality.
  if (standardError === 0) return { mean, low: mean, high: mean, standardError, df, p: mean === 0 ? 1 : 0, n };
  const reach = studentReach(confidenceLevel, df) * standardError;
  return { mean, low: mean - reach, high: mean + reach, standardError, df, p: studentTwoSided(mean / standardError, df), n };
}

/**
 * Student's interval for the mean of paired differences: `d̄ ± t_{n−1} s / √n`, `s² = Σ (d − d̄)² / (n − 1)`.
 *
 * @returns undefined for fewer than two differences, which say nothing about their spread.
 * @example
 * ```ts
 * import { meanInterval } from '@bpc/bench';
 * const gain = meanInterval([2.1, 3.4, 1.8]); // points of accuracy, seed by seed
 * console.log(gain?.mean, gain?.low, gain?.high, gain?.p);
 * ```
 */
export function meanInterval(differences: readonly number[]): Interval | undefined {
  const n = differences.length;
  if (n < 2) return undefined;
  const mean = meanOf(differences);
  return intervalOf(mean, Math.sqrt(squaresOf(differences, mean) / (n - 1) / n), n - 1, n);
}

/**
 * The interval for the unweighted mean over cells of their mean differences.
 *
 * Model: `d_cs = δ_c + ε_cs`, `ε_cs ~ N(0, σ_c²)` independent over cells `c` and seeds `s`; the cell effects `δ_c` are fixed, so the
 * statement is about these cells, not about data sets at large. The estimate of `δ = (1/C) Σ δ_c` is `(1/C) Σ d̄_c`, its variance
 * `V = (1/C²) Σ s_c² / n_c` with a variance of its own per cell, and its degrees of freedom those of Welch and Satterthwaite,
 * `(Σ v_c)² / Σ v_c² / (n_c − 1)` with `v_c = s_c² / n_c` (Satterthwaite, Biometrics Bulletin 2(6), 1946).
 *
 * Cells of different size count the same: more seeds make a cell's mean more precise, not more important.
 *
 * @param cells - the differences of every cell.
 * @returns undefined if a cell has fewer than two differences, or there is no cell.
 * @example
 * ```ts
 * import { pooledInterval } from '@bpc/bench';
 * console.log(pooledInterval([[2.1, 3.4, 1.8], [0.4, -0.2]])?.mean);
 * ```
 */
export function pooledInterval(cells: readonly (readonly number[])[]): Interval | undefined {
  if (cells.length === 0 || cells.some((differences) => differences.length < 2)) return undefined;
  const parts = cells.map((differences) => {
    const n = differences.length;
    const mean = meanOf(differences);
    return { n, mean, variance: squaresOf(differences, mean) / (n - 1) / n };
  });
  const total = parts.reduce((sum, { variance }) => sum + variance, 0);
  const mean = meanOf(parts.map((part) => part.mean));
  const all = parts.reduce((sum, { n }) => sum + n, 0);
  const spread = parts.reduce((sum, { variance, n }) => sum + variance ** 2 / (n - 1), 0);
  const df = total === 0 ? all - parts.length : total ** 2 / spread;
  return intervalOf(mean, Math.sqrt(total) / parts.length, df, all);
}
