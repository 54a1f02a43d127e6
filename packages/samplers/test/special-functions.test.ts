import { describe, expect, it } from 'vitest';
import { betaCdf, betaQuantile } from '../src/diagnostics/beta-quantile.js';
import { normalQuantile } from '../src/diagnostics/normal-quantile.js';
import { stirlingRemainder } from '../src/diagnostics/stirling.js';

const relative = (found: number, expected: number) => Math.abs(found - expected) / Math.abs(expected);

describe('normal quantile', () => {
  // mpmath 1.3 at 40 digits: √2·erfinv(2p − 1), in the tails the root of log(erfc(−x/√2)/2) = log p.
  it.each([
    [1e-300, -37.0470962993612],
    [1e-20, -9.262340089798407],
    [1e-9, -5.9978070150076865],
    [0.001, -3.0902323061678136],
    [0.02, -2.053748910631823],
    [0.075, -1.439531470938456],
    [0.1586553, -0.9999998096111062],
    [0.3, -0.5244005127080408],
    [0.6, 0.2533471031357997],
    [0.925, 1.4395314709384561],
    [0.975, 1.9599639845400538],
    [0.999, 3.090232306167813],
    [1 - 2 ** -53, 8.209536151601387],
  ])('at %d has 15 digits', (p, expected) => {
    expect(relative(normalQuantile(p), expected)).toBeLessThan(5e-16);
  });

  it('is odd about one half and infinite at the ends', () => {
    expect(normalQuantile(0.5)).toBe(0);
    expect(normalQuantile(0.125)).toBe(-normalQuantile(0.875));
    expect([normalQuantile(0), normalQuantile(1)]).toEqual([Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]);
    expect([normalQuantile(-0.1), normalQuantile(1.1), normalQuantile(Number.NaN)]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  });
});

describe("what Stirling's formula leaves", () => {
  // mpmath 1.3 at 40 digits: loggamma(x + 1) − (x + ½) log x + x − log(2π)/2.
  it.each([
    [0.25, 0.27251040121343206],
    [0.5, 0.15342640972002736],
    [1, 0.08106146679532726],
    [3.7, 0.022468770580143144],
    [9.99, 0.00833889679773433],
    [10, 0.00833056343336287],
    [51, 0.0016339659899078578],
    [1e5, 8.333333333305556e-7],
  ])('at %d has 15 decimals', (x, expected) => {
    expect(Math.abs(stirlingRemainder(x) - expected)).toBeLessThan(1e-15);
  });
});

describe('beta quantile', () => {
  // mpmath 1.3 at 50 digits: the root of betainc(a, b, 0, x, regularized) = p.
  it.each([
    [0.1586553, 51, 951, 0.0439743803308283],
    [0.8413447, 951, 51, 0.9560256196691717],
    [0.5, 1, 1, 0.5],
    [0.1586553, 1.5, 20.25, 0.020136253397827212],
    [0.05, 0.5, 0.5, 0.006155829702431137],
    [0.95, 2, 3, 0.7513953742698184],
    [0.999, 30, 1.5, 0.9995984446857259],
    [1e-6, 3, 700.5, 2.602146526267703e-5],
  ])('at %d for a = %d, b = %d has 14 digits', (p, a, b, expected) => {
    expect(relative(betaQuantile(p, a, b), expected)).toBeLessThan(1e-14);
  });

  // scipy 1.17.1, stats.beta.ppf: mpmath's series do not converge here.
  it.each([
    [0.1586553, 100001, 100001, 0.49888197181424127],
    [0.8413447, 5001, 95001, 0.050698234436357355],
    [0.25, 1.2345e6, 3.21e4, 0.9745625054912828],
  ])('at %d for large a = %d, b = %d has 13 digits', (p, a, b, expected) => {
    expect(relative(betaQuantile(p, a, b), expected)).toBeLessThan(1e-13);
  });

  it('inverts the distribution function, which is exact for b = 1 and a = 1', () => {
    for (const x of [0.001, 0.2, 0.7, 0.99]) {
      expect(relative(betaCdf(x, 7.5, 1), x ** 7.5)).toBeLessThan(1e-14);
      expect(relative(betaCdf(x, 1, 7.5), -Math.expm1(7.5 * Math.log1p(-x)))).toBeLessThan(1e-14);
      expect(betaQuantile(betaCdf(x, 4, 9), 4, 9)).toBeCloseTo(x, x > 0.9 ? 2 : 12);
    }
  });

  it('is 0 and 1 at the ends and NaN outside', () => {
    expect([betaQuantile(0, 2, 3), betaQuantile(1, 2, 3)]).toEqual([0, 1]);
    expect([betaQuantile(-0.1, 2, 3), betaQuantile(0.5, 0, 3), betaQuantile(0.5, 2, Number.NaN)]).toEqual([
      Number.NaN,
      Number.NaN,
      Number.NaN,
    ]);
  });
});
