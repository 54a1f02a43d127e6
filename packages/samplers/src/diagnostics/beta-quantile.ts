import { normalQuantile } from './normal-quantile.js';
import { stirlingRemainder } from './stirling.js';

/** n·(r log r + 1 − r) with r = x/n, without cancellation where x is near n (Loader's deviance). */
function deviance(x: number, n: number): number {
  if (Math.abs(x - n) >= 0.1 * (x + n)) return x * Math.log(x / n) + n - x;
  const v = (x - n) / (x + n);
  let sum = (x - n) * v;
  let term = 2 * x * v;
  for (let j = 1; j < 1000; j++) {
    term *= v * v;
    const next = sum + term / (2 * j + 1);
    if (next === sum) break;
    sum = next;
  }
  return sum;
}

/** x^a (1 − x)^b / B(a, b), with y = 1 − x, to nearly full relative accuracy for large a and b too. */
function scaledDensity(a: number, b: number, x: number, y: number): number {
  const n = a + b;
  const exponent = stirlingRemainder(n) - stirlingRemainder(a) - stirlingRemainder(b) - deviance(a, n * x) - deviance(b, n * y);
  return Math.sqrt((a * b) / (2 * Math.PI * n)) * Math.exp(exponent);
}

/** Continued fraction of I_x(a, b) below the mean (DLMF 8.17.22), by Lentz's method. */
function fraction(a: number, b: number, x: number): number {
  const tiny = 1e-300;
  let c = 1;
  let d = 1 / (1 - ((a + b) * x) / (a + 1) || tiny);
  let value = d;
  for (let m = 1; m < 100_000; m++) {
    for (const coefficient of [
      (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m)),
      (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1)),
    ]) {
      d = 1 / (1 + coefficient * d || tiny);
      c = 1 + coefficient / c || tiny;
      value *= c * d;
    }
    if (Math.abs(c * d - 1) < 1e-16) break;
  }
  return value;
}

/** I_x(a, b) and 1 − I_x(a, b), each to full relative accuracy where it is the smaller one. */
function tails(a: number, b: number, x: number, y: number): readonly [lower: number, upper: number] {
  if (x <= 0) return [0, 1];
  if (y <= 0) return [1, 0];
  const scale = scaledDensity(a, b, x, y);
  if (x <= (a + 1) / (a + b + 2)) {
    const lower = (scale * fraction(a, b, x)) / a;
    return [lower, 1 - lower];
  }
  const upper = (scale * fraction(b, a, y)) / b;
  return [1 - upper, upper];
}

/**
 * Distribution function of Beta(a, b), the regularised incomplete beta function I_x(a, b), for a, b > 0 (DLMF 8.17).
 *
 * @example
 * ```ts
 * import { betaCdf } from '@bpc/samplers';
 * // Two-sided p-value of Student's t = 2.5 with 4 degrees of freedom.
 * console.log(betaCdf(4 / (4 + 2.5 ** 2), 4 / 2, 1 / 2)); // 0.0668
 * ```
 */
export const betaCdf = (x: number, a: number, b: number): number => tails(a, b, x, 1 - x)[0];

/**
 * Quantile of Beta(a, b), a, b > 0, to nearly full double precision: Newton's method on I_x(a, b) = p, kept inside a bracket.
 * NaN outside these domains.
 *
 * @example
 * ```ts
 * import { betaQuantile } from '@bpc/samplers';
 * console.log(betaQuantile(0.5, 2, 2)); // 0.5
 * ```
 */
export function betaQuantile(p: number, a: number, b: number): number {
  if (!(p >= 0 && p <= 1 && a > 0 && b > 0)) return Number.NaN;
  if (p === 0 || p === 1) return p;
  let [low, high] = [0, 1];
  const mean = a / (a + b);
  const start = mean + normalQuantile(p) * Math.sqrt((mean * (1 - mean)) / (a + b + 1));
  let x = start > 0 && start < 1 ? start : mean;
  for (let i = 0; i < 200; i++) {
    const y = 1 - x;
    const [lower, upper] = tails(a, b, x, y);
    const excess = lower < upper ? lower - p : 1 - p - upper;
    if (excess === 0) return x;
    if (excess > 0) high = x;
    else low = x;
    const newton = x - (excess * x * y) / scaledDensity(a, b, x, y);
    const next = newton > low && newton < high ? newton : (low + high) / 2;
    if (Math.abs(next - x) <= 2 ** -53 * x) return next;
    x = next;
  }
  return x;
}
