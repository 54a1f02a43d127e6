import type { Tree } from '../tree.js';
import type { Optimizer, Schedule } from './optimizer.js';
import { chain } from './optimizer.js';
import type { AdamCoefficients } from './transforms.js';
import {
  addDecayedWeights,
  normaliseGradients,
  scaleByAdam,
  scaleByLearningRate,
  scaleByMomentum,
  scaleByTrustRatio,
} from './transforms.js';

/** Options of `sgd`. */
export type SgdOptions = {
  readonly learningRate: number | Schedule;
  /** μ in [0, 1); 0 by default, and then no velocity is kept. */
  readonly momentum?: number;
  readonly nesterov?: boolean;
  /** λ, added to the gradient as `λx` (0 by default). */
  readonly weightDecay?: number;
};

/**
 * Stochastic gradient descent: `g ← g + λx`, `v ← μv + g`, `x ← x − ηv` (Nesterov: `x − η(g + μv)`), as in PyTorch.
 *
 * @throws ConfigError on a negative or non-finite learning rate or weight decay, or a momentum outside [0, 1).
 * @example
 * ```ts
 * import { cosineSchedule, sgd } from '@bpc/core';
 * const optimizer = sgd({ learningRate: cosineSchedule({ peak: 0.1, totalSteps: 1000 }), momentum: 0.9 });
 * ```
 */
export function sgd({ learningRate, momentum = 0, nesterov = false, weightDecay = 0 }: SgdOptions): Optimizer<readonly Tree[]> {
  // Made in any case, so that bad values are refused even where the part is left out.
  const [decay, velocity] = [addDecayedWeights(weightDecay), scaleByMomentum({ momentum, nesterov })];
  return chain(...(weightDecay === 0 ? [] : [decay]), ...(momentum === 0 ? [] : [velocity]), scaleByLearningRate(learningRate));
}

/** Options of the Adam family. */
export type AdamOptions = AdamCoefficients & {
  readonly learningRate: number | Schedule;
  /** λ (0 by default). */
  readonly weightDecay?: number;
};

/**
 * Adam (Kingma & Ba 2015): `x ← x − η·m̂/(√v̂ + ε)`; weight decay is added to the gradient.
 *
 * @throws ConfigError on values outside their domain.
 */
export function adam({ learningRate, weightDecay = 0, ...coefficients }: AdamOptions): Optimizer<readonly Tree[]> {
  const decay = addDecayedWeights(weightDecay);
  return chain(...(weightDecay === 0 ? [] : [decay]), scaleByAdam(coefficients), scaleByLearningRate(learningRate));
}

/**
 * Adam with decoupled weight decay (Loshchilov & Hutter 2019): `x ← x − η(m̂/(√v̂ + ε) + λx)`; λ is 0.01 by default, as
 * in PyTorch.
 *
 * @throws ConfigError on values outside their domain.
 */
export function adamw({ learningRate, weightDecay = 0.01, ...coefficients }: AdamOptions): Optimizer<readonly Tree[]> {
  return chain(scaleByAdam(coefficients), addDecayedWeights(weightDecay), scaleByLearningRate(learningRate));
}

/**
 * LAMB (You et al. 2020): `u = m̂/(√v̂ + ε) + λx`, `x ← x − η·(‖x‖/‖u‖)·u` per tensor, the ratio not clipped and 1 when
 * either norm is 0; ε is 1e-6 by default, as in the paper.
 *
 * @throws ConfigError on values outside their domain.
 */
export function lamb({ learningRate, weightDecay = 0, epsilon = 1e-6, ...coefficients }: AdamOptions): Optimizer<readonly Tree[]> {
  return chain(
    scaleByAdam({ ...coefficients, epsilon }),
    addDecayedWeights(weightDecay),
    scaleByTrustRatio(),
    scaleByLearningRate(learningRate),
  );
}

/**
 * Adam on gradients of unit norm, `g ← g/(‖g‖₂ + normEpsilon)` per tensor: steps no longer depend on the scale of a loss.
 *
 * @throws ConfigError on values outside their domain.
 */
export function gradientNormalisedAdam({
  normEpsilon = 1e-7,
  ...options
}: AdamOptions & { readonly normEpsilon?: number }): Optimizer<readonly Tree[]> {
  return chain(normaliseGradients({ epsilon: normEpsilon }), adam(options));
}
