import type { Reporter } from '../../progress/index.js';
import type { RunFolder } from '../../run-folder/index.js';
import { moduleUrl, runWithProgress, type TaskPool, type TaskSpec } from '../../workers/index.js';
import type { CaseBudget } from './budget.js';
import { type ClosenessMetrics, closenessOf, type Posterior, type SamplingRecord } from './metrics.js';
import { type CaseName, type ClosenessProblem, isRegression, parameterCount, trainCount } from './problem.js';
import { type ControlName, controlNames, drawSettings, methodsOf, type Settings, type StudyMethod } from './spaces.js';
import type { ReferenceTask, StudyResult, StudyTask } from './study-task.js';

/** Settings that were tried, and how well they did on seeds that are not reported. */
export interface TrialRecord {
  readonly settings: Settings;
  /** Mean total variation of the predictive on validation inputs; left out if a run diverged. */
  readonly score?: number;
}

/** One method: what it was chosen from, and what became of every seed. */
export interface MethodStudy {
  readonly method: StudyMethod | ControlName;
  /** None for controls, which have nothing to choose. */
  readonly trials: readonly TrialRecord[];
  /** Place of the chosen trial. */
  readonly chosen?: number;
  readonly seeds: readonly StudyResult[];
}

/** What a case came to. Plain data. */
export interface CaseStudy {
  readonly name: CaseName;
  readonly title: string;
  readonly counts: { readonly train: number; readonly points: number; readonly parameters: number; readonly validation: number };
  /** Whether errors of single parameters say something: weights of a network can be permuted. */
  readonly comparesParameters: boolean;
  readonly trials: number;
  readonly selectionSeeds: number;
  /** Runs of the sampler on the full data; none where the posterior has a closed form. */
  readonly references: readonly SamplingRecord[];
  /** The second run compared with the first, as if it were a coreset's: what sampling alone is off by. */
  readonly floor: ClosenessMetrics;
  readonly methods: readonly MethodStudy[];
}

/** A piece of work with the name that its result is kept under. */
interface Job<Options> {
  readonly piece: string;
  readonly options: Options;
}

interface StudyTools {
  readonly folder: RunFolder;
  readonly pool: TaskPool;
  readonly reporter: Reporter;
}

/** Runs what is not in the folder yet, keeps every result as soon as it is there, and returns all in order. */
async function runKept<Options, Result>(
  title: string,
  run: 'referenceTask' | 'studyTask',
  jobs: readonly Job<Options>[],
  { folder, pool, reporter }: StudyTools,
): Promise<Result[]> {
  const results = jobs.map(({ piece }) => folder.readPiece<Result>(piece));
  const open = jobs.map((job, i) => ({ ...job, i })).filter(({ i }) => results[i] === undefined);
  if (open.length > 0) {
    const module = moduleUrl('./study-task.js', import.meta.url);
    const tasks = open.map(({ options }): TaskSpec<Options> => ({ module, export: run, options }));
    await runWithProgress<Options, Result>(pool, tasks, {
      phase: reporter.phase(title, tasks.length),
      store: async (index, result) => {
        const job = open[index];
        if (job === undefined) return;
        results[job.i] = result;
        await folder.writePiece(job.piece, result);
      },
    });
  }
  // Every place was filled above or by an earlier run.
  return results as Result[];
}

function meanScore(results: readonly StudyResult[]): number | undefined {
  const values = results.map(({ metrics }) => metrics?.totalVariation);
  if (values.some((value) => value === undefined)) return undefined;
  return values.reduce<number>((sum, value) => sum + (value ?? 0), 0) / values.length;
}

/** Place of the smallest score; the first trial if all diverged. */
export function bestTrial(trials: readonly TrialRecord[]): number {
  const score = (i: number) => trials[i]?.score ?? Number.POSITIVE_INFINITY;
  return trials.reduce((best, _, i) => (score(i) < score(best) ? i : best), 0);
}

/** Tries the same number of settings for every method. */
async function select(problem: ClosenessProblem, budget: CaseBudget, truth: Posterior, tools: StudyTools): Promise<TrialRecord[][]> {
  const { name } = problem;
  const { trials, selectionSeeds } = budget;
  const methods = methodsOf(problem);
  const seeds = Array.from({ length: selectionSeeds }, (_, seed) => seed);
  const plans = methods.map((method) => Array.from({ length: trials }, (_, i) => drawSettings(method, problem, i)));
  const jobs = methods.flatMap((method, m) =>
    (plans[m] ?? []).flatMap((settings, trial) =>
      seeds.map((seed): Job<StudyTask> => {
        const options: StudyTask = { name, budget, method, settings, seed, purpose: 'selection', truth };
        return { piece: `${name}-${method}-trial${trial}-seed${seed}`, options };
      }),
    ),
  );
  const results = await runKept<StudyTask, StudyResult>(`${name}: trials`, 'studyTask', jobs, tools);
  return plans.map((plan, m) =>
    plan.map((settings, trial) => {
      const first = (m * trials + trial) * selectionSeeds;
      const score = meanScore(results.slice(first, first + selectionSeeds));
      return { settings, ...(score !== undefined && { score }) };
    }),
  );
}

/**
 * One case from the reference to the last seed: the true posterior, settings chosen by validation on seeds of their own, then
 * every method and control with the reported seeds. What an earlier run left in the folder is not done again.
 */
export async function studyCase(problem: ClosenessProblem, budget: CaseBudget, seeds: number, tools: StudyTools): Promise<CaseStudy> {
  const { name, title, validationCount, points } = problem;
  const exact = problem.likelihood === 'normal';
  const runs = Array.from(
    { length: exact ? 1 : 2 },
    (_, run): Job<ReferenceTask> => ({
      piece: `${name}-reference${run}`,
      options: { name, budget, run },
    }),
  );
  const posteriors = await runKept<ReferenceTask, Posterior>(`${name}: full data`, 'referenceTask', runs, tools);
  const [truth, again = truth] = posteriors;
  if (truth === undefined || again === undefined) throw new RangeError('the reference is missing');
  const trials = await select(problem, budget, truth, tools);
  const methods = methodsOf(problem);
  const rows = [
    ...controlNames.map((method) => ({ method, trials: [], settings: {} })),
    ...methods.map((method, m) => {
      const tried = trials[m] ?? [];
      const chosen = bestTrial(tried);
      return { method, trials: tried, chosen, settings: tried[chosen]?.settings ?? {} };
    }),
  ];
  const jobs = rows.flatMap(({ method, settings }) =>
    Array.from({ length: seeds }, (_, seed): Job<StudyTask> => {
      const options: StudyTask = { name, budget, method, settings, seed, purpose: 'report', truth };
      return { piece: `${name}-${method}-seed${seed}`, options };
    }),
  );
  const results = await runKept<StudyTask, StudyResult>(`${name}: seeds`, 'studyTask', jobs, tools);
  return {
    name,
    title,
    counts: { train: trainCount(problem), points, parameters: parameterCount(problem), validation: validationCount },
    comparesParameters: isRegression(problem),
    trials: budget.trials,
    selectionSeeds: budget.selectionSeeds,
    references: posteriors.flatMap(({ sampling }) => (sampling === undefined ? [] : [sampling])),
    floor: closenessOf(again, truth),
    methods: rows.map(({ settings: _, ...row }, i) => ({ ...row, seeds: results.slice(i * seeds, (i + 1) * seeds) })),
  };
}
