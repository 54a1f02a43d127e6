import { betaCdf, betaQuantile } from '@bpc/samplers';

/**
 * Two-sided p-value of a t statistic: `P(|T_ν| ≥ |t|) = I_x(ν/2, ½)`, `x = ν / (ν + t²)` (DLMF 8.17; Abramowitz & Stegun 26.7.1).
 *
 * @param df - ν > 0, not necessarily an integer. NaN outside.
 */
export function studentTwoSided(t: number, df: number): number {
  if (!(df > 0) || Number.isNaN(t)) return Number.NaN;
  return Number.isFinite(t) ? betaCdf(df / (df + t * t), df / 2, 0.5) : 0;
}

/**
 * The t with `P(|T_ν| ≤ t) = level`: half the width of a two-sided interval in standard errors.
 *
 * @param level - in (0, 1), such as 0.95.
 * @param df - ν > 0, not necessarily an integer. NaN outside.
 */
export function studentReach(level: number, df: number): number {
  if (!(df > 0 && level > 0 && level < 1)) return Number.NaN;
  const x = betaQuantile(1 - level, df / 2, 0.5);
  // From x = ν / (ν + t²).
  return Math.sqrt(df * ((1 - x) / x));
}
