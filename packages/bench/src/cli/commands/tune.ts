import { join, resolve } from 'node:path';
import { ConfigError } from '@bpc/core';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type ConfigSources, type MethodName, methodNames, type Overrides, type RunConfig, resolveConfig } from '../../config/index.js';
import { writeAtomically } from '../../data/atomic-file.js';
import { buildNetwork, networkSpec } from '../../experts/network.js';
import { expertRecipe, missingExperts, trainExperts } from '../../experts/train-experts.js';
import { expertSettings as expertsOf } from '../../learning/index.js';
import { claimFolder, examineRunFolder, fingerprint, openRunFolder } from '../../run-folder/index.js';
import { chooseRuntime, exactEnvironment, formatRuntimeName } from '../../runtime-choice/index.js';
import { bestConfig, type TuningRecord, tuningNote } from '../../tuning/best-config.js';
import { planTrials, type TuningPlan } from '../../tuning/plan-trials.js';
import { selectionData, withheldTest } from '../../tuning/selection-data.js';
import { type SelectionCriterion, selectionCriteria, type TrialResult, tuneMethod } from '../../tuning/tune-method.js';
import {
  addConfigFlags,
  evaluationSettings,
  expertSettings,
  learningSettings,
  machineSettings,
  sourcesFromFlags,
  taskSettings,
} from '../config-flags.js';
import { type CommandContext, printResult } from '../context.js';
import { loadDataset } from '../load-dataset.js';
import { withPool } from '../open-pool.js';
import type { Runner } from '../runner.js';
import { textTable } from '../text-table.js';

const groups = [taskSettings, learningSettings, expertSettings, evaluationSettings, machineSettings];

interface TuneOptions extends Overrides {
  readonly methods?: string;
  readonly trials: number;
  readonly select: SelectionCriterion;
  readonly tuneSteps?: number;
  readonly tuneChains?: number;
  readonly out?: string;
  readonly data?: string;
  readonly expertFolder?: string;
  readonly allowInexact?: boolean;
}

/** What one method's search ends with. */
interface Tuned extends TuningRecord {
  readonly searched: readonly string[];
  readonly results: readonly TrialResult[];
  /** Where the best settings are; absent if every trial diverged. */
  readonly best?: string;
}

// Seeds of runs in earnest start at --seed: settings must not be chosen by luck with the very draws that they are judged by.
const seedOffset = 1_000;

function methodsOf(written: string | undefined, base: RunConfig): readonly MethodName[] {
  if (written === undefined) return [base.method];
  const names = written.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !methodNames.some((known) => known === name));
  if (unknown !== undefined) {
    throw new ConfigError(`--methods has '${unknown}', expected some of: ${methodNames.join(', ')}`, 'pass names with commas between them');
  }
  return methodNames.filter((name) => names.includes(name));
}

/** Selection is by validation alone, and its trials are single seeds unless more are asked for. */
function sourcesOf(options: TuneOptions): ConfigSources {
  const sources = sourcesFromFlags(options, groups);
  const given = { ...sources.file?.values, ...sources.flags };
  if (given['scoreOn'] === 'test') throw new ConfigError('scoreOn is test, but settings are chosen on validation', 'leave --score-on out');
  return { ...sources, flags: { ...sources.flags, scoreOn: 'validation', seeds: given['seeds'] ?? 1 } };
}

async function tune(context: CommandContext, options: TuneOptions): Promise<void> {
  const { reporter, signal } = context;
  const { trials, select, allowInexact = false } = options;
  const sources = sourcesOf(options);
  const base = resolveConfig(sources);
  const methods = methodsOf(options.methods, base);
  const runtime = await chooseRuntime({ wanted: base.runtime, announce: reporter.warn });
  const data = selectionData(await loadDataset(context, { name: base.dataset, dataDir: options.data, preprocess: base.preprocess }));
  if (data.validation.count === 0)
    throw new ConfigError(`${data.name} has no validation images, which settings are chosen on`, 'pass another --dataset');
  const plans = methods.map((method) => planTrials({ sources, method, trials, data }));
  buildNetwork(networkSpec(base, data));
  const out = resolve(options.out ?? join('bpc-out', `${base.dataset}-ipc${base.ipc}-tune`));
  const budget = { steps: options.tuneSteps, chains: options.tuneChains };
  const runOf = (plan: TuningPlan) => ({
    path: join(out, plan.method),
    fingerprint: {
      ...fingerprint(plan.trials[0]?.config ?? base, formatRuntimeName(runtime), exactEnvironment()),
      tune: JSON.stringify({ space: plan.space, ...budget }),
    },
    allowInexact,
  });
  for (const plan of plans) await examineRunFolder(runOf(plan));
  await claimFolder(out);
  const expertFolder = await claimFolder(options.expertFolder ?? join(out, 'experts'));
  const experts = { ...expertsOf(base, networkSpec(base, data)), dataset: withheldTest(data), folder: expertFolder };
  await missingExperts({ ...experts, warn: () => undefined });
  const seeds = Array.from({ length: base.seeds }, (_, i) => base.seed + seedOffset + i);
  context.beginWork();
  const { workers, threads } = base;
  const tuned = await withPool({ workers, threads, runtime, dataset: experts.dataset, signal }, async (pool) => {
    await trainExperts({
      ...experts,
      pool,
      warn: reporter.warn,
      progress: (total) => reporter.phase(`training ${total} ${total === 1 ? 'expert' : 'experts'}`, total),
    });
    const all: Tuned[] = [];
    for (const plan of plans) {
      const folder = await openRunFolder(runOf(plan));
      try {
        if (folder.resumed) reporter.note(`continuing the search in ${folder.path}`);
        const results = await tuneMethod({
          ...{ plan, seeds, budget, select, data, folder, expertFolder, pool, allowInexact },
          recipe: expertRecipe(experts, data.name),
          progress: (_, total) => reporter.phase(`${plan.method}: ${trials} trials`, total),
        });
        const record: TuningRecord = { method: plan.method, trials, seeds, select };
        const [first] = results;
        const config = first?.diverged === undefined ? plan.trials.find(({ index }) => index === first?.trial)?.config : undefined;
        const best = folder.file('best.yaml');
        const found: Tuned = {
          ...record,
          searched: plan.space.map(({ name }) => name),
          results,
          ...(config === undefined ? {} : { best }),
        };
        if (first !== undefined && config !== undefined)
          await writeAtomically(best, (handle) => handle.writeFile(bestConfig(config, record, first)));
        await writeAtomically(folder.file('tune.json'), (handle) => handle.writeFile(`${JSON.stringify(found, null, 2)}\n`));
        all.push(found);
        await pool.release();
      } finally {
        await folder.release();
      }
    }
    return all;
  });
  printResult(context, { dataset: data.name, ipc: base.ipc, scoredOn: 'validation', budget, methods: tuned }, () =>
    tuned.map((found) => trialTable(found)).join('\n\n'),
  );
}

function trialTable(found: Tuned): string {
  const rows = found.results.map(({ trial, accuracy, nll, settings, diverged }) => [
    String(trial),
    accuracy?.toFixed(4) ?? 'diverged',
    nll?.toFixed(4) ?? '',
    ...found.searched.map((name) => String(settings[name])),
    diverged === undefined ? '' : '†',
  ]);
  const table = textTable(['trial', 'accuracy', 'NLL', ...found.searched, ''], rows);
  const next = found.best === undefined ? 'every trial diverged' : `bpc learn --config ${found.best}`;
  return `${tuningNote(found)} (the same number for every method)\n\n${table}\n\n  ${next}`;
}

/** Reads a count of an option. */
function readCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError('expected an integer >= 1');
  return count;
}

/** `bpc tune`. */
export function addTuneCommand(program: Command, run: Runner): void {
  const command = program.command('tune').description("search a method's settings by validation, resumable");
  addConfigFlags(command, groups);
  command
    .option('--methods <names>', 'methods to search, with commas between them; each gets the same number of trials [that of --method]')
    .option('--trials <n>', "settings to try per method; the first are the preset's own", readCount, 20)
    .addOption(new Option('--select <figure>', 'what the best trial is chosen by').choices([...selectionCriteria]).default('accuracy'))
    .option('--tune-steps <n>', 'outer steps of a trial, to make it cheaper', readCount)
    .option('--tune-chains <n>', 'chains of its evaluation, to make it cheaper', readCount)
    .option('--out <dir>', 'folder of the search [bpc-out/<dataset>-ipc<k>-tune]')
    .option('--data <dir>', 'a folder with data sets, one sub-folder each (also BPC_DATA)')
    .option('--expert-folder <dir>', 'use and keep experts here, shared between runs (see bpc experts)')
    .option('--allow-inexact', 'resume although runtime, threads or versions differ')
    .addHelpText(
      'after',
      `
Random search: every trial learns a coreset and scores it on validation images; test images are never loaded into a trial. The
evaluation's settings are frozen. A setting that a flag or a file gives is held fixed; the others of the method's space are
drawn. Ctrl-C saves, and the same command continues; more --trials add to those that are there. The best settings are in
<out>/<method>/best.yaml, the table in tune.json.

Examples:
  bpc tune --ipc 10 --trials 20
  bpc tune --dataset cifar10 --methods bpc-cd,bpc-w --trials 12 --tune-steps 50 --tune-chains 1
  bpc learn --config bpc-out/mnist-ipc10-tune/bpc-cd/best.yaml`,
    );
  run(command, (context, options: TuneOptions) => tune(context, options));
}
