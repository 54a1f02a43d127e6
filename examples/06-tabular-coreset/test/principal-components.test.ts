import { describe, expect, it } from 'vitest';
import { principalComponents, scores } from '../src/principal-components.js';

// Rows m ± 3 u ± 1 v with u = (3, 4)/5 and v = (−4, 3)/5: variances 9 along u and 1 along v.
const [u, v, mean] = [
  [0.6, 0.8],
  [-0.8, 0.6],
  [10, -20],
] as const;
const row = (a: number, b: number) => [0, 1].map((j) => (mean[j] ?? 0) + a * (u[j] ?? 0) + b * (v[j] ?? 0));
const rows = { data: Float64Array.from([row(3, 1), row(3, -1), row(-3, 1), row(-3, -1)].flat()), count: 4, size: 2 };

describe('principal components', () => {
  it('are the axes of a rectangle, the longer one first, with its variances', async () => {
    const { directions, variances, explained, mean: centre } = await principalComponents(rows, 2);
    expect([...centre].map((value) => Number(value.toFixed(12)))).toEqual(mean);
    expect(variances[0]).toBeCloseTo(9, 12);
    expect(variances[1]).toBeCloseTo(1, 12);
    expect(explained).toBeCloseTo(1, 12);
    const cosine = (k: number, axis: readonly number[]) =>
      Math.abs((directions[2 * k] ?? 0) * (axis[0] ?? 0) + (directions[2 * k + 1] ?? 0) * (axis[1] ?? 0));
    expect(cosine(0, u)).toBeCloseTo(1, 12);
    expect(cosine(1, v)).toBeCloseTo(1, 12);
  });

  it('say which share of the variance they have', async () => {
    expect((await principalComponents(rows, 1)).explained).toBeCloseTo(0.9, 12);
  });

  it('give coordinates in standard deviations of the fitted rows, for other rows too', async () => {
    const components = await principalComponents(rows, 2);
    const other = scores({ data: Float64Array.from(row(6, 0.5)), count: 1, size: 2 }, components);
    // Six units along u are two standard deviations, half a unit along v is half of one; signs are not determined.
    expect([...other].map((value) => Math.abs(Number(value.toFixed(12))))).toEqual([2, 0.5]);
    const own = scores(rows, components);
    expect([...own].map((value) => Math.abs(Number(value.toFixed(12))))).toEqual(new Array(8).fill(1));
  });
});
