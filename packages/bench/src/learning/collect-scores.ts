import type { RunConfig } from '../config/index.js';
import type { Score } from '../evaluation/score.js';
import type { LearningCurve } from '../report/curve.js';
import type { RunFolder } from '../run-folder/index.js';
import { startRows } from './rows.js';
import { curveJobName, fullJobName, learnedJobName, type SeedPlan, startJobName } from './score-jobs.js';
import { snapshotSteps } from './snapshots.js';

/** The scores of one row, one per seed. */
export interface RowScores {
  readonly name: string;
  readonly scores: readonly Score[];
}

type Pieces = Pick<RunFolder, 'readPiece'>;

/** The rows of the table from the pieces of a finished run. */
export function collectRows(folder: Pieces, plans: readonly SeedPlan[]): RowScores[] {
  const row = (name: string, job: (plan: SeedPlan) => string): RowScores => ({
    name,
    scores: plans.flatMap((plan) => folder.readPiece<Score | null>(job(plan)) ?? []),
  });
  return [
    ...startRows.map((name) => row(name, ({ seed, starts }) => startJobName(seed, starts[name]))),
    row('learned', ({ seed }) => learnedJobName(seed)),
    row('full', ({ seed }) => fullJobName(seed)),
  ];
}

/** The points of a seed's validation curve. */
export function validationPoints(
  folder: Pieces,
  config: Pick<RunConfig, 'steps' | 'checkpointEvery'>,
  seed: number,
): LearningCurve['points'][number][] {
  return [0, ...snapshotSteps(config), config.steps].flatMap((step) => {
    const { accuracy, nll } = folder.readPiece<Score | null>(curveJobName(seed, step))?.metrics ?? {};
    return accuracy === undefined || nll === undefined ? [] : [{ step, validationAccuracy: accuracy, validationNll: nll }];
  });
}
