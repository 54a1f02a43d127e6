import { checkInteger, foldIn, hostUniform, type Key } from '@bpc/core';
import { addScaled, norm } from '../vectors.js';
import { coresetPath, type HilbertPath } from './coreset-path.js';
import type { HilbertVectors } from './hilbert-vectors.js';

/** Options of the sampled coresets. */
export interface SamplingOptions {
  readonly vectors: HilbertVectors;
  /** T, an integer ≥ 1; a point drawn twice is in the coreset once. */
  readonly draws: number;
  readonly key: Key;
}

/** A path of one draw per iteration. */
export interface SampledPath extends HilbertPath {
  /** p_n, `[points]`. */
  readonly probabilities: Float64Array;
}

/** Weights `counts_n/(T p_n)`, which make the weighted sum unbiased. */
export function countWeights(counts: ArrayLike<number>, probabilities: Float64Array): Float64Array {
  let total = 0;
  for (let n = 0; n < counts.length; n++) total += counts[n] ?? 0;
  return probabilities.map((p, n) => {
    const count = counts[n] ?? 0;
    return count === 0 ? 0 : count / (total * p);
  });
}

/** Independent draws from a discrete distribution, by inversion. */
function drawPoints(probabilities: Float64Array, draws: number, key: Key): Int32Array {
  const cumulative = new Float64Array(probabilities.length);
  let total = 0;
  probabilities.forEach((p, n) => {
    total += p;
    cumulative[n] = total;
  });
  // Uniform draws have 24 bits, too few to tell apart hundreds of thousands of points: two give 48.
  const [high, low] = [hostUniform(foldIn(key, 0), draws), hostUniform(foldIn(key, 1), draws)];
  return Int32Array.from(high, (u, i) => {
    const at = (u + (low[i] ?? 0) * 2 ** -24) * total;
    let [from, to] = [0, cumulative.length - 1];
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((cumulative[middle] as number) > at) to = middle;
      else from = middle + 1;
    }
    return from;
  });
}

function sampledPath({ vectors, draws, key }: SamplingOptions, probabilities: Float64Array): SampledPath {
  checkInteger('draws', draws, 1);
  const { data, shape, sum } = vectors;
  const [, dimensions] = shape;
  const selected = drawPoints(probabilities, draws, key);
  const whole = norm(sum);
  const total = new Float64Array(dimensions);
  const seen = new Set<number>();
  const errors: number[] = [];
  const sizes: number[] = [];
  selected.forEach((n, i) => {
    addScaled(total, 1 / (probabilities[n] as number), data, n * dimensions);
    const residual = sum.map((value, j) => value - (total[j] as number) / (i + 1));
    seen.add(n);
    errors.push(norm(residual) / whole);
    sizes.push(seen.size);
  });
  const weightsAt = (count: number): Map<number, number> => {
    const weights = new Map<number, number>();
    for (const n of selected.subarray(0, count)) weights.set(n, (weights.get(n) ?? 0) + 1 / (count * (probabilities[n] as number)));
    return weights;
  };
  return { ...coresetPath({ selected: Array.from(selected), errors, sizes, weightsAt }), probabilities };
}

/** p_n = σ_n/Σσ. */
export const importanceProbabilities = ({ norms }: HilbertVectors): Float64Array => {
  const total = norms.reduce((a, b) => a + b, 0);
  return norms.map((sigma) => sigma / total);
};

/**
 * Points drawn independently with `p_n = σ_n/Σσ`, weights `counts_n/(T p_n)`: an unbiased coreset whose error falls as T^{-1/2}.
 *
 * Campbell & Broderick 2019, algorithm 1. More draws with the same key begin with the same ones.
 *
 * @throws ConfigError unless `draws` is an integer ≥ 1.
 * @example
 * ```ts
 * import { key } from '@bpc/core';
 * import { hilbertVectors, importanceSampling } from '@bpc/baselines';
 * const vectors = hilbertVectors({ data: Float64Array.of(2, 0, 0, 1), shape: [2, 2] });
 * console.log(importanceSampling({ vectors, draws: 100, key: key(0) }).weights); // both near 1
 * ```
 */
export function importanceSampling(options: SamplingOptions): SampledPath {
  return sampledPath(options, importanceProbabilities(options.vectors));
}

/**
 * Points drawn independently and uniformly, weights `counts_n N/T`: the control of the Hilbert coresets.
 *
 * @throws ConfigError unless `draws` is an integer ≥ 1.
 * @example
 * ```ts
 * import { key } from '@bpc/core';
 * import { hilbertVectors, uniformSampling } from '@bpc/baselines';
 * const vectors = hilbertVectors({ data: Float64Array.of(2, 0, 0, 1), shape: [2, 2] });
 * console.log(uniformSampling({ vectors, draws: 100, key: key(0) }).errors[99]);
 * ```
 */
export function uniformSampling(options: SamplingOptions): SampledPath {
  const [points] = options.vectors.shape;
  return sampledPath(options, new Float64Array(points).fill(1 / points));
}
