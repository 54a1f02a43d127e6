import { addScaled, dotAt, norm } from '../vectors.js';
import { checkPathOptions, coresetPath, shrinkingWeights } from './coreset-path.js';
import { type GreedyOptions, type LineSearchPath, mostAligned } from './frank-wolfe.js';
import type { HilbertVectors } from './hilbert-vectors.js';

/** Below this sine² of the angle to ℓ(w), a point has no direction to move in: it is where we are, or opposite. */
const DEGENERATE = 1e-14;

/** Place of the largest `⟨d, ℓ_n⟩/√(1 − ⟨ℓ_n, ℓ(w)⟩²)`; −1 if no point has a direction. */
function bestGeodesic({ data, shape, norms }: HilbertVectors, direction: Float64Array, position: Float64Array): number {
  const [points, dimensions] = shape;
  let [best, most] = [-1, 0];
  for (let n = 0; n < points; n++) {
    const sigma = norms[n] as number;
    if (sigma === 0) continue;
    const along = dotAt(data, n * dimensions, direction);
    // Only an ascent can be the best; this saves the second product for half of the points.
    if (!(along > 0)) continue;
    const cosine = dotAt(data, n * dimensions, position) / sigma;
    const squaredSine = 1 - cosine * cosine;
    if (squaredSine <= DEGENERATE) continue;
    const score = along / (sigma * Math.sqrt(squaredSine));
    if (score > most) [best, most] = [n, score];
  }
  return best;
}

/**
 * Greedy iterative geodesic ascent (GIGA): a path on the unit sphere towards ℓ = L/‖L‖.
 *
 * With `ℓ_n = L_n/σ_n` and ℓ(w) the unit vector reached: `d ∝ ℓ − ⟨ℓ, ℓ(w)⟩ ℓ(w)`,
 * `f = argmax ⟨d, ℓ_n⟩/√(1 − ⟨ℓ_n, ℓ(w)⟩²)`, `ζ₀ = ⟨ℓ, ℓ_f⟩`, `ζ₁ = ⟨ℓ, ℓ(w)⟩`, `ζ₂ = ⟨ℓ_f, ℓ(w)⟩`,
 * `γ = (ζ₀ − ζ₁ζ₂)/((ζ₀ − ζ₁ζ₂) + (ζ₁ − ζ₀ζ₂))`, `ℓ(w) ← (1 − γ) ℓ(w) + γ ℓ_f`, normalised. Weights are
 * `w_n · (‖L‖/σ_n) · ⟨ℓ(w), ℓ⟩`. Begins at the largest correlation; points that give no direction (the only active one, 0/0) are
 * skipped. The error never rises.
 *
 * Campbell & Broderick 2018 (ICML), algorithm 2. Time O(iterations · points · dimensions).
 *
 * @throws ConfigError for counts that are no positive integers, or more points than there are.
 * @example
 * ```ts
 * import { giga, hilbertVectors } from '@bpc/baselines';
 * const vectors = hilbertVectors({ data: Float64Array.of(2, 0, 0, 1, 1, 1), shape: [3, 2] });
 * const path = giga({ vectors, iterations: 5 });
 * console.log(path.errors, path.ofSize(1).weights); // falling errors; the best single point
 * ```
 */
export function giga(options: GreedyOptions): LineSearchPath {
  const { vectors } = options;
  const { data, shape, norms, sum } = vectors;
  const [points, dimensions] = shape;
  const { iterations, tolerance, most } = checkPathOptions(options, points);
  const whole = norm(sum);
  const goal = sum.map((value) => value / whole);
  const position = new Float64Array(dimensions);
  const direction = Float64Array.from(goal);
  const weights = shrinkingWeights();
  const cosines: number[] = [];
  const selected: number[] = [];
  const errors: number[] = [];
  const sizes: number[] = [];
  const lineSearch: number[] = [];
  for (let i = 0; i < iterations; i++) {
    const index = i === 0 ? mostAligned(vectors, goal).index : bestGeodesic(vectors, direction, position);
    if (index < 0) break;
    const sigma = norms[index] as number;
    const start = index * dimensions;
    const [z0, z1, z2] = [dotAt(data, start, goal) / sigma, cosines[i - 1] ?? 0, dotAt(data, start, position) / sigma];
    const [toward, stay] = [z0 - z1 * z2, z1 - z0 * z2];
    // At γ = 1 or beyond, the new point alone is the best of the geodesic's end.
    const gamma = i === 0 || stay <= 0 ? 1 : toward / (toward + stay);
    if (!(gamma > 0)) break;
    const size = weights.sizeWith(index);
    if (size > most && gamma < 1) break;
    const next = position.map((value) => (1 - gamma) * value);
    addScaled(next, gamma / sigma, data, start);
    const length = norm(next);
    for (let j = 0; j < dimensions; j++) position[j] = (next[j] as number) / length;
    const cosine = dotAt(position, 0, goal);
    for (let j = 0; j < dimensions; j++) direction[j] = (goal[j] as number) - cosine * (position[j] as number);
    // The sine of the angle to ℓ, which 1 − cosine² would lose to rounding.
    const error = norm(direction);
    if (error >= (errors[i - 1] ?? Number.POSITIVE_INFINITY)) break;
    weights.step(index, (1 - gamma) / length, gamma / length);
    cosines.push(cosine);
    selected.push(index);
    errors.push(error);
    lineSearch.push(gamma);
    sizes.push(gamma < 1 ? size : 1);
    if (error <= tolerance) break;
  }
  const weightsAt = (count: number): Map<number, number> => {
    const scale = whole * (cosines[count - 1] ?? 0);
    return new Map([...weights.after(count)].map(([n, weight]) => [n, (weight * scale) / (norms[n] ?? 1)]));
  };
  return { ...coresetPath({ selected, errors, sizes, weightsAt }), lineSearch: Float64Array.from(lineSearch) };
}
