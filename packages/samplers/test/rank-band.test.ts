import { foldIn, hostUniform, key } from '@bpc/core';
import { checkRanks, rankBand } from '@bpc/samplers/testing';
import { describe, expect, it } from 'vitest';

const ranks = (seed: number, count: number, draws: number, shape = (u: number) => u) =>
  Array.from(hostUniform(foldIn(key(99), seed), count), (u) => Math.floor(shape(u) * (draws + 1)));

describe('rankBand', () => {
  it.each([0.1, 0.01])('is left by uniform ranks as often as its level %d says', (level) => {
    const [count, draws, repetitions] = [150, 19, 4000];
    const { low, high } = rankBand(count, draws, level);
    let outside = 0;
    for (let seed = 0; seed < repetitions; seed++) {
      const found = ranks(seed, count, draws);
      let below = 0;
      const cells = Array.from({ length: draws }, () => 0);
      for (const rank of found) if (rank < draws) cells[rank]! += 1;
      outside += +cells.some((cell, k) => {
        below += cell;
        return below < low[k]! || below > high[k]!;
      });
    }
    // At most the level, and not far below it: counts are integers.
    const error = Math.sqrt((level * (1 - level)) / repetitions);
    expect(outside / repetitions).toBeLessThan(level + 4 * error);
    expect(outside / repetitions).toBeGreaterThan(0.75 * level - 4 * error);
  });

  it('is exact for one draw: a binomial test', () => {
    // Ranks are 0 or 1: 20 fair coins are within 5 … 15 with probability 0.9882, within 6 … 14 with 0.9586.
    expect(rankBand(20, 1, 0.02)).toEqual({ low: [5], high: [15] });
    expect(rankBand(20, 1, 0.05)).toEqual({ low: [6], high: [14] });
  });

  it('refuses counts and levels that are none', () => {
    expect(() => rankBand(0, 9, 0.1)).toThrow(expect.objectContaining({ code: 'CONFIG' }));
    expect(() => rankBand(10, 1.5, 0.1)).toThrow(/positive integers/);
    expect(() => rankBand(10, 9, 0)).toThrow(/level is 0/);
    expect(() => checkRanks([0, 10], 9, 0.1)).toThrow(/a rank is 10/);
  });
});

describe('checkRanks', () => {
  const [count, draws, level] = [1000, 99, 0.001];

  it('accepts uniform ranks', () => {
    const { rejected, largestDifference } = checkRanks(ranks(0, count, draws), draws, level);
    expect(rejected).toBe(false);
    expect(Math.abs(largestDifference)).toBeLessThan(0.06);
  });

  it.each<[string, (u: number) => number]>([
    ['a bias of 0.25 sd', (u) => u ** 1.25],
    ['draws that are too narrow', (u) => (u < 0.5 ? 0.5 * (2 * u) ** 1.5 : 1 - 0.5 * (2 - 2 * u) ** 1.5)],
    ['draws that are too wide', (u) => (u < 0.5 ? 0.5 * (2 * u) ** 0.7 : 1 - 0.5 * (2 - 2 * u) ** 0.7)],
    ['a lump at one end', (u) => (u < 0.03 ? 0 : u)],
  ])('rejects %s', (_, shape) => {
    expect(checkRanks(ranks(1, count, draws, shape), draws, level).rejected).toBe(true);
  });
});
