import {
  adam,
  chain,
  clipByGlobalNorm,
  contrastiveDivergence,
  type Divergence,
  descentDraws,
  forwardKl,
  type Learnable,
  type Optimizer,
  perPart,
  psvi,
  reverseKl,
  sgd,
  wasserstein,
} from '@bpc/core';

/** What differs between methods; everything else is the same for all. */
export interface Method {
  readonly name: string;
  readonly divergence: Divergence;
  readonly optimizer: Optimizer;
  /** Outer steps. */
  readonly steps: number;
  /** Epochs between the snapshot that inner steps start from and the expert they are compared with. */
  readonly epochsAhead: number;
  readonly learnable?: Partial<Learnable>;
  /** The weight of every point at the start, 1 if left out. */
  readonly weight?: number;
}

/**
 * Every method of `@bpc/core`. Learning rates and the settings of inner steps are the best of twelve tries per method, by
 * validation accuracy at a few seeds; Wasserstein took ten more until its gradients were clipped.
 *
 * @param perPoint - N/M, how many training images a point stands for.
 */
export function methods(perPoint: number): readonly Method[] {
  return [
    {
      name: 'contrastive divergence',
      divergence: contrastiveDivergence({ steps: 10, stepSize: 0.3 }),
      optimizer: sgd({ learningRate: 10, momentum: 0.5 }),
      steps: 200,
      epochsAhead: 0,
    },
    {
      name: 'forward KL',
      divergence: forwardKl({ draws: 4, posterior: descentDraws({ steps: 30, stepSize: 0.3 }) }),
      optimizer: sgd({ learningRate: 10, momentum: 0.5 }),
      steps: 200,
      epochsAhead: 1,
    },
    {
      name: 'reverse KL',
      divergence: reverseKl({ draws: 10, posterior: descentDraws({ steps: 10, stepSize: 0.3, sigma: 0.1 }) }),
      // The covariance of few draws is noisy, and momentum would carry its noise on.
      optimizer: sgd({ learningRate: 10 }),
      steps: 100,
      epochsAhead: 1,
    },
    {
      name: 'Wasserstein',
      divergence: wasserstein({ steps: 30, stepSize: 0.3, learnStepSize: { learningRate: 1e-5 } }),
      // Clipped, all steps are about as long; no rate that was tried without learned as well.
      optimizer: chain(clipByGlobalNorm({ maxNorm: 0.03 }), sgd({ learningRate: 3, momentum: 0.5 })),
      steps: 200,
      epochsAhead: 2,
    },
    {
      name: 'PSVI',
      // Points that weigh N/M multiply the energy, so inner steps are divided by that.
      divergence: psvi({ draws: 10, posterior: descentDraws({ steps: 10, stepSize: 0.3 / perPoint }) }),
      optimizer: perPart({ x: adam({ learningRate: 0.02 }), weights: adam({ learningRate: 0.01 * perPoint }) }),
      learnable: { x: true, weights: true },
      steps: 100,
      epochsAhead: 1,
      weight: perPoint,
    },
  ];
}
