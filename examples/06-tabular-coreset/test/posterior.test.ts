import { laplaceKl } from '@bpc/baselines';
import { fitMoments } from '@bpc/bench';
import { hostNormal, hostUniform, key } from '@bpc/core';
import { describe, expect, it } from 'vitest';
import { pick, SIZE, type WeightedPoints } from '../src/data.js';
import { psviCoreset } from '../src/psvi-coreset.js';
import { laplaceOf, nuts } from '../src/regression.js';

/** A regression whose coefficients are all about 1. */
function regression(count: number): WeightedPoints {
  const x = Float64Array.from(hostNormal(key(1), count * SIZE)).map((value, i) => (i % SIZE === SIZE - 1 ? 1 : value));
  const chance = hostUniform(key(2), count);
  const sign = Float64Array.from({ length: count }, (_, n) => {
    const eta = x.subarray(n * SIZE, (n + 1) * SIZE).reduce((a, b) => a + b, 0);
    return (chance[n] ?? 0) < 1 / (1 + Math.exp(-eta)) ? 1 : -1;
  });
  return { x, sign, weights: new Float64Array(count).fill(1) };
}

const full = regression(400);
const sdOf = ({ covariance }: { covariance: Float64Array }, j: number) => Math.sqrt(covariance[j * SIZE + j] ?? Number.NaN);

describe('posteriors of weighted points', () => {
  it('are the prior where no point has a weight', async () => {
    const { draws, divergences } = await nuts(pick(full, [0, 1], new Float64Array(2)), { key: key(3), warmup: 200, draws: 500 });
    const moments = fitMoments(draws, SIZE);
    expect(divergences).toBe(0);
    for (let j = 0; j < SIZE; j++) {
      expect(Math.abs(moments.mean[j] ?? Number.NaN)).toBeLessThan(0.15);
      expect(Math.abs(sdOf(moments, j) - 1)).toBeLessThan(0.15);
    }
  });

  it('are near the normal distribution at their mode if there are many points', async () => {
    const { draws } = await nuts(full, { key: key(4), warmup: 200, draws: 500 });
    const [moments, laplace] = [fitMoments(draws, SIZE), laplaceOf(full)];
    const covariance = laplace.covariance();
    for (let j = 0; j < SIZE; j++) {
      const sd = sdOf({ covariance }, j);
      // A logistic regression's mean lies beyond its mode by a few tenths of a standard deviation.
      expect(Math.abs((moments.mean[j] ?? Number.NaN) - (laplace.mode[j] ?? Number.NaN)) / sd).toBeLessThan(0.6);
      expect(Math.abs(sdOf(moments, j) / sd - 1)).toBeLessThan(0.2);
    }
  });

  it('do not tell a weight of two from a point that is there twice', () => {
    const twice = pick(full, [0, 0, 1, 2], Float64Array.of(1, 1, 1, 1));
    const weighted = pick(full, [0, 1, 2], Float64Array.of(2, 1, 1));
    expect(Math.abs(laplaceKl(laplaceOf(twice), laplaceOf(weighted)))).toBeLessThan(1e-10);
  });
});

describe('PSVI', () => {
  it('moves points and weights towards the full posterior, and leaves labels and intercept alone', async () => {
    const start = pick(
      full,
      Array.from({ length: 25 }, (_, n) => n),
      new Float64Array(25).fill(16),
    );
    const learned = await psviCoreset({ full, start, steps: 150, key: key(5) });
    const truth = laplaceOf(full);
    const [before, after] = [start, learned].map((points) => laplaceKl(laplaceOf(points), truth));
    expect(after).toBeLessThan((before ?? Number.NaN) / 10);
    expect([...learned.sign]).toEqual([...start.sign]);
    expect(learned.weights.every((weight) => weight >= 0)).toBe(true);
    expect(learned.weights.some((weight) => weight !== 16)).toBe(true);
    expect(Array.from({ length: 25 }, (_, n) => learned.x[n * SIZE + SIZE - 1])).toEqual(new Array(25).fill(1));
  });
});
