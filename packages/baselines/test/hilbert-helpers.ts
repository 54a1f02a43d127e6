import { type HilbertVectors, hilbertVectors, projectLogLikelihoods } from '@bpc/baselines';
import { foldIn, hostNormal, key } from '@bpc/core';

/** Log-likelihoods of normal points under draws of a location: a real problem, not isotropic noise. */
export function gaussianProblem(seed: number, points: number, draws: number, dim = 5): HilbertVectors {
  const x = hostNormal(foldIn(key(seed), 0), points * dim);
  const theta = hostNormal(foldIn(key(seed), 1), draws * dim);
  const data = Float64Array.from({ length: points * draws }, (_, i) => {
    const [n, s] = [Math.floor(i / draws), i % draws];
    let squares = 0;
    for (let j = 0; j < dim; j++) squares += (x[n * dim + j]! - 0.3 * theta[s * dim + j]!) ** 2;
    return -squares / 2;
  });
  return projectLogLikelihoods({ logLikelihoods: { data, shape: [points, draws] } });
}

/** Isotropic vectors with a common direction. */
export function noiseProblem(seed: number, points: number, dimensions: number): HilbertVectors {
  const noise = hostNormal(foldIn(key(seed), 2), points * dimensions);
  return hilbertVectors({ data: Float64Array.from(noise, (z, i) => z + (i % dimensions === 0 ? 1 : 0)), shape: [points, dimensions] });
}

/** ‖L − Σ w_n L_n‖/‖L‖ by plain sums. */
export function errorOf({ data, shape, sum }: HilbertVectors, indices: Int32Array, weights: Float64Array): number {
  const [, dimensions] = shape;
  const left = Array.from(
    sum,
    (value, j) => value - Array.from(indices).reduce((total, n, i) => total + weights[i]! * data[n * dimensions + j]!, 0),
  );
  return Math.hypot(...left) / Math.hypot(...sum);
}
