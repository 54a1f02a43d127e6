import { ConfigError, foldIn, hostInteger, hostUniform, type Key, key } from '@bpc/core';
import type { EvaluationConfig } from '../config/index.js';
import type { NetworkSpec } from '../experts/network.js';
import type { PhaseProgress } from '../progress/index.js';
import { moduleUrl, runWithProgress, type TaskPool, type TaskSpec } from '../workers/index.js';
import type { EvaluateTaskOptions } from './evaluate-task.js';
import type { HostCoreset } from './host-coreset.js';
import type { Score } from './score.js';

/** What the search may try; each list is drawn from uniformly, step sizes are log-uniform. */
export interface TuningSpace {
  readonly steps: readonly number[];
  readonly stepSize: readonly [low: number, high: number];
  /** ε of the samplers with momentum. */
  readonly samplerStepSize: readonly [low: number, high: number];
  readonly augment: readonly string[];
  readonly priorPrecision: readonly number[];
  readonly temperature: readonly number[];
}

/** One candidate with its validation figures, means over draws. */
export interface TuningResult {
  readonly settings: EvaluationConfig;
  readonly accuracy: number;
  readonly nll: number;
}

interface TuningOptions {
  readonly space: TuningSpace;
  /** Settings that are not searched, and the first candidate. */
  readonly base: EvaluationConfig;
  readonly candidates: number;
  readonly seed: number;
  readonly network: NetworkSpec;
  /** Random coresets, one per draw: never learned ones, which the settings must not have seen. */
  readonly coresets: readonly HostCoreset[];
  readonly pool: TaskPool;
  readonly progress: (total: number) => PhaseProgress;
}

function pick<T>(k: Key, values: readonly T[], fallback: T): T {
  return values[hostInteger(k, Math.max(1, values.length))] ?? fallback;
}

/** Two digits: more would say that more is known. */
function logUniform(k: Key, [low, high]: readonly [number, number]): number {
  const [position = 0] = hostUniform(k, 1);
  return Number((low * (high / low) ** position).toPrecision(2));
}

/**
 * Refuses what has nothing to search.
 *
 * @throws ConfigError for point estimates, whose settings are those of the released code.
 */
export function checkTunable({ protocol }: EvaluationConfig): void {
  if (protocol === 'posterior') return;
  throw new ConfigError(
    `evaluation.protocol is ${protocol}, whose settings are those of the code that it repeats`,
    'leave --evaluation-protocol out, and search the settings of a posterior',
  );
}

/** The settings of candidate `index`; candidate 0 is the base. */
export function drawCandidate(space: TuningSpace, base: EvaluationConfig, seed: number, index: number): EvaluationConfig {
  if (index === 0) return base;
  const k = foldIn(key(seed), index);
  // Samplers with momentum have nothing to draw at T = 0, and a posterior needs a proper prior.
  const cold = base.sampler === 'sgld';
  const above0 = (values: readonly number[]) => values.filter((value) => value > 0);
  const temperature = pick(foldIn(k, 4), cold ? space.temperature : above0(space.temperature), base.temperature);
  return {
    ...base,
    steps: pick(foldIn(k, 0), space.steps, base.steps),
    stepSize: logUniform(foldIn(k, 1), space.stepSize),
    augment: pick(foldIn(k, 2), space.augment, base.augment),
    priorPrecision: pick(foldIn(k, 3), cold ? space.priorPrecision : above0(space.priorPrecision), base.priorPrecision),
    temperature,
    draws: temperature > 0 ? Math.max(base.draws, 5) : 1,
    ...(cold ? {} : { samplerStepSize: logUniform(foldIn(k, 5), space.samplerStepSize) }),
  };
}

/**
 * Random search for the evaluation's own settings: on random real images, by accuracy on the validation split.
 *
 * @returns candidates, best first; diverged ones are left out.
 */
export async function tuneEvaluation({
  space,
  base,
  candidates,
  seed,
  network,
  coresets,
  pool,
  progress,
}: TuningOptions): Promise<TuningResult[]> {
  const tried = Array.from({ length: candidates }, (_, index) => drawCandidate(space, base, seed, index));
  const module = moduleUrl('./evaluate-task.js', import.meta.url);
  const tasks = tried.flatMap((settings) =>
    coresets.map(
      (coreset, draw): TaskSpec<EvaluateTaskOptions> => ({
        module,
        export: 'evaluateOrSkip',
        options: { network, coreset, settings, seed: seed + draw, split: 'validation' },
      }),
    ),
  );
  const scores = await runWithProgress<EvaluateTaskOptions, Score | undefined>(pool, tasks, { phase: progress(tasks.length) });
  const results = tried.flatMap((settings, c): TuningResult[] => {
    const own = scores.slice(c * coresets.length, (c + 1) * coresets.length);
    if (own.some((score) => score === undefined)) return [];
    const meanOf = (metric: string) => own.reduce((sum, score) => sum + (score?.metrics[metric] ?? Number.NaN), 0) / own.length;
    return [{ settings, accuracy: meanOf('accuracy'), nll: meanOf('nll') }];
  });
  return results.sort((a, b) => b.accuracy - a.accuracy);
}
