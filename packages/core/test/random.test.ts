import { foldIn, hostNormal, hostPermutation, hostUniform, key, keyFromString, keyToString, split } from '@bpc/core';
import { describe, expect, it } from 'vitest';
import { threefry2x32 } from '../src/threefry.js';

describe('threefry2x32', () => {
  it('matches the known-answer vectors of Random123', () => {
    expect(threefry2x32(0, 0, 0, 0)).toEqual([0x6b200159, 0x99ba4efe]);
    expect(threefry2x32(-1, -1, -1, -1)).toEqual([0x1cb996fc, 0xbb002be7]);
    expect(threefry2x32(0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3)).toEqual([0xc4923a9c, 0x483df7a0]);
  });
});

describe('keys', () => {
  it('survive a round trip through text', () => {
    const k = foldIn(key(7), 3);
    expect(keyToString(keyFromString(keyToString(k)))).toBe(keyToString(k));
  });

  it('give different streams after split and foldIn', () => {
    const texts = [key(1), key(2), ...split(key(1), 3), foldIn(key(1), 2 ** 40)].map(keyToString);
    expect(new Set(texts).size).toBe(texts.length);
  });
});

describe('hostNormal', () => {
  const n = 200_000;
  const z = hostNormal(key(11), n);

  it('has the moments of a standard normal to five standard errors', () => {
    const moment = (p: number) => z.reduce((s, v) => s + v ** p, 0) / n;
    expect(Math.abs(moment(1))).toBeLessThan(5 / Math.sqrt(n));
    expect(Math.abs(moment(2) - 1)).toBeLessThan(5 * Math.sqrt(2 / n));
    expect(Math.abs(moment(3))).toBeLessThan(5 * Math.sqrt(15 / n));
    expect(Math.abs(moment(4) - 3)).toBeLessThan(5 * Math.sqrt(96 / n));
  });

  it('equals Box-Muller with the engine functions to float32 rounding', () => {
    for (let i = 0; i < 1000; i += 2) {
      const [hi, lo] = [Number.parseInt(keyToString(key(11)).slice(0, 8), 16), Number.parseInt(keyToString(key(11)).slice(8), 16)];
      const [a, b] = threefry2x32(hi, lo, 2, i / 2);
      const r = Math.sqrt(-2 * Math.log((a + 0.5) / 2 ** 32));
      expect(Math.abs((z[i] as number) - r * Math.cos((2 * Math.PI * b) / 2 ** 32))).toBeLessThan(1e-6);
      expect(Math.abs((z[i + 1] as number) - r * Math.sin((2 * Math.PI * b) / 2 ** 32))).toBeLessThan(1e-6);
    }
  });

  it('does not depend on how many draws are asked for', () => {
    expect(hostNormal(key(3), 7)).toEqual(hostNormal(key(3), 100).subarray(0, 7));
  });
});

describe('hostUniform and hostPermutation', () => {
  it('stay inside [0, 1) with mean one half', () => {
    const u = hostUniform(key(5), 100_000);
    expect(Math.min(...u.subarray(0, 1000))).toBeGreaterThanOrEqual(0);
    expect(u.every((v) => v >= 0 && v < 1)).toBe(true);
    expect(Math.abs(u.reduce((a, b) => a + b, 0) / u.length - 0.5)).toBeLessThan(5 / Math.sqrt(12 * u.length));
  });

  it('are the words of Threefry blocks 0, 1, 2, … in order, as many as are asked for', () => {
    const words = [Number.parseInt(keyToString(key(5)).slice(0, 8), 16), Number.parseInt(keyToString(key(5)).slice(8), 16)] as const;
    const expected = Array.from({ length: 6 }, (_, block) => threefry2x32(...words, 1, block)).flatMap((pair) =>
      pair.map((w) => (w >>> 8) / 2 ** 24),
    );
    for (let count = 0; count <= 12; count++) expect([...hostUniform(key(5), count)]).toEqual(expected.slice(0, count));
    for (let count = 0; count <= 12; count++) expect(hostNormal(key(5), count)).toEqual(hostNormal(key(5), 50).subarray(0, count));
  });

  it('permute every index exactly once', () => {
    expect([...hostPermutation(key(9), 100)].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });
});
