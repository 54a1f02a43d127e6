import { checkPathOptions, coresetPath, type HilbertPath } from './coreset-path.js';
import { type GreedyOptions, mostAligned } from './frank-wolfe.js';
import { nonNegativeFit } from './non-negative-fit.js';

/**
 * Non-negative orthogonal matching pursuit: adds the point most aligned with what is left, then fits all weights anew.
 *
 * `f = argmax ⟨L − L(w), L_n⟩/σ_n`; `w = argmin_{w ≥ 0, supp w ⊆ active} ‖L − L(w)‖` by Lawson & Hanson's method, updated from
 * step to step. Stops when the residual is numerically zero, which takes at most as many points as the vectors have rank, or
 * when no point is aligned with it. The error never rises; of the greedy constructions it has the smallest per point.
 *
 * Campbell & Broderick 2019; Yaghoobi, Wu & Davies 2015. Time O(iterations · dimensions · (points + size)).
 *
 * @throws ConfigError for counts that are no positive integers, or more points than there are.
 * @example
 * ```ts
 * import { hilbertVectors, orthogonalPursuit } from '@bpc/baselines';
 * const vectors = hilbertVectors({ data: Float64Array.of(2, 0, 0, 1, 0.5, 0.5), shape: [3, 2] });
 * console.log(orthogonalPursuit({ vectors, iterations: 3 }).errors); // two numbers, the second 0
 * ```
 */
export function orthogonalPursuit(options: GreedyOptions): HilbertPath {
  const { vectors } = options;
  const { iterations, tolerance, most } = checkPathOptions(options, vectors.shape[0]);
  const fit = nonNegativeFit(vectors);
  const selected: number[] = [];
  const errors: number[] = [];
  const snapshots: Map<number, number>[] = [];
  for (let i = 0; i < iterations; i++) {
    const { index, score } = mostAligned(vectors, fit.residual);
    if (!(score > 0) || !fit.add(index)) break;
    const weights = fit.weights();
    const error = fit.error();
    if (weights.size > most || error >= (errors[i - 1] ?? Number.POSITIVE_INFINITY)) break;
    selected.push(index);
    errors.push(error);
    snapshots.push(weights);
    if (error <= tolerance) break;
  }
  const sizes = snapshots.map(({ size }) => size);
  return coresetPath({ selected, errors, sizes, weightsAt: (count) => snapshots[count - 1] ?? new Map() });
}
