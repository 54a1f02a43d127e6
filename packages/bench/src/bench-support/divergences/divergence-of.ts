import {
  algorithmDraws,
  contrastiveDivergence,
  type Divergence,
  descentDraws,
  forwardKl,
  kroneckerLaplaceDraws,
  type PosteriorDraws,
  psvi,
  reverseKl,
  wasserstein,
} from '@bpc/core';
import { hmc } from '@bpc/samplers';
import type { DivergenceTask } from './task.js';

/** The divergence that a task is about, as `bpc learn` would make it; `given` replaces the draws of the pseudo-posterior. */
export function divergenceOf({ method, settings, learningRates, momentum }: DivergenceTask, given?: PosteriorDraws): Divergence {
  const { innerSteps: steps, stepSize, temperature, sigma, draws, leapfrogSteps, precision } = settings;
  const descended = () => given ?? descentDraws({ steps, stepSize, sigma });
  switch (method) {
    case 'bpc-cd':
      return contrastiveDivergence({ steps, stepSize, temperature, sigma });
    case 'bpc-fkl':
      return forwardKl({ draws, sigma, posterior: descended() });
    case 'bpc-rkl':
      return reverseKl({ draws, posterior: descended() });
    case 'psvi':
      return psvi({ draws, posterior: descended() });
    case 'bpc-w':
      return wasserstein({ steps, stepSize, learnStepSize: { learningRate: learningRates.stepSize, momentum } });
    case 'hmc': {
      const algorithm: Parameters<typeof algorithmDraws>[0]['algorithm'] = (logDensity) => hmc({ logDensity, stepSize, leapfrogSteps });
      // The last transition is the one draw.
      return forwardKl({ draws, sigma, posterior: given ?? algorithmDraws({ algorithm, steps: steps - 1 }) });
    }
    case 'kfl':
      return forwardKl({ draws, sigma, posterior: given ?? kroneckerLaplaceDraws({ steps, stepSize, precision }) });
  }
}
