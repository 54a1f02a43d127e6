import type { RunConfig } from '../config/index.js';
import type { EvaluateTaskOptions } from '../evaluation/evaluate-task.js';
import type { FullTaskOptions } from '../evaluation/full-task.js';
import type { HostCoreset } from '../evaluation/host-coreset.js';
import type { NetworkSpec } from '../experts/network.js';
import { moduleUrl } from '../workers/index.js';
import { evaluationPasses, fullPasses } from './job-cost.js';
import type { Job } from './jobs.js';
import { coresetFile, snapshotFile } from './learned-files.js';
import { coresetHash, type StartRow } from './rows.js';
import type { ScoreLearnedOptions } from './score-learned-task.js';
import { snapshotSteps } from './snapshots.js';

/** What every scoring job of a run shares. */
export interface ScoringContext {
  readonly config: RunConfig;
  readonly network: NetworkSpec;
  /** Images per split, by which costs are estimated. */
  readonly images: { readonly train: number; readonly validation: number; readonly test: number };
}

/** One seed: the coresets that are there before learning, and where the learned one will be. */
export interface SeedPlan {
  readonly seed: number;
  readonly starts: Readonly<Record<StartRow, HostCoreset>>;
  readonly folder: string;
}

/** Name of the job that learns a seed. */
export const learnJobName = (seed: number): string => `learn-seed${seed}`;
/** Name of the ceiling's job. */
export const fullJobName = (seed: number): string => `full-seed${seed}`;
/** Name of the job that scores the learned coreset. */
export const learnedJobName = (seed: number): string => `score-seed${seed}-learned`;
/** Name of the job of a coreset that exists before learning; equal coresets have one job per seed. */
export const startJobName = (seed: number, coreset: HostCoreset): string => `score-seed${seed}-${coresetHash(coreset)}`;
/** Name of the job of one point of the validation curve. */
export const curveJobName = (seed: number, step: number): string => `curve-seed${seed}-step${step}`;

const evaluateModule = () => moduleUrl('../evaluation/evaluate-task.js', import.meta.url);
const learnedModule = () => moduleUrl('./score-learned-task.js', import.meta.url);

/** The ceiling: the most expensive rows. */
export function fullJob({ config, network, images }: ScoringContext, seed: number): Job {
  const options: FullTaskOptions = { network, settings: config.full, seed, split: config.scoreOn };
  const module = moduleUrl('../evaluation/full-task.js', import.meta.url);
  return {
    name: fullJobName(seed),
    kind: 'ceiling',
    task: { module, export: 'fullTask', options },
    weight: fullPasses(config.full, images.train, images[config.scoreOn]),
  };
}

/** A row whose coreset is there from the beginning. */
export function startJob({ config, network, images }: ScoringContext, seed: number, coreset: HostCoreset): Job {
  const options: EvaluateTaskOptions = { network, coreset, settings: config.evaluation, seed, split: config.scoreOn };
  return {
    name: startJobName(seed, coreset),
    kind: 'controls',
    task: { module: evaluateModule(), export: 'evaluateTask', options },
    weight: evaluationPasses(config.evaluation, coreset.weights.length, images[config.scoreOn]),
  };
}

/** The row that all this is about; it waits for its seed to be learned. */
export function learnedJob({ config, network, images }: ScoringContext, { seed, folder, starts }: SeedPlan): Job {
  const options: ScoreLearnedOptions = { network, file: coresetFile(folder), settings: config.evaluation, seed, split: config.scoreOn };
  return {
    name: learnedJobName(seed),
    kind: 'learned',
    task: { module: learnedModule(), export: 'scoreLearnedTask', options },
    weight: evaluationPasses(config.evaluation, starts.init.weights.length, images[config.scoreOn]),
    after: [learnJobName(seed)],
  };
}

/**
 * The validation curve of a seed: the coreset at a few steps, each scored by one chain on validation images.
 *
 * One chain is enough to see a course, and keeps the curve cheap beside the rows.
 */
export function curveJobs({ config, network, images }: ScoringContext, { seed, folder, starts }: SeedPlan): Job[] {
  if (images.validation === 0) return [];
  const settings = { ...config.evaluation, chains: 1 };
  const common = { network, settings, seed, split: 'validation' } as const;
  const weight = evaluationPasses(settings, starts.init.weights.length, images.validation);
  const first: EvaluateTaskOptions = { ...common, coreset: starts.init };
  return [
    { name: curveJobName(seed, 0), kind: 'curves', weight, task: { module: evaluateModule(), export: 'evaluateTask', options: first } },
    ...[...snapshotSteps(config), config.steps].map((step): Job => {
      const file = step === config.steps ? coresetFile(folder) : snapshotFile(folder, step);
      const options: ScoreLearnedOptions = { ...common, file };
      return {
        name: curveJobName(seed, step),
        kind: 'curves',
        weight,
        task: { module: learnedModule(), export: 'scoreLearnedTask', options },
        after: [learnJobName(seed)],
      };
    }),
  ];
}
