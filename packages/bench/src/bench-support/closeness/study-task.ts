import { jsRuntime } from '@bpc/compiler';
import { ConfigError, foldIn, key, NonFiniteError, type Runtime } from '@bpc/core';
import type { TaskTools } from '../../workers/protocol.js';
import type { CaseBudget } from './budget.js';
import { type HeldExperts, trainExperts } from './experts.js';
import { learnCoreset } from './learn-coreset.js';
import { type ClosenessMetrics, closenessOf, type Posterior, type SamplingRecord } from './metrics.js';
import { type PosteriorTools, posteriorOfPoints, priorPosterior } from './posterior.js';
import type { CaseName, ClosenessProblem, HostPoints } from './problem.js';
import { type ControlName, divergenceNames, type Settings, type StudyMethod, subsetNames } from './spaces.js';
import { chosenPoints, randomPoints } from './subsets.js';

/** What every thread holds. */
export interface StudyData {
  readonly problems: readonly ClosenessProblem[];
}

/** One run of the sampler on the full data. */
export interface ReferenceTask {
  readonly name: CaseName;
  readonly budget: CaseBudget;
  /** Runs with different numbers share nothing that is random. */
  readonly run: number;
}

/** One method with one seed: drawn, learned, its posterior compared. */
export interface StudyTask {
  readonly name: CaseName;
  readonly budget: CaseBudget;
  readonly method: StudyMethod | ControlName;
  readonly settings: Settings;
  readonly seed: number;
  /** Trials have a cheaper posterior, and seeds that no reported run has. */
  readonly purpose: 'selection' | 'report';
  readonly truth: Posterior;
}

/** What became of it. */
export interface StudyResult {
  readonly metrics?: ClosenessMetrics;
  readonly sampling?: SamplingRecord;
  /** Σ w and the number of points with a weight, of what stands for the data. */
  readonly totalWeight?: number;
  readonly points?: number;
  /** Why there are no figures: a run that diverged. */
  readonly diverged?: string;
  readonly seconds: number;
}

// Streams of random numbers: the parts of a study share none.
const [REFERENCE, EXPERTS, REPORT, SELECTION] = [1, 2, 3, 4];

function problemOf({ problems }: StudyData, name: CaseName): ClosenessProblem {
  const found = problems.find((problem) => problem.name === name);
  if (found === undefined) throw new ConfigError(`there are no data of ${name}`, 'report this as a bug');
  return found;
}

const runtimeOf = (tools: TaskTools<StudyData>): Promise<Runtime> =>
  tools.resource(
    'closeness runtime',
    async () => jsRuntime(),
    (runtime) => runtime.dispose(),
  );

/** Draws from the posterior of the full data; in closed form where there is one. */
export async function referenceTask({ name, budget, run }: ReferenceTask, tools: TaskTools<StudyData>): Promise<Posterior> {
  const problem = problemOf(tools.shared, name);
  const runtime = await runtimeOf(tools);
  const { signal, progress } = tools;
  return posteriorOfPoints(problem, problem.train, {
    ...{ runtime, key: foldIn(key(REFERENCE), run), budget: budget.reference, signal, onProgress: progress },
    // Of a network too: how little its weights mix is what has to be known.
    diagnose: true,
  });
}

/** The experts of a case, the same in every thread and for every seed. */
const expertsOf = (problem: ClosenessProblem, budget: CaseBudget, runtime: Runtime, tools: TaskTools<StudyData>): Promise<HeldExperts> =>
  tools.resource(
    `closeness experts ${problem.name} ${JSON.stringify(budget.experts)}`,
    () => trainExperts(problem, budget.experts, { runtime, key: key(EXPERTS) }),
    async (experts) => experts.dispose(),
  );

async function pointsOf(task: StudyTask, problem: ClosenessProblem, runtime: Runtime, tools: TaskTools<StudyData>): Promise<HostPoints> {
  const { method, settings, seed, purpose, budget } = task;
  const own = foldIn(key(purpose === 'report' ? REPORT : SELECTION), seed);
  const [drawKey, learnKey] = [foldIn(own, 0), foldIn(own, 1)];
  const { signal } = tools;
  const divergence = divergenceNames.find((name) => name === method);
  const subset = subsetNames.find((name) => name === method);
  if (subset !== undefined) return chosenPoints(subset, problem, settings, { key: learnKey, signal });
  const start = randomPoints(problem, drawKey);
  if (divergence === undefined) return start;
  const experts = await expertsOf(problem, budget, runtime, tools);
  return learnCoreset(divergence, problem, start, settings, {
    runtime,
    experts: experts.source,
    key: learnKey,
    steps: budget.steps,
    signal,
  });
}

async function compared(task: StudyTask, tools: TaskTools<StudyData>): Promise<Omit<StudyResult, 'seconds'>> {
  const { name, method, budget, seed, purpose, truth } = task;
  const problem = problemOf(tools.shared, name);
  const runtime = await runtimeOf(tools);
  const sampler: PosteriorTools = {
    runtime,
    key: foldIn(foldIn(key(purpose === 'report' ? REPORT : SELECTION), seed), 2),
    budget: purpose === 'report' ? budget.sampling : budget.selection,
    signal: tools.signal,
  };
  if (method === 'prior') return { metrics: closenessOf(await priorPosterior(problem, sampler), truth) };
  const points = await pointsOf(task, problem, runtime, tools);
  const posterior = await posteriorOfPoints(problem, points, sampler);
  return {
    metrics: closenessOf(posterior, truth),
    ...(posterior.sampling !== undefined && { sampling: posterior.sampling }),
    totalWeight: points.weights.reduce((sum, weight) => sum + weight, 0),
    points: points.weights.filter((weight) => weight > 0).length,
  };
}

/** Makes a coreset, draws from its posterior and compares it with the true one; a run that diverges has no figures. */
export async function studyTask(task: StudyTask, tools: TaskTools<StudyData>): Promise<StudyResult> {
  const begun = performance.now();
  const seconds = () => (performance.now() - begun) / 1000;
  try {
    const result = await compared(task, tools);
    const bad = Object.entries(result.metrics ?? {}).find(([, value]) => !Number.isFinite(value));
    if (bad !== undefined) return { diverged: `${bad[0]} is ${bad[1]}`, seconds: seconds() };
    return { ...result, seconds: seconds() };
  } catch (error) {
    if (error instanceof NonFiniteError) return { diverged: error.message, seconds: seconds() };
    throw error;
  }
}
