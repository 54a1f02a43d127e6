import type { RunConfig } from '../config/index.js';
import type { Dataset } from '../data/dataset.js';
import { networkSpec } from '../experts/network.js';
import { expertRecipe, trainExperts } from '../experts/train-experts.js';
import type { Reporter } from '../progress/index.js';
import type { Results } from '../report/results.js';
import type { RunFolder } from '../run-folder/index.js';
import { formatRuntimeName, type RuntimeName } from '../runtime-choice/index.js';
import { moduleUrl, runWithProgress, type TaskPool, type TaskSpec } from '../workers/index.js';
import { expertSettings } from './experts-phase.js';
import type { LearnTaskOptions } from './learn-task.js';
import { readLearned } from './learned-files.js';
import { phaseClock } from './phases.js';
import { seedCoresets } from './rows.js';
import { runResults } from './run-results.js';
import { scoreRows } from './score-rows.js';
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

/**
 * Experts, learning and evaluation of a whole run; every phase continues where an earlier process stopped.
 *
 * @returns the results and where they were written.
 */
export async function learnRun(options: LearnRunOptions): Promise<{ readonly results: Results; readonly paths: OutputPaths }> {
  const { config, dataset, folder, pool, reporter, allowInexact = false } = options;
  const network = networkSpec(config, dataset);
  const seeds = seedsOf(config);
  const clock = phaseClock(folder);
  const experts = expertSettings(config, network);
  const expertFolder = options.expertFolder ?? folder.checkpointFolder('experts');
  const recipe = expertRecipe(experts, dataset.name);

  await clock.run('experts', async () => {
    await trainExperts({
      ...experts,
      dataset,
      pool,
      folder: expertFolder,
      warn: reporter.warn,
      progress: (total) => reporter.phase(`training ${total} experts`, total),
    });
    await pool.release();
  });

  const seedFolder = (seed: number) => folder.checkpointFolder(`seed-${seed}`);
  await clock.run('learn', async () => {
    const done = await Promise.all(seeds.map((seed) => readLearned(seedFolder(seed), seed, dataset)));
    const left = seeds.filter((_, i) => done[i] === undefined);
    if (left.length === 0) return;
    const module = moduleUrl('./learn-task.js', import.meta.url);
    const tasks = left.map(
      (seed): TaskSpec<LearnTaskOptions> => ({
        module,
        export: 'learnTask',
        options: { config, network, seed, expertFolder, recipe, folder: seedFolder(seed), allowInexact },
      }),
    );
    await runWithProgress(pool, tasks, {
      phase: reporter.phase(`learning ${left.length === 1 ? 'the coreset' : `${left.length} coresets`}`, left.length),
    });
    await pool.release();
  });

  const learned = await Promise.all(
    seeds.map(async (seed) => {
      const result = await readLearned(seedFolder(seed), seed, dataset);
      if (result === undefined) throw new Error(`seed ${seed} was learned but its file is missing`);
      return result;
    }),
  );
  const coresets = await Promise.all(learned.map(({ coreset, curve }) => seedCoresets(dataset, config, curve.seed, coreset)));
  const rows = await clock.run('evaluate', () =>
    scoreRows({
      config,
      network,
      seeds,
      coresets,
      pool,
      folder,
      progress: (count, total) => reporter.phase(`evaluating ${count} rows`, total),
      images: { train: dataset.train.count, scored: dataset[config.scoreOn].count },
    }),
  );
  const results = runResults({
    config,
    seeds,
    rows,
    runtime: formatRuntimeName(options.runtime),
    seconds: clock.seconds,
    resumed: folder.resumed,
  });
  const before = coresets[0]?.init;
  if (before === undefined) throw new Error('a run has at least one seed');
  const paths = await writeOutputs({ folder, dataset, results, rows, seeds, learned, before });
  return { results, paths };
}
