import {
  acceleratedIterativeHardThresholding,
  frankWolfe,
  giga,
  type HilbertPath,
  type HilbertVectors,
  hilbertVectors,
  importanceSampling,
  orthogonalPursuit,
  projectLogLikelihoods,
  uniformSampling,
} from '@bpc/baselines';
import { ConfigError, hostPermutation, key, ShapeError } from '@bpc/core';
import { describe, expect, it } from 'vitest';
import { errorOf, gaussianProblem, noiseProblem } from './hilbert-helpers.js';

const greedy = { frankWolfe, giga, orthogonalPursuit };
const seeds = Array.from({ length: 20 }, (_, i) => i);
const falls = (errors: Float64Array) => errors.every((error, i) => i === 0 || error <= errors[i - 1]!);

describe.each(Object.entries(greedy))('%s', (_, construct) => {
  it('has errors that never rise, and are those of its weights, which are never negative', () => {
    for (const seed of seeds) {
      const vectors = seed % 2 === 0 ? gaussianProblem(seed, 100, 20) : noiseProblem(seed, 100, 20);
      const path = construct({ vectors, iterations: 30 });
      expect(falls(path.errors)).toBe(true);
      for (const iterations of [1, 2, path.iterations]) {
        const { indices, weights, error } = path.at(iterations);
        expect(weights.every((weight) => weight > 0)).toBe(true);
        expect(new Set(indices).size).toBe(indices.length);
        expect(indices.length).toBe(path.sizes[iterations - 1]);
        expect(error).toBeCloseTo(errorOf(vectors, indices, weights), 10);
      }
    }
  });

  it('gives every size in one run: iterations are those of a shorter run, and sizes at most what is asked for', () => {
    const vectors = noiseProblem(3, 80, 25);
    const path = construct({ vectors, iterations: 25 });
    const short = construct({ vectors, iterations: 7 });
    expect(path.at(7)).toEqual({ indices: short.indices, weights: short.weights, error: short.error });
    for (const points of [1, 3, 6]) expect(path.ofSize(points).indices.length).toBeLessThanOrEqual(points);
    expect(construct({ vectors, iterations: 25, points: 4 }).indices.length).toBeLessThanOrEqual(4);
    expect(path.ofSize(80)).toEqual(path.at(path.iterations));
  });

  it('chooses the same points with the same weights when the points are permuted', () => {
    const vectors = gaussianProblem(4, 60, 15);
    const order = hostPermutation(key(1), 60);
    const permuted = hilbertVectors({
      data: Float64Array.from(Array.from(order).flatMap((n) => Array.from(vectors.data.slice(n * 15, (n + 1) * 15)))),
      shape: [60, 15],
    });
    const [plain, moved] = [construct({ vectors, iterations: 12 }), construct({ vectors: permuted, iterations: 12 })];
    expect(Array.from(moved.indices, (place) => order[place])).toEqual(Array.from(plain.indices));
    moved.weights.forEach((weight, i) => expect(weight).toBeCloseTo(plain.weights[i]!, 8));
  });

  it('stops at an exact coreset, and after one point where all vectors are equal', () => {
    const same = hilbertVectors({ data: Float64Array.from({ length: 12 }, (_v, i) => [1, 2, -1][i % 3]!), shape: [4, 3] });
    const path = construct({ vectors: same, iterations: 10 });
    expect(path.iterations).toBe(1);
    expect(path.indices).toEqual(Int32Array.of(0));
    expect(path.weights[0]).toBeCloseTo(4, 12);
  });

  it('never chooses a zero vector, nor divides by its norm', () => {
    const vectors = hilbertVectors({ data: Float64Array.of(0, 0, 1, 0, 0, 0, 0, 2, 0, 0), shape: [5, 2] });
    const path = construct({ vectors, iterations: 6 });
    expect(Array.from(path.indices).sort()).toEqual([1, 3]);
    expect(path.weights.every(Number.isFinite)).toBe(true);
  });
});

describe('giga', () => {
  it('is at least as near as Frank-Wolfe after as many iterations, in 99 % of all', () => {
    let [better, all] = [0, 0];
    for (const seed of seeds) {
      const vectors = gaussianProblem(seed, 150, 20);
      const [geodesic, line] = [giga({ vectors, iterations: 30 }).errors, frankWolfe({ vectors, iterations: 30 }).errors];
      geodesic.forEach((error, i) => {
        all++;
        if (error <= (line[i] ?? 0) + 1e-12) better++;
      });
    }
    expect(all).toBeGreaterThan(500);
    expect(better / all).toBeGreaterThanOrEqual(0.99);
  });

  it('begins with the best single point, scaled to the least error', () => {
    const vectors = noiseProblem(1, 30, 6);
    const best = Math.min(
      ...Array.from({ length: 30 }, (_, n) => {
        const own = Array.from(vectors.data.slice(n * 6, n * 6 + 6));
        const [along, squares] = [own.reduce((t, v, j) => t + v * vectors.sum[j]!, 0), own.reduce((t, v) => t + v * v, 0)];
        return errorOf(vectors, Int32Array.of(n), Float64Array.of(Math.max(0, along / squares)));
      }),
    );
    expect(giga({ vectors, iterations: 1 }).error).toBeCloseTo(best, 12);
  });
});

describe('orthogonalPursuit', () => {
  it('is exact with as many points as the vectors have rank', () => {
    for (const seed of seeds) {
      // Centring takes one dimension; a location model in 3 dimensions has log-likelihoods in the span of 3 functions and a common square.
      const vectors = gaussianProblem(seed, 60, 30, 3);
      const path = orthogonalPursuit({ vectors, iterations: 20 });
      expect(path.error).toBeLessThan(1e-10);
      expect(path.indices.length).toBeLessThanOrEqual(4);
    }
  });

  it('is nearer than Frank-Wolfe and GIGA with as many points', () => {
    for (const seed of seeds) {
      const vectors = noiseProblem(seed, 80, 20);
      const [pursued, geodesic] = [orthogonalPursuit({ vectors, iterations: 10 }), giga({ vectors, iterations: 10 })];
      expect(pursued.ofSize(10).error).toBeLessThanOrEqual(geodesic.ofSize(10).error + 1e-12);
    }
  });
});

describe('sampling', () => {
  it('is unbiased: weighted sums have the mean L, within Monte-Carlo error, and importance sampling the smaller spread', () => {
    const vectors = gaussianProblem(2, 40, 10);
    const whole = Math.hypot(...vectors.sum);
    const repeats = 3000;
    const spread = [importanceSampling, uniformSampling].map((construct) => {
      const total = new Float64Array(10);
      let squares = 0;
      for (let seed = 0; seed < repeats; seed++) {
        const { indices, weights } = construct({ vectors, draws: 5, key: key(seed) });
        const reached = Array.from({ length: 10 }, (_, j) =>
          Array.from(indices).reduce((t, n, i) => t + weights[i]! * vectors.data[n * 10 + j]!, 0),
        );
        reached.forEach((value, j) => {
          total[j]! += value / repeats;
          squares += (value - vectors.sum[j]!) ** 2 / repeats;
        });
      }
      const error = Math.hypot(...total.map((value, j) => value - vectors.sum[j]!));
      expect(error).toBeLessThan(4 * Math.sqrt(squares / repeats));
      return Math.sqrt(squares) / whole;
    });
    expect(spread[0]).toBeLessThan(spread[1]!);
  });

  it('has the errors of its weights after every draw, and begins alike whatever the number of draws', () => {
    const vectors = noiseProblem(7, 40, 8);
    const path = importanceSampling({ vectors, draws: 50, key: key(3) });
    for (const draws of [1, 10, 50]) {
      const { indices, weights, error } = path.at(draws);
      expect(error).toBeCloseTo(errorOf(vectors, indices, weights), 10);
    }
    expect(path.errors[49]!).toBeLessThan(path.errors[0]!);
  });
});

/** The least error of all subsets of `points` points, each fitted by coordinate descent to convergence: an independent solver. */
function exhaustive(vectors: HilbertVectors, points: number): number {
  const { data, shape, sum } = vectors;
  const [count, dimensions] = shape;
  const row = (n: number) => Array.from(data.slice(n * dimensions, (n + 1) * dimensions));
  const dot = (a: readonly number[], b: readonly number[]) => a.reduce((t, v, j) => t + v * b[j]!, 0);
  let best = 1;
  const fit = (subset: readonly number[]) => {
    const weights = subset.map(() => 0);
    const left = Array.from(sum);
    for (let sweep = 0; sweep < 4000; sweep++) {
      let moved = 0;
      subset.forEach((n, i) => {
        const own = row(n);
        const next = Math.max(0, weights[i]! + dot(own, left) / dot(own, own));
        const change = next - weights[i]!;
        own.forEach((v, j) => {
          left[j]! -= change * v;
        });
        weights[i] = next;
        moved = Math.max(moved, Math.abs(change));
      });
      if (moved < 1e-12) break;
    }
    best = Math.min(best, Math.hypot(...left) / Math.hypot(...sum));
  };
  const choose = (subset: readonly number[], from: number) => {
    if (subset.length === points) return fit(subset);
    for (let n = from; n < count; n++) choose([...subset, n], n + 1);
  };
  choose([], 0);
  return best;
}

describe('acceleratedIterativeHardThresholding', () => {
  it('takes the longest of orthogonal vectors, with weights 1', () => {
    const lengths = [1, 5, 2, 4, 3, 0.5];
    const data = Float64Array.from(lengths.flatMap((length, n) => lengths.map((_, j) => (j === n ? length : 0))));
    const vectors = hilbertVectors({ data, shape: [6, 6] });
    const { indices, weights, error } = acceleratedIterativeHardThresholding({ vectors, points: 3 });
    expect(Array.from(indices).sort()).toEqual([1, 3, 4]);
    weights.forEach((weight) => expect(weight).toBeCloseTo(1, 6));
    const squares = (some: readonly number[]) => some.reduce((t, v) => t + v * v, 0);
    expect(error).toBeCloseTo(Math.sqrt(squares([1, 2, 0.5]) / squares(lengths)), 8);
  });

  it('has an objective that never rises', () => {
    for (const seed of seeds) {
      const vectors = seed % 2 === 0 ? gaussianProblem(seed, 100, 20) : noiseProblem(seed, 100, 20);
      for (const points of [1, 5, 30]) expect(falls(acceleratedIterativeHardThresholding({ vectors, points }).errors)).toBe(true);
    }
  });

  it('finds the best of all subsets of nearly orthogonal vectors, and never beats it', () => {
    for (const seed of seeds.slice(0, 10)) {
      const noise = noiseProblem(seed, 9, 40);
      const stretched = noise.data.map((value, i) => value * 2 ** ((Math.floor(i / 40) * 5) % 9) * 0.1);
      const vectors = hilbertVectors({ data: stretched, shape: [9, 40] });
      const [found, best] = [acceleratedIterativeHardThresholding({ vectors, points: 3 }), exhaustive(vectors, 3)];
      expect(found.error).toBeCloseTo(errorOf(vectors, found.indices, found.weights), 10);
      expect(Math.abs(found.error - best)).toBeLessThan(1e-8);
    }
  });

  it('is nearer than Frank-Wolfe with as many points, mostly as published, and always if vectors are scaled', () => {
    let [nearer, all] = [0, 0];
    for (const seed of seeds) {
      const vectors = seed % 2 === 0 ? gaussianProblem(seed, 100, 20) : noiseProblem(seed, 100, 20);
      for (const points of [2, 5, 10]) {
        const published = acceleratedIterativeHardThresholding({ vectors, points });
        const scaled = acceleratedIterativeHardThresholding({ vectors, points, scaling: 'unit' });
        const { error } = frankWolfe({ vectors, iterations: 100, points });
        for (const { indices, weights, error: own } of [published, scaled]) {
          expect(indices.length).toBeLessThanOrEqual(points);
          expect(own).toBeCloseTo(errorOf(vectors, indices, weights), 10);
        }
        all++;
        if (published.error < error) nearer++;
        expect(scaled.error).toBeLessThan(error + 1e-9);
      }
    }
    expect(nearer / all).toBeGreaterThan(0.9);
  });

  it('ends no farther away after the refit, and stops where weights stop moving', () => {
    for (const seed of seeds) {
      const vectors = noiseProblem(seed, 60, 15);
      const [plain, refitted] = [false, true].map((refit) => acceleratedIterativeHardThresholding({ vectors, points: 6, refit }));
      expect(refitted!.error).toBeLessThanOrEqual(plain!.error);
      expect(plain!.error).toBeCloseTo(plain!.errors.at(-1)!, 12);
      expect(plain!.errors.length).toBeLessThan(300);
    }
  });
});

describe('bad input', () => {
  const vectors = noiseProblem(1, 10, 4);
  const likelihoods = (data: readonly number[], draws: number) => ({
    logLikelihoods: { data: Float64Array.from(data), shape: [data.length / draws, draws] as const },
  });

  it('is refused with the argument, what was found, and a remedy', () => {
    expect(() => giga({ vectors, iterations: 5, points: 11 })).toThrow(/points is 11.*at most 10/);
    expect(() => frankWolfe({ vectors, iterations: 0 })).toThrow(ConfigError);
    expect(() => orthogonalPursuit({ vectors, iterations: 3, tolerance: 2 })).toThrow(/tolerance is 2/);
    expect(() => acceleratedIterativeHardThresholding({ vectors, points: 11 })).toThrow(/only 10/);
    expect(() => importanceSampling({ vectors, draws: 0, key: key(0) })).toThrow(ConfigError);
    expect(() => hilbertVectors({ data: Float64Array.of(1, 2, 3), shape: [2, 2] })).toThrow(ShapeError);
    expect(() => hilbertVectors({ data: Float64Array.of(1, Number.NaN), shape: [2, 1] })).toThrow(/NaN in row 1/);
    expect(() => hilbertVectors({ data: new Float64Array(4), shape: [2, 2] })).toThrow(/every vector is zero.*draw parameters/);
    expect(() => hilbertVectors({ data: Float64Array.of(1, -1), shape: [2, 1] })).toThrow(/sum to zero/);
    expect(() => projectLogLikelihoods(likelihoods([1, 2], 1))).toThrow(/one draw/);
    expect(() => projectLogLikelihoods(likelihoods([-3, -3, -2, -2], 2))).toThrow(/every vector is zero/);
    expect(() => projectLogLikelihoods(likelihoods([-3, Number.NEGATIVE_INFINITY], 2))).toThrow(/-Infinity in row 0/);
    const path: HilbertPath = giga({ vectors, iterations: 2 });
    expect(() => path.at(3)).toThrow(/has 2/);
  });

  it('takes a row that is constant up to rounding for one that says nothing', () => {
    const data = [-0.1 - 0.2, -0.3, -1, -2];
    expect(projectLogLikelihoods(likelihoods(data, 2)).norms[0]).toBe(0);
  });
});
