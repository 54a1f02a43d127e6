import { Matrix, solve } from 'ml-matrix';
import { describe, expect, it } from 'vitest';
import { nonNegativeFit } from '../src/hilbert/non-negative-fit.js';
import { gaussianProblem, noiseProblem } from './hilbert-helpers.js';

/** The least error over all subsets of some points whose unconstrained least-squares weights are not negative. */
function bestOfSubsets(vectors: ReturnType<typeof noiseProblem>, points: readonly number[]): number {
  const [, dimensions] = vectors.shape;
  const row = (n: number) => Array.from(vectors.data.slice(n * dimensions, (n + 1) * dimensions));
  let best = 1;
  for (let mask = 1; mask < 2 ** points.length; mask++) {
    const subset = points.filter((_, i) => (mask >> i) & 1);
    // More points than dimensions are never needed (Carathéodory).
    if (subset.length > dimensions) continue;
    const columns = new Matrix(subset.map(row)).transpose();
    const target = Matrix.columnVector(Array.from(vectors.sum));
    const weights = solve(columns, target);
    if (weights.min() < 0) continue;
    best = Math.min(best, Matrix.sub(target, columns.mmul(weights)).norm('frobenius') / target.norm('frobenius'));
  }
  return best;
}

describe('nonNegativeFit', () => {
  it('is the best of all subsets of its points, after each point that is added', () => {
    for (let seed = 0; seed < 12; seed++) {
      const vectors = noiseProblem(seed, 8, 5);
      const fit = nonNegativeFit(vectors);
      for (let n = 0; n < 8; n++) {
        fit.add(n);
        const added = Array.from({ length: n + 1 }, (_, i) => i);
        expect(fit.error()).toBeCloseTo(bestOfSubsets(vectors, added), 9);
      }
    }
  });

  it('has gradients that vanish at positive weights and are not positive at the others', () => {
    const vectors = gaussianProblem(1, 60, 40, 30);
    const fit = nonNegativeFit(vectors);
    for (let n = 0; n < 60; n++) fit.add(n);
    const weights = fit.weights();
    const whole = Math.hypot(...vectors.sum);
    for (let n = 0; n < 60; n++) {
      let gradient = 0;
      for (let j = 0; j < 40; j++) gradient += vectors.data[n * 40 + j]! * fit.residual[j]!;
      if ((weights.get(n) ?? 0) > 0) expect(Math.abs(gradient)).toBeLessThan(1e-10 * whole * vectors.norms[n]!);
      else expect(gradient).toBeLessThan(1e-10 * whole * vectors.norms[n]!);
    }
    expect([...weights.values()].every((weight) => weight > 0)).toBe(true);
  });

  it('does not change for a point that is there twice, or says nothing', () => {
    const data = Float64Array.of(1, 0, 1, 0, 0, 0, 0, 1);
    const vectors = { ...noiseProblem(0, 4, 2), data, norms: Float64Array.of(1, 1, 0, 1), sum: Float64Array.of(2, 1) };
    const fit = nonNegativeFit(vectors);
    expect([fit.add(0), fit.add(1), fit.add(2), fit.add(3)]).toEqual([true, false, false, true]);
    expect(fit.weights()).toEqual(
      new Map([
        [0, 2],
        [3, 1],
      ]),
    );
    expect(fit.error()).toBeLessThan(1e-15);
  });
});
