import type { EvaluationConfig } from '../config/index.js';
import type { HostCoreset } from '../evaluation/host-coreset.js';

/**
 * The coreset that an evaluation sees: for `reduction: 'mean'` with its weights scaled to Σ w = M, for `'sum'` as it is.
 *
 * A mean is about the points' shares: (1/M) Σ w ℓ becomes Σ w ℓ / Σ w, whatever unit weights are in. Without this, weights that
 * count training images (PSVI's start at N/M) would multiply step size and temperature by thousands, which were tuned on
 * weights of 1. What is lost is how far a method moved the total; `'sum'` keeps it. Weights of 1 are returned untouched.
 *
 * @example
 * ```ts
 * import { evaluatedCoreset } from '@bpc/bench';
 * const heavy = { x: Float32Array.of(0, 1), inputShape: [1], y: Float32Array.of(1, 0, 0, 1), classes: 2, weights: Float32Array.of(300, 900) };
 * console.log(evaluatedCoreset(heavy, { reduction: 'mean' }).weights); // 0.5 and 1.5
 * ```
 */
export function evaluatedCoreset(coreset: HostCoreset, { reduction }: Pick<EvaluationConfig, 'reduction'>): HostCoreset {
  const { weights } = coreset;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  // Nothing that counts: what reads coresets refuses that, with the file's name.
  if (reduction === 'sum' || total === weights.length || total === 0) return coreset;
  return { ...coreset, weights: weights.map((weight) => (weight * weights.length) / total) };
}
