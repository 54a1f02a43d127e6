import type { Key, Tree } from '@bpc/core';
import { scalar } from '@tensorflow/tfjs-core';
import type { EvaluationConfig } from '../config/index.js';
import type { ChainHyper } from './chain-energy.js';
import type { ChainPrograms } from './chain-programs.js';
import type { CoresetPoints } from './coreset-points.js';

/** A chain that draws from the posterior of a coreset. */
export interface PosteriorSampler {
  /** Where it is; borrowed until it moves. */
  params(): Tree;
  /** So many transitions, told of in passing. */
  advance(transitions: number, onMoved: (transitions: number) => Promise<void>): Promise<void>;
  /** Ends the burn-in: what it tuned stays as it is. */
  endBurnIn(): void;
  /** Mean acceptance probability since the end of the burn-in; undefined for samplers that reject nothing. */
  acceptance(): number | undefined;
  dispose(): void;
}

/** Where a sampler starts. */
export interface SamplerStart {
  readonly programs: ChainPrograms;
  readonly settings: EvaluationConfig;
  readonly points: CoresetPoints;
  /** Noise of the transitions after `t` moves comes from `foldIn(key, t)`. */
  readonly key: Key;
  /** Initial momenta. */
  readonly startKey: Key;
  /** Moves of the chain so far, those of its training included. */
  readonly moves: number;
  /** Taken: the sampler disposes them. */
  readonly params: Tree;
}

/** Scalars of a chain, owned by the caller. */
export function chainHyper({ momentum, priorPrecision, temperature }: EvaluationConfig, stepSize: number): ChainHyper {
  return {
    stepSize: scalar(stepSize, 'float32'),
    momentum: scalar(momentum, 'float32'),
    precision: scalar(priorPrecision, 'float32'),
    temperature: scalar(temperature, 'float32'),
  };
}

/**
 * The step size of the draws: what is set, or λ of the training for `sgld`, and the ε whose first step is as long: `√λ` for
 * `sghmc` (at α = 1 its steps are Langevin's with λ = ε²), `√(2λ)` for a leapfrog step of `hmc`.
 */
export function samplerStepSize({ sampler, stepSize, samplerStepSize: own }: EvaluationConfig): number {
  if (own !== undefined) return own;
  return sampler === 'sgld' ? stepSize : Math.sqrt(sampler === 'hmc' ? 2 * stepSize : stepSize);
}

/** The largest block of transitions compiled as one program: images of all its steps are in memory at once. */
export const mostTransitionsPerBlock = 10;
