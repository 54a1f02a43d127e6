import { hostNormal, key } from '@bpc/core';
import { describe, expect, it } from 'vitest';
import { momentErrors, negativeLogLikelihood } from '../src/closeness.js';
import { SIZE } from '../src/data.js';
import { median } from '../src/summarise.js';

const draws = Float64Array.from(hostNormal(key(0), 500 * SIZE));

describe('errors of a posterior', () => {
  it('count a shift in standard deviations of the truth, whatever the scale of a coefficient', () => {
    const scale = (j: number) => 10 ** (j % 3);
    const truth = draws.map((value, i) => value * scale(i % SIZE));
    const own = truth.map((value, i) => 2 * value + 5 * scale(i % SIZE));
    const { meanError, sdError } = momentErrors(own, truth);
    // Means of the truth are about 0, so that doubling moves them by little; sds are doubled exactly.
    expect(Math.abs(meanError - 5)).toBeLessThan(0.1);
    expect(sdError).toBeCloseTo(1, 12);
    expect(momentErrors(truth, truth)).toEqual({ meanError: 0, sdError: 0 });
    // In units of the wider one the same errors are half as large.
    expect(momentErrors(truth, own).sdError).toBeCloseTo(0.5, 12);
  });

  it('average probabilities, not their logarithms', () => {
    const x = new Float64Array(SIZE).fill(0);
    x[0] = 1;
    const two = new Float64Array(2 * SIZE);
    [two[0], two[SIZE]] = [Math.log(9), -Math.log(9)];
    const rows = { x, sign: Float64Array.of(1), weights: Float64Array.of(1) };
    // σ(ln 9) = 0.9 and σ(−ln 9) = 0.1 average to one half.
    expect(negativeLogLikelihood(two, rows)).toBeCloseTo(Math.log(2), 12);
    expect(negativeLogLikelihood(two.subarray(0, SIZE), { ...rows, sign: Float64Array.of(-1) })).toBeCloseTo(-Math.log(0.1), 12);
  });

  it('are summarised by the middle of the seeds', () => {
    expect(median([5, 1, 100])).toBe(5);
    expect(median([4, 1, 2, 100])).toBe(3);
  });
});
