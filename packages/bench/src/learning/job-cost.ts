import type { EvaluationConfig, FullConfig, RunConfig } from '../config/index.js';

// Costs are in forward passes of one image; a gradient counts as three.

/** One coreset scored with one seed. */
export function evaluationPasses(
  { chains, steps, draws, thinning, temperature }: EvaluationConfig,
  points: number,
  scored: number,
): number {
  const moves = steps + (temperature > 0 ? draws * thinning : 0);
  return chains * (3 * moves * points + draws * scored);
}

/** One seed of the ceiling. */
export const fullPasses = ({ networks, epochs }: FullConfig, train: number, scored: number): number =>
  networks * (3 * epochs * train + scored);

/** One expert. */
export const expertPasses = ({ expertEpochs, expertImages }: Pick<RunConfig, 'expertEpochs' | 'expertImages'>, train: number): number =>
  3 * expertEpochs * Math.min(expertImages, train);

// A step moves weights, images and augmentations as well, which few images do not hide.
const smallBatches = 2;

/** One seed of learning: k inner steps, then the gradient of both phases, per expert. */
export const learningPasses = ({ steps, expertsPerStep, innerSteps }: RunConfig, points: number): number =>
  smallBatches * steps * expertsPerStep * (3 * innerSteps + 6) * points;
