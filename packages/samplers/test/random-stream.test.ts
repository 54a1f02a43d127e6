import { foldIn, key } from '@bpc/core';
import { randomStream } from '@bpc/samplers';
import { describe, expect, it } from 'vitest';

const N = 200_000;
const draws = (draw: () => number, count = N) => Float64Array.from({ length: count }, draw);

/** √N·sup|F_N − F|, whose 99.9 % point is 1.95. */
function kolmogorov(sample: Float64Array, cdf: (x: number) => number): number {
  const sorted = sample.slice().sort();
  let largest = 0;
  sorted.forEach((x, i) => {
    const p = cdf(x);
    largest = Math.max(largest, p - i / sorted.length, (i + 1) / sorted.length - p);
  });
  return largest * Math.sqrt(sorted.length);
}

/** Φ by Simpson's rule, tabulated: independent of any approximation of the error function. */
function normalCdf(): (x: number) => number {
  const [low, high, cells] = [-9, 9, 36_000];
  const h = (high - low) / cells;
  const density = (x: number) => Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
  const table = new Float64Array(cells + 1);
  for (let i = 0; i < cells; i++) {
    const x = low + i * h;
    table[i + 1] = table[i]! + (h / 6) * (density(x) + 4 * density(x + h / 2) + density(x + h));
  }
  return (x) => {
    const at = Math.min(Math.max((x - low) / h, 0), cells - 1e-9);
    const i = Math.floor(at);
    return table[i]! + (at - i) * (table[i + 1]! - table[i]!);
  };
}

describe('randomStream', () => {
  it('depends on its key alone, also when seeded anew in the middle', () => {
    const [a, b] = [randomStream(key(1)), randomStream(key(2))];
    const first = [a.uniform(), a.normal(), a.uniform()];
    b.normals(new Float64Array(7), 0, 7);
    b.seed(key(1));
    expect([b.uniform(), b.normal(), b.uniform()]).toEqual(first);
    a.seed(key(2));
    expect(a.uniform()).not.toBe(first[0]);
  });

  it('writes the normals it would return', () => {
    const [a, b] = [randomStream(key(3)), randomStream(key(3))];
    const out = new Float64Array(6);
    a.normals(out, 1, 4);
    expect([...out]).toEqual([0, b.normal(), b.normal(), b.normal(), b.normal(), 0]);
  });

  it('draws uniform numbers with all of their 53 bits', () => {
    const { uniform } = randomStream(key(4));
    const sample = draws(uniform);
    expect(sample.every((x) => x >= 0 && x < 1)).toBe(true);
    expect(kolmogorov(sample, (x) => x)).toBeLessThan(1.95);
    const odd = sample.filter((x) => (x * 2 ** 53) % 2 === 1).length;
    expect(Math.abs(odd - N / 2) / Math.sqrt(N / 4)).toBeLessThan(4);
  });

  it('draws standard normal numbers', () => {
    const { normal } = randomStream(key(5));
    const sample = draws(normal);
    expect(kolmogorov(sample, normalCdf())).toBeLessThan(1.95);
    const moment = (power: number) => sample.reduce((sum, x) => sum + x ** power, 0) / N;
    // Standard deviations of the sample moments: √(E x^2p − (E x^p)²) / √N.
    const z = [
      moment(1) * Math.sqrt(N),
      ((moment(2) - 1) * Math.sqrt(N)) / Math.sqrt(2),
      (moment(3) * Math.sqrt(N)) / Math.sqrt(15),
      ((moment(4) - 3) * Math.sqrt(N)) / Math.sqrt(96),
    ];
    z.forEach((value) => expect(Math.abs(value)).toBeLessThan(4));
  });

  it('is rejected as normal if its scale is off by three per cent', () => {
    const { normal } = randomStream(key(5));
    const sample = draws(normal);
    expect(
      kolmogorov(
        sample.map((x) => 1.03 * x),
        normalCdf(),
      ),
    ).toBeGreaterThan(1.95);
  });

  it('reaches the tail beyond the ziggurat, on both sides, as often as it should and as far', () => {
    const { normal } = randomStream(key(6));
    const sample = draws(normal, 2_000_000);
    const cdf = normalCdf();
    for (const [edge, sign] of [
      [3.442619855899, 1],
      [3.442619855899, -1],
      [4, 1],
      [4, -1],
    ] as const) {
      const found = sample.filter((x) => sign * x > edge).length;
      const expected = sample.length * cdf(-edge);
      expect(Math.abs(found - expected) / Math.sqrt(expected)).toBeLessThan(4);
    }
    // Within the tail, the law is the normal one given |x| > r.
    const tail = sample.filter((x) => Math.abs(x) > 3.442619855899).map(Math.abs);
    const beyond = cdf(-3.442619855899);
    expect(kolmogorov(tail, (x) => 1 - cdf(-x) / beyond)).toBeLessThan(1.95);
  });

  it('has first numbers without correlation for keys folded from neighbouring integers', () => {
    const first = Float64Array.from({ length: 20_000 }, (_, i) => randomStream(foldIn(key(8), i)).normal());
    expect(kolmogorov(first, normalCdf())).toBeLessThan(1.95);
    const products = first.subarray(1).reduce((sum, x, i) => sum + x * first[i]!, 0);
    expect(Math.abs(products) / Math.sqrt(first.length)).toBeLessThan(4);
  });
});
