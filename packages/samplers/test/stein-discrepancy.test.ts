import { kernelisedSteinDiscrepancy } from '@bpc/samplers';
import { describe, expect, it } from 'vitest';
import { testNormals } from './draws-helpers.js';

const normals = (seed: number, count: number) => Float64Array.from({ length: count }, testNormals(seed));
/** Of the standard normal law. */
const gradient = (positions: Float64Array) => positions.map((x) => -x);

/** The Stein kernel from derivatives of k by central differences. */
function steinByDifferences(x: number[], y: number[], gx: number[], gy: number[], c: number, beta: number, scale: number): number {
  const k = (a: number[], b: number[]) => (c * c + a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0) / scale ** 2) ** beta;
  const h = 1e-4;
  const shift = (a: number[], i: number, by: number) => a.map((value, j) => (j === i ? value + by : value));
  let sum = 0;
  x.forEach((_, i) => {
    sum += k(x, y) * gx[i]! * gy[i]!;
    sum += (gx[i]! * (k(x, shift(y, i, h)) - k(x, shift(y, i, -h)))) / (2 * h);
    sum += (gy[i]! * (k(shift(x, i, h), y) - k(shift(x, i, -h), y))) / (2 * h);
    const mixed = [1, -1].flatMap((a) => [1, -1].map((b) => a * b * k(shift(x, i, a * h), shift(y, i, b * h))));
    sum += mixed.reduce((total, value) => total + value, 0) / (4 * h * h);
  });
  return sum;
}

describe('kernelised Stein discrepancy', () => {
  it.each([
    { offset: 1, exponent: -0.5, lengthScale: 1 },
    { offset: 0.7, exponent: -0.3, lengthScale: 2.5 },
  ])('is the double sum with derivatives of the kernel by differences, for $offset, $exponent, $lengthScale', (kernel) => {
    const [draws, size] = [7, 3];
    const positions = normals(1, draws * size);
    const gradients = positions.map((x, i) => -x / (1 + (i % size)) + 0.3);
    const row = (values: Float64Array, i: number) => [...values.subarray(i * size, (i + 1) * size)];
    let [all, others] = [0, 0];
    for (let i = 0; i < draws; i++) {
      for (let j = 0; j < draws; j++) {
        const [x, y, gx, gy] = [row(positions, i), row(positions, j), row(gradients, i), row(gradients, j)];
        const value = steinByDifferences(x, y, gx, gy, kernel.offset, kernel.exponent, kernel.lengthScale);
        all += value;
        if (i !== j) others += value;
      }
    }
    const found = kernelisedSteinDiscrepancy(positions, gradients, { size, kernel });
    expect(Math.abs(found.vStatistic - all / 49)).toBeLessThan(1e-6);
    expect(Math.abs(found.uStatistic - others / 42)).toBeLessThan(1e-6);
    expect(found.discrepancy).toBe(Math.sqrt(found.vStatistic));
  });

  it('of one repeated point is its Stein kernel with itself: g² + d/ℓ² at c = 1, β = −½', () => {
    const { vStatistic } = kernelisedSteinDiscrepancy(Float64Array.of(2, 2), Float64Array.of(-2, -2), { size: 1 });
    expect(vStatistic).toBeCloseTo(4 + 1, 14);
  });

  it('U has mean 0 for independent draws of the target, within its own error', () => {
    const values = Array.from({ length: 60 }, (_, i) => {
      const positions = normals(100 + i, 400);
      return kernelisedSteinDiscrepancy(positions, gradient(positions), { size: 2 }).uStatistic;
    });
    const mean = values.reduce((a, b) => a + b, 0) / 60;
    const sd = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 59);
    expect(Math.abs(mean) / (sd / Math.sqrt(60))).toBeLessThan(4);
  });

  it('sees a shift and a wrong variance, and falls with the number of draws of the right law', () => {
    const [few, many] = [normals(2, 200), normals(3, 3200)];
    const of = (positions: Float64Array) => kernelisedSteinDiscrepancy(positions, gradient(positions), { size: 2 }).discrepancy;
    expect(of(many) / of(few)).toBeLessThan(0.5);
    expect(of(many.map((x) => x + 0.3)) / of(many)).toBeGreaterThan(3);
    expect(of(many.map((x) => 1.3 * x)) / of(many)).toBeGreaterThan(2);
  });

  it('takes the median distance as length scale', () => {
    const positions = Float64Array.of(0, 1, 3);
    expect(kernelisedSteinDiscrepancy(positions, gradient(positions), { size: 1, kernel: { lengthScale: 'median' } }).lengthScale).toBe(2);
  });

  it('is NaN where the numbers are, and refuses what does not fit', () => {
    const two = Float64Array.of(0, 1);
    expect(kernelisedSteinDiscrepancy(two, Float64Array.of(0, Number.NaN), { size: 1 }).vStatistic).toBeNaN();
    expect(() => kernelisedSteinDiscrepancy(two, two, { size: 2 })).toThrow(/at least two positions/);
    expect(() => kernelisedSteinDiscrepancy(two, new Float64Array(3), { size: 1 })).toThrow(expect.objectContaining({ code: 'SHAPE' }));
    for (const kernel of [{ exponent: 0 }, { exponent: -1 }, { offset: 0 }, { lengthScale: -1 }]) {
      expect(() => kernelisedSteinDiscrepancy(two, two, { size: 1, kernel })).toThrow(expect.objectContaining({ code: 'CONFIG' }));
    }
  });
});
