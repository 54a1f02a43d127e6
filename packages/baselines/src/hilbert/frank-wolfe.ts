import { addScaled, dotAt, norm } from '../vectors.js';
import { checkPathOptions, coresetPath, type HilbertPath, type PathOptions, shrinkingWeights } from './coreset-path.js';
import type { HilbertVectors } from './hilbert-vectors.js';

/** Options of `frankWolfe` and `giga`. */
export interface GreedyOptions extends PathOptions {
  readonly vectors: HilbertVectors;
}

/** A path of steps along lines or geodesics. */
export interface LineSearchPath extends HilbertPath {
  /** γ of each iteration in [0, 1]; 1 for the first. */
  readonly lineSearch: Float64Array;
}

/** Place of the largest `⟨direction, L_n⟩/σ_n` among points with σ_n > 0. */
export function mostAligned(
  { data, shape, norms }: HilbertVectors,
  direction: Float64Array,
): { readonly index: number; readonly score: number } {
  const [points, dimensions] = shape;
  let [index, score] = [-1, Number.NEGATIVE_INFINITY];
  for (let n = 0; n < points; n++) {
    const sigma = norms[n] as number;
    if (sigma === 0) continue;
    const value = dotAt(data, n * dimensions, direction) / sigma;
    if (value > score) [index, score] = [n, value];
  }
  return { index, score };
}

/**
 * Frank–Wolfe on the polytope `{w ≥ 0 : Σ σ_n w_n = σ}`, σ = Σ σ_n.
 *
 * Start `w = (σ/σ_f) e_f` with `f = argmax ⟨L, L_n⟩/σ_n`; then `f = argmax ⟨L − L(w), L_n⟩/σ_n`, `v = (σ/σ_f) L_f − L(w)`,
 * `γ = ⟨v, L − L(w)⟩/‖v‖²` clipped to [0, 1], `w ← (1 − γ) w + γ (σ/σ_f) e_f`. The error never rises; it may begin above 1.
 *
 * Campbell & Broderick 2019, JMLR 20, section 4. Time O(iterations · points · dimensions).
 *
 * @throws ConfigError for counts that are no positive integers, or more points than there are.
 * @example
 * ```ts
 * import { frankWolfe, hilbertVectors } from '@bpc/baselines';
 * const vectors = hilbertVectors({ data: Float64Array.of(2, 0, 0, 1), shape: [2, 2] });
 * const path = frankWolfe({ vectors, iterations: 2 });
 * console.log(path.indices, path.errors);
 * ```
 */
export function frankWolfe(options: GreedyOptions): LineSearchPath {
  const { vectors } = options;
  const { data, shape, norms, sum } = vectors;
  const [points, dimensions] = shape;
  const { iterations, tolerance, most } = checkPathOptions(options, points);
  const total = norms.reduce((a, b) => a + b, 0);
  const whole = norm(sum);
  const reached = new Float64Array(dimensions);
  const residual = Float64Array.from(sum);
  const weights = shrinkingWeights();
  const selected: number[] = [];
  const errors: number[] = [];
  const sizes: number[] = [];
  const lineSearch: number[] = [];
  for (let i = 0; i < iterations; i++) {
    const { index } = mostAligned(vectors, residual);
    const stretch = total / (norms[index] as number);
    const direction = Float64Array.from(reached, (value) => -value);
    addScaled(direction, stretch, data, index * dimensions);
    const gamma = i === 0 ? 1 : Math.min(1, dotAt(direction, 0, residual) / dotAt(direction, 0, direction));
    // Also NaN: the vertex is where we are.
    if (!(gamma > 0)) break;
    const size = weights.sizeWith(index);
    if (size > most && gamma < 1) break;
    const before = errors[i - 1] ?? Number.POSITIVE_INFINITY;
    addScaled(reached, gamma, direction);
    for (let j = 0; j < dimensions; j++) residual[j] = (sum[j] as number) - (reached[j] as number);
    const error = norm(residual) / whole;
    // Steps at the level of rounding.
    if (error >= before) break;
    weights.step(index, 1 - gamma, gamma * stretch);
    selected.push(index);
    errors.push(error);
    lineSearch.push(gamma);
    sizes.push(gamma < 1 ? size : 1);
    if (error <= tolerance) break;
  }
  return { ...coresetPath({ selected, errors, sizes, weightsAt: weights.after }), lineSearch: Float64Array.from(lineSearch) };
}
