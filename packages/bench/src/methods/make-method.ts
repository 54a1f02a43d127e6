import {
  type Coreset,
  contrastiveDivergence,
  type Divergence,
  descentDraws,
  forwardKl,
  type Learnable,
  langevinDraws,
  type Optimizer,
  type PosteriorDraws,
  psvi,
  reverseKl,
  wasserstein,
} from '@bpc/core';
import type { RunConfig } from '../config/index.js';
import { coresetOptimizer, keepWeightsNonNegative } from './coreset-optimizer.js';
import { methodTraits } from './traits.js';

/** Everything that `learn` and `sampled` are told about a method. */
export interface Method {
  readonly divergence: Divergence;
  readonly learnable: Learnable;
  readonly optimizer: Optimizer;
  /** Left out where nothing has to be kept in bounds. */
  readonly project?: (coreset: Coreset) => Coreset;
  readonly needs: {
    /** Real images per estimate; 0 for none. */
    readonly realBatch: number;
    /** Epochs between the snapshot that inner steps start from and the expert. */
    readonly epochsAhead: number;
  };
}

/**
 * What a method is fitted to: N training images, and the weight of each point at the start.
 *
 * A point that stands for many images multiplies the energy. Inner steps are divided by that weight, and weights are moved in
 * units of it, so that `stepSize` and `weightLearningRate` mean the same for every method.
 */
export interface MethodData {
  readonly trainCount: number;
  readonly startWeight: number;
}

function posteriorOf(config: RunConfig, stepSize: number): PosteriorDraws {
  const { innerSteps: steps, temperature, sigma, reduction, epochsAhead } = config;
  const common = { steps, stepSize, sigma, reduction, from: epochsAhead === 0 ? 'expert' : 'start' } as const;
  return temperature === 0 ? descentDraws(common) : langevinDraws({ ...common, temperature });
}

function divergenceOf(config: RunConfig, { trainCount }: MethodData): Divergence {
  const { innerSteps, stepSize, temperature, sigma, reduction, draws, persistent, stepSizeLearningRate } = config;
  switch (config.method) {
    case 'bpc-cd':
      return contrastiveDivergence({ steps: innerSteps, stepSize, temperature, reduction, sigma, persistent });
    case 'bpc-fkl':
      return forwardKl({ draws, sigma, reduction, posterior: posteriorOf(config, stepSize) });
    case 'bpc-rkl':
      return reverseKl({ draws, reduction, posterior: posteriorOf(config, stepSize) });
    case 'bpc-w':
      return wasserstein({
        ...{ steps: innerSteps, stepSize, reduction },
        ...(stepSizeLearningRate === 0 ? {} : { learnStepSize: { learningRate: stepSizeLearningRate } }),
      });
    case 'psvi':
      return psvi({ draws, posterior: posteriorOf(config, stepSize / trainCount) });
  }
}

/**
 * The one place where a configuration becomes a method: divergence, what is learned and how, and what it has to be given.
 *
 * @throws ConfigError for settings that a divergence refuses.
 */
export function makeMethod(config: RunConfig, data: MethodData): Method {
  const { learnLabels, learnWeights, realBatch, epochsAhead } = config;
  return {
    divergence: divergenceOf(config, data),
    learnable: { x: true, y: learnLabels, weights: learnWeights },
    optimizer: coresetOptimizer(config, data.startWeight),
    ...(learnWeights ? { project: keepWeightsNonNegative } : {}),
    needs: { realBatch: methodTraits[config.method].real ? realBatch : 0, epochsAhead },
  };
}
