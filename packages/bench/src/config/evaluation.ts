import { ConfigError } from '@bpc/core';
import { z } from 'zod';
import { augmentationName } from './augmentation-name.js';
import { choice, fraction, integer, nonNegative, positive } from './domain.js';

/** What a row's figures are of: draws of a posterior (an ensemble at T = 0), or networks that are scored one by one. */
export const protocolNames = ['posterior', 'point-estimate'] as const;
/** What draws from the posterior of a coreset. A choice of its own, whatever method learned the coreset. */
export const samplerNames = ['sgld', 'sghmc', 'hmc'] as const;

/** How predictions are made from a coreset. */
export const evaluationSchema = z.strictObject(
  {
    protocol: choice(protocolNames),
    sampler: choice(samplerNames),
    chains: integer(1),
    steps: integer(1),
    burnIn: integer(0),
    draws: integer(1),
    thinning: integer(1),
    stepSize: positive(),
    samplerStepSize: positive().optional(),
    momentum: fraction(),
    decay: choice(['constant', 'cosine', 'halfway']),
    momentumDecay: positive().max(1, { error: 'a number in (0, 1]' }),
    leapfrogSteps: integer(1),
    temperature: nonNegative(),
    priorPrecision: nonNegative(),
    reduction: choice(['mean', 'sum']),
    augment: augmentationName(),
    batch: integer(1),
    pointsAtOnce: integer(1).optional(),
  },
  { error: 'a mapping of option names to values' },
);

/** How predictions are made from a coreset. */
export type EvaluationConfig = z.infer<typeof evaluationSchema>;

/** The main job's; tuned on random coresets by validation (`bpc tune-evaluation`) and frozen. */
export const evaluationBase: EvaluationConfig = {
  protocol: 'posterior',
  sampler: 'sgld',
  chains: 3,
  steps: 200,
  burnIn: 0,
  draws: 3,
  thinning: 10,
  stepSize: 0.02,
  momentum: 0.9,
  decay: 'cosine',
  momentumDecay: 0.1,
  leapfrogSteps: 10,
  temperature: 1e-6,
  priorPrecision: 0.05,
  reduction: 'mean',
  augment: 'crop_scale_rotate',
  batch: 256,
};

// The draws of a data set whose own settings make an ensemble: samplers with momentum have nothing to do at T = 0.
const warm = ({ temperature, draws }: EvaluationConfig): Partial<EvaluationConfig> =>
  temperature > 0 ? {} : { temperature: evaluationBase.temperature, draws: Math.max(draws, evaluationBase.draws) };

/**
 * The settings of a data set for another protocol or sampler, where they differ by nature.
 *
 * - `sghmc`: momenta start at random, and take some steps to get to temperature.
 * - `hmc`: the transitions before the first draw tune the step size; one of ten leapfrog steps between draws costs what ten
 *   Langevin steps do.
 * - `point-estimate`: the numbers of the code released with BPC-CD. `steps` are epochs, `priorPrecision` is the weight decay.
 *
 * @param augmentation - the strategy of the data set, used by point estimates.
 */
export function evaluationFor(
  tuned: EvaluationConfig,
  wanted: { readonly protocol?: unknown; readonly sampler?: unknown },
  augmentation: string,
): EvaluationConfig {
  if (wanted.protocol === 'point-estimate') {
    return {
      ...tuned,
      protocol: 'point-estimate',
      sampler: 'sgld',
      chains: 5,
      steps: 1001,
      burnIn: 0,
      draws: 1,
      thinning: 1,
      stepSize: 0.01,
      momentum: 0.9,
      decay: 'halfway',
      temperature: 0,
      priorPrecision: 0.0005,
      reduction: 'mean',
      augment: augmentation,
      batch: 256,
    };
  }
  if (wanted.sampler === 'sghmc') return { ...tuned, ...warm(tuned), sampler: 'sghmc', burnIn: 50 };
  if (wanted.sampler === 'hmc') return { ...tuned, ...warm(tuned), sampler: 'hmc', burnIn: 30, thinning: 1 };
  return tuned;
}

function checkPointEstimate({ sampler, temperature, draws, burnIn, reduction, samplerStepSize }: EvaluationConfig): void {
  const odd = [
    [sampler !== 'sgld', 'sampler', sampler, 'no sampler'],
    [temperature !== 0, 'temperature', temperature, '0'],
    [draws !== 1, 'draws', draws, '1'],
    [burnIn !== 0, 'burnIn', burnIn, '0'],
    [samplerStepSize !== undefined, 'samplerStepSize', samplerStepSize, 'none'],
    [reduction !== 'mean', 'reduction', reduction, 'mean'],
  ] as const;
  const wrong = odd.find(([bad]) => bad);
  if (wrong === undefined) return;
  const [, name, found, expected] = wrong;
  throw new ConfigError(
    `evaluation.${name} is ${found} with evaluation.protocol point-estimate, which scores single trained networks and expects ${expected}`,
    `leave evaluation.${name} out, or set evaluation.protocol to posterior`,
  );
}

/**
 * Refuses settings that contradict each other.
 *
 * @throws ConfigError naming both.
 */
export function checkEvaluation(evaluation: EvaluationConfig): void {
  const { protocol, sampler, temperature, draws, priorPrecision } = evaluation;
  if (protocol === 'point-estimate') {
    checkPointEstimate(evaluation);
    return;
  }
  if (sampler !== 'sgld' && temperature === 0) {
    throw new ConfigError(
      `evaluation.sampler is ${sampler} at evaluation.temperature 0, where there is nothing to draw`,
      'set evaluation.temperature above 0, or leave evaluation.sampler out for an ensemble',
    );
  }
  if (temperature === 0 && draws > 1) {
    throw new ConfigError(
      `evaluation.draws is ${draws} at evaluation.temperature 0, where later draws only repeat the first`,
      'set evaluation.draws to 1, or evaluation.temperature above 0',
    );
  }
  if (temperature > 0 && priorPrecision === 0) {
    throw new ConfigError(
      `evaluation.priorPrecision is 0 at evaluation.temperature ${temperature}, where draws need a proper prior`,
      'set evaluation.priorPrecision above 0, or evaluation.temperature to 0',
    );
  }
}
