import type { RunConfig } from '../config/index.js';
import type { Dataset } from '../data/dataset.js';
import { networkSpec } from '../experts/network.js';
import { expertRecipe, trainExperts } from '../experts/train-experts.js';
import type { Reporter } from '../progress/index.js';
import type { Results } from '../report/results.js';
import type { RunFolder } from '../run-folder/index.js';
import { formatRuntimeName, type RuntimeName } from '../runtime-choice/index.js';
import { moduleUrl, type TaskPool } from '../workers/index.js';
import { collectRows, validationPoints } from './collect-scores.js';
import { expertSettings } from './experts-phase.js';
import { learningPasses } from './job-cost.js';
import { type Job, runJobs } from './jobs.js';
import type { LearnTaskOptions } from './learn-task.js';
import { isLearned, readLearned } from './learned-files.js';
import { costMeter } from './phases.js';
import { startCoresets } from './rows.js';
import { runResults } from './run-results.js';
import { curveJobs, fullJob, learnedJob, learnJobName, type ScoringContext, type SeedPlan, startJob } from './score-jobs.js';
import { type OutputPaths, writeOutputs } from './write-outputs.js';

/** What `learnRun` needs; nothing here is still to be validated. */
export interface LearnRunOptions {
  readonly config: RunConfig;
  readonly dataset: Dataset;
  readonly runtime: RuntimeName;
  readonly folder: RunFolder;
  /** Where experts are kept; by default in the run's folder. */
  readonly expertFolder?: string;
  /** Threads that hold `dataset`. */
  readonly pool: TaskPool;
  readonly reporter: Reporter;
  readonly allowInexact?: boolean;
}

/** The seeds of a run: consecutive integers. */
export const seedsOf = ({ seed, seeds }: Pick<RunConfig, 'seed' | 'seeds'>): number[] => Array.from({ length: seeds }, (_, i) => seed + i);

/** Every job of a run after its experts, the long ones first, so that threads finish together. */
function jobsOf(context: ScoringContext, plans: readonly SeedPlan[], learnJob: (plan: SeedPlan) => Job): Job[] {
  const jobs = [
    ...plans.map(learnJob),
    ...plans.map(({ seed }) => fullJob(context, seed)),
    ...plans.map((plan) => learnedJob(context, plan)),
    ...plans.flatMap(({ seed, starts }) => Object.values(starts).map((coreset) => startJob(context, seed, coreset))),
    ...plans.flatMap((plan) => curveJobs(context, plan)),
  ];
  // Equal coresets (a start from nearest-mean images and that control) are one job.
  return [...new Map(jobs.map((job) => [job.name, job])).values()];
}

/**
 * Experts, learning and evaluation of a whole run; every phase continues where an earlier process stopped.
 *
 * Controls and ceiling do not wait for learning: they are scored by threads that would otherwise have nothing to do, so
 * `learn` is the time until the last coreset is learned, and `evaluate` what is left to score then.
 *
 * @returns the results and where they were written.
 */
export async function learnRun(options: LearnRunOptions): Promise<{ readonly results: Results; readonly paths: OutputPaths }> {
  const { config, dataset, folder, pool, reporter, allowInexact = false } = options;
  const network = networkSpec(config, dataset);
  const seeds = seedsOf(config);
  const meter = costMeter(folder);
  const experts = expertSettings(config, network);
  const expertFolder = options.expertFolder ?? folder.checkpointFolder('experts');
  const recipe = expertRecipe(experts, dataset.name);

  await meter.phase('experts', async () => {
    await trainExperts({
      ...experts,
      dataset,
      pool,
      folder: expertFolder,
      warn: reporter.warn,
      progress: (total) => reporter.phase(`training ${total} ${total === 1 ? 'expert' : 'experts'}`, total),
      onTrained: (seconds) => meter.task('experts', seconds),
    });
    await pool.release();
  });

  const plans = await Promise.all(
    seeds.map(
      async (seed): Promise<SeedPlan> => ({
        seed,
        starts: await startCoresets(dataset, config, seed),
        folder: folder.checkpointFolder(`seed-${seed}`),
      }),
    ),
  );
  const context: ScoringContext = {
    config,
    network,
    images: { train: dataset.train.count, validation: dataset.validation.count, test: dataset.test.count },
  };
  const learnJob = ({ seed, folder: seedFolder, starts }: SeedPlan): Job => {
    const task: LearnTaskOptions = { config, network, seed, expertFolder, recipe, folder: seedFolder, allowInexact };
    return {
      name: learnJobName(seed),
      kind: 'learn',
      task: { module: moduleUrl('./learn-task.js', import.meta.url), export: 'learnTask', options: task },
      weight: learningPasses(config, starts.init.weights.length),
    };
  };
  const learnedAlready = new Set<string>();
  for (const { seed, folder: seedFolder } of plans)
    if (await isLearned(seedFolder, dataset, reporter.warn)) learnedAlready.add(learnJobName(seed));
  const jobs = jobsOf(context, plans, learnJob).filter(
    ({ name }) => !learnedAlready.has(name) && folder.readPiece<unknown>(name) === undefined,
  );
  const toLearn = new Set(jobs.filter(({ kind }) => kind === 'learn').map(({ name }) => name));
  const learning = toLearn.size === 1 ? 'learning the coreset and scoring' : `learning ${toLearn.size} coresets and scoring`;
  await meter.phase(toLearn.size > 0 ? 'learn' : 'evaluate', (enter) =>
    runJobs({
      pool,
      jobs,
      progress: (count, total) => reporter.phase(toLearn.size > 0 ? learning : `scoring ${count} coresets`, total),
      async store({ name, kind }, result, seconds) {
        if (kind !== 'learn') await folder.writePiece(name, result);
        else if (toLearn.delete(name) && toLearn.size === 0) enter('evaluate');
        await meter.task(kind, seconds);
      },
    }),
  );

  const learned = await Promise.all(
    plans.map(async ({ seed, folder: seedFolder }) => {
      const result = await readLearned(seedFolder, seed, dataset);
      if (result === undefined) throw new Error(`seed ${seed} was learned but its file is missing`);
      const points = [...validationPoints(folder, config, seed), ...result.curve.points];
      return { ...result, curve: { seed, points: points.sort((a, b) => a.step - b.step) } };
    }),
  );
  const rows = collectRows(folder, plans);
  const results = runResults({
    config,
    seeds,
    rows,
    weights: learned.map(({ coreset }) => coreset.weights),
    runtime: formatRuntimeName(options.runtime),
    cost: meter.cost(),
    resumed: folder.resumed,
  });
  const before = plans[0]?.starts.init;
  if (before === undefined) throw new Error('a run has at least one seed');
  const paths = await writeOutputs({ folder, dataset, results, rows, seeds, learned, before });
  return { results, paths };
}
