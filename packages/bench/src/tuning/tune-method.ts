import { rm } from 'node:fs/promises';
import { CheckpointError } from '@bpc/core';
import type { EvaluationConfig, Overrides, RunConfig } from '../config/index.js';
import type { ExpertRecipe } from '../experts/expert-file.js';
import { networkSpec } from '../experts/network.js';
import { evaluationPasses, learningPasses } from '../learning/job-cost.js';
import { type Job, runJobs } from '../learning/jobs.js';
import type { PhaseProgress } from '../progress/index.js';
import type { RunFolder } from '../run-folder/index.js';
import { moduleUrl, type TaskPool } from '../workers/index.js';
import type { TrialPlan, TuningPlan } from './plan-trials.js';
import type { SelectionData } from './selection-data.js';
import type { TrialScore, TrialTaskOptions } from './trial-task.js';

/** By what the best trial is chosen; always of validation images. */
export const selectionCriteria = ['accuracy', 'nll'] as const;
/** See `selectionCriteria`. */
export type SelectionCriterion = (typeof selectionCriteria)[number];

/** How trials are made cheaper than runs in earnest. */
export interface TrialBudget {
  /** Outer steps of a trial. */
  readonly steps?: number | undefined;
  /** Chains of its evaluation. */
  readonly chains?: number | undefined;
}

/** A finished trial: means over its seeds, or why there are none. */
export interface TrialResult {
  readonly trial: number;
  readonly settings: Overrides;
  readonly accuracy?: number;
  readonly nll?: number;
  readonly diverged?: string;
}

interface TuneMethodOptions {
  readonly plan: TuningPlan;
  /** Learned and scored with each; none of them is a seed of a run in earnest. */
  readonly seeds: readonly number[];
  readonly budget: TrialBudget;
  readonly select: SelectionCriterion;
  readonly data: SelectionData;
  readonly folder: RunFolder;
  readonly expertFolder: string;
  readonly recipe: ExpertRecipe;
  /** Threads that hold `data`. */
  readonly pool: TaskPool;
  readonly progress: (jobs: number, total: number) => PhaseProgress;
  readonly allowInexact?: boolean;
}

/** What is kept of a trial's seed: settings too, since trials of another space have other ones. */
interface TrialPiece {
  readonly settings: Overrides;
  readonly score: TrialScore;
}

const pieceName = (trial: number, seed: number): string => `trial-${trial}-seed${seed}`;

/** The evaluation of a trial: the frozen one, with fewer chains if asked for. */
const evaluationOf = ({ evaluation }: RunConfig, { chains }: TrialBudget): EvaluationConfig => ({
  ...evaluation,
  chains: chains ?? evaluation.chains,
});

function jobOf(options: TuneMethodOptions, { index, config, settings }: TrialPlan, seed: number): Job & { readonly settings: Overrides } {
  const { budget, data, expertFolder, recipe, folder, allowInexact = false } = options;
  const shortened = { ...config, steps: budget.steps ?? config.steps };
  const evaluation = evaluationOf(config, budget);
  const points = config.ipc * data.classes;
  const costs = [learningPasses(shortened, points), evaluationPasses(evaluation, points, data.validation.count)] as const;
  const weight = costs[0] + costs[1];
  const name = pieceName(index, seed);
  const task: TrialTaskOptions = {
    learn: {
      ...{ config: shortened, network: networkSpec(config, data), seed, expertFolder, recipe, allowInexact },
      folder: folder.checkpointFolder('trials', name),
    },
    evaluation,
    learningShare: costs[0] / weight,
  };
  return {
    name,
    kind: 'trial',
    weight,
    settings,
    task: { module: moduleUrl('./trial-task.js', import.meta.url), export: 'trialTask', options: task },
  };
}

function resultOf({ index, settings }: TrialPlan, scores: readonly TrialScore[]): TrialResult {
  const diverged = scores.find((score) => 'diverged' in score);
  if (diverged !== undefined && 'diverged' in diverged) return { trial: index, settings, diverged: diverged.diverged };
  const finished = scores.filter((score) => 'accuracy' in score);
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  return { trial: index, settings, accuracy: mean(finished.map(({ accuracy }) => accuracy)), nll: mean(finished.map(({ nll }) => nll)) };
}

/** Best first, diverged ones last; ties go to the other criterion, then to the earlier trial. */
export function ranked(results: readonly TrialResult[], select: SelectionCriterion): TrialResult[] {
  const worst = Number.POSITIVE_INFINITY;
  const costs = ({ accuracy, nll }: TrialResult): readonly [number, number] => {
    const both = [accuracy === undefined ? worst : -accuracy, nll ?? worst] as const;
    return select === 'accuracy' ? both : [both[1], both[0]];
  };
  const compare = (a: number, b: number) => (a === b ? 0 : a < b ? -1 : 1);
  return [...results].sort((a, b) => {
    const [first, second] = [costs(a), costs(b)];
    return compare(first[0], second[0]) || compare(first[1], second[1]) || a.trial - b.trial;
  });
}

/**
 * Runs the trials of one method: each learns a coreset per seed and scores it on validation images.
 *
 * A finished trial is kept in the folder, and one that was stopped goes on from its checkpoint, so that a search that was
 * killed ends with the same figures.
 *
 * @returns all trials, best first. @throws CheckpointError if the folder has a trial with other settings; InterruptedError.
 */
export async function tuneMethod(options: TuneMethodOptions): Promise<TrialResult[]> {
  const { plan, seeds, select, folder, pool, progress } = options;
  const read = (trial: TrialPlan, seed: number): TrialPiece | undefined => {
    const name = pieceName(trial.index, seed);
    const piece = folder.readPiece<TrialPiece>(name);
    if (piece === undefined || JSON.stringify(piece.settings) === JSON.stringify(trial.settings)) return piece;
    throw new CheckpointError(
      `${name} in ${folder.path} was run with ${JSON.stringify(piece.settings)}, expected ${JSON.stringify(trial.settings)}`,
      'pass another --out, or delete the folder',
    );
  };
  const jobs = plan.trials.flatMap((trial) =>
    seeds.flatMap((seed) => (read(trial, seed) === undefined ? [jobOf(options, trial, seed)] : [])),
  );
  const settingsOf = new Map(jobs.map(({ name, settings }) => [name, settings]));
  await runJobs({
    pool,
    jobs,
    progress,
    async store({ name }, score) {
      await folder.writePiece(name, { settings: settingsOf.get(name), score });
      // Only its figures are of use from here on, and many trials with their checkpoints fill a disk.
      await rm(folder.checkpointFolder('trials', name), { recursive: true, force: true });
    },
  });
  const results = plan.trials.map((trial) =>
    resultOf(
      trial,
      seeds.map((seed) => {
        const piece = read(trial, seed);
        if (piece === undefined) throw new Error(`trial ${trial.index} was run but its figures are missing`);
        return piece.score;
      }),
    ),
  );
  return ranked(results, select);
}
