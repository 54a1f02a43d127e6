import type { EvaluationConfig, FullConfig, RunConfig } from '../config/index.js';

// Costs are in forward passes of one image; a gradient counts as three.

/** One coreset scored with one seed. */
export function evaluationPasses(
  { chains, steps, sampler, burnIn, draws, thinning, leapfrogSteps, temperature }: EvaluationConfig,
  points: number,
  scored: number,
): number {
  const gradients = sampler === 'hmc' ? leapfrogSteps : 1;
  const moves = steps + (temperature > 0 ? (burnIn + draws * thinning) * gradients : 0);
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

/** One estimate: inner steps on M points, then what a method makes of where they end. */
function estimatePasses({ method, innerSteps, draws, temperature, realBatch }: RunConfig, points: number): number {
  const inner = 3 * innerSteps;
  // Without noise, one descent serves all draws; a chain of Langevin steps is one draw.
  const drawn = inner * (temperature > 0 ? draws : 1);
  switch (method) {
    case 'bpc-cd':
      return smallBatches * (inner + 6) * points;
    case 'bpc-fkl':
      return smallBatches * (drawn + 6 * draws) * points;
    case 'bpc-rkl':
    case 'psvi':
      return smallBatches * (drawn + 4 * draws) * points + draws * realBatch;
    case 'bpc-w':
      // Back through a step of gradients: about twice the step again.
      return smallBatches * 3 * inner * points;
  }
}

/** One seed of learning. */
export const learningPasses = (config: RunConfig, points: number): number =>
  config.steps * config.expertsPerStep * estimatePasses(config, points);
