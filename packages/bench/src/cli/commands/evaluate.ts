import { readFile } from 'node:fs/promises';
import { CheckpointError, ConfigError, readMetadata } from '@bpc/core';
import { plainMessage } from '@bpc/core/node';
import type { Command } from 'commander';
import type { Overrides } from '../../config/index.js';
import type { Dataset } from '../../data/dataset.js';
import type { EvaluateTaskOptions } from '../../evaluation/evaluate-task.js';
import type { HostCoreset } from '../../evaluation/host-coreset.js';
import { inferenceOf } from '../../evaluation/protocol-note.js';
import type { Score } from '../../evaluation/score.js';
import { summariseScores } from '../../evaluation/summarise-scores.js';
import { buildNetwork, networkSpec, networkTitle } from '../../experts/network.js';
import { inferenceNote, readCoreset, seedsOf } from '../../learning/index.js';
import { formatPercent, formatSummary, mainMetrics, metricLabel } from '../../report/format.js';
import type { ResultRow } from '../../report/results.js';
import { renderTable } from '../../report/table.js';
import { chooseRuntime, formatRuntimeName, packageVersions, peakRssMb } from '../../runtime-choice/index.js';
import { moduleUrl, runWithProgress, type TaskSpec } from '../../workers/index.js';
import { addConfigFlags, configFromFlags, evaluationSettings, machineSettings, taskSettings } from '../config-flags.js';
import { type CommandContext, printResult } from '../context.js';
import { loadDataset } from '../load-dataset.js';
import { withPool } from '../open-pool.js';
import type { Runner } from '../runner.js';

const groups = [taskSettings, evaluationSettings, machineSettings];

interface EvaluateOptions extends Overrides {
  readonly coreset?: string;
  readonly data?: string;
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (cause) {
    throw new CheckpointError(
      `cannot read coreset file ${path}: ${cause instanceof Error ? cause.message : String(cause)}`,
      'pass --coreset with the path of a safetensors file',
      { cause },
    );
  }
}

const recorded = ['dataset', 'preprocess', 'ipc', 'network', 'width', 'depth'];

/** What a coreset of this command says about how it was learned, so that it is scored in the same way unless told otherwise. */
function recordOf(bytes: Uint8Array): Overrides {
  try {
    const { config, seed } = readMetadata(bytes);
    if (typeof config !== 'object' || config === null || Array.isArray(config)) return {};
    // The seed in the settings is the run's first one; the file's own stands beside them.
    return { ...Object.fromEntries(Object.entries(config).filter(([name]) => recorded.includes(name))), seed };
  } catch {
    // Files of other programs have no such record; what is wrong with a file is said when it is read as a whole.
    return {};
  }
}

/** The coreset of a file; what is wrong with it is said with the file's name. */
async function readNamed(path: string, bytes: Uint8Array, dataset: Dataset): Promise<HostCoreset> {
  try {
    return (await readCoreset(bytes, dataset)).coreset;
  } catch (cause) {
    if (!(cause instanceof CheckpointError)) throw cause;
    throw new CheckpointError(`coreset file ${path} does not fit ${dataset.name}: ${plainMessage(cause)}`, cause.remedy, { cause });
  }
}

/** Figures in a line: `Mutual information, nats 0.055 ± 0.000`. */
const inWords = (figures: ResultRow['metrics']): string =>
  Object.entries(figures)
    .map(([name, summary]) => `${metricLabel(name)} ${formatSummary(name, summary)}`)
    .join('; ');

const omit = (figures: ResultRow['metrics'], names: readonly string[]): ResultRow['metrics'] =>
  Object.fromEntries(Object.entries(figures).filter(([name]) => !names.includes(name)));

// Far below any acceptance that is aimed for.
const lowAcceptance = 0.2;

async function evaluate(context: CommandContext, options: EvaluateOptions): Promise<void> {
  const { reporter, signal } = context;
  if (options.coreset === undefined)
    throw new ConfigError('option --coreset is missing', 'pass --coreset with the path of a safetensors file');
  const bytes = await readBytes(options.coreset);
  const config = configFromFlags(options, groups, recordOf(bytes));
  const runtime = await chooseRuntime({ wanted: config.runtime, announce: reporter.warn });
  const dataset = await loadDataset(context, { name: config.dataset, dataDir: options.data, preprocess: config.preprocess });
  const coreset = await readNamed(options.coreset, bytes, dataset);
  const network = networkSpec(config, dataset);
  buildNetwork(network);
  context.beginWork();
  const seeds = seedsOf(config);
  const begun = performance.now();
  const module = moduleUrl('../../evaluation/evaluate-task.js', import.meta.url);
  const tasks = seeds.map(
    (seed): TaskSpec<EvaluateTaskOptions> => ({
      module,
      export: 'evaluateTask',
      options: { network, coreset, settings: config.evaluation, seed, split: config.scoreOn },
    }),
  );
  const { workers, threads } = config;
  const scores = await withPool({ workers, threads, runtime, dataset, signal }, (pool) =>
    runWithProgress<EvaluateTaskOptions, Score>(pool, tasks, {
      phase: reporter.phase(`evaluating with ${seeds.length} seeds`, seeds.length),
    }),
  );
  const inference = inferenceOf(config.evaluation);
  const note = inferenceNote(inference, config.evaluation, [coreset.weights]);
  const row: ResultRow = { name: inference, kind: 'other', note, ...summariseScores(scores) };
  const seconds = { evaluate: Math.round((performance.now() - begun) / 10) / 100 };
  const document = {
    task: {
      dataset: dataset.name,
      coreset: options.coreset,
      points: coreset.weights.length,
      network: networkTitle(config),
      seeds,
      scoredOn: config.scoreOn,
      prediction: note,
    },
    rows: [row],
    environment: {
      runtime: formatRuntimeName(runtime),
      threads,
      workers,
      node: process.version,
      versions: packageVersions(),
      seconds,
      peakRssMb: peakRssMb(),
    },
    config: { evaluation: config.evaluation },
  };
  const acceptance = row.metrics['acceptance']?.mean ?? 1;
  if (acceptance < lowAcceptance) {
    reporter.warn(
      `hmc accepts ${formatPercent(acceptance)} of its trajectories, so that draws hardly move: raise --evaluation-burn-in or --evaluation-temperature`,
    );
  }
  printResult(context, document, () =>
    [
      renderTable({ rows: [row] }),
      '',
      `  on the ${config.scoreOn} split; ${note}`,
      `  also: ${inWords(omit(row.metrics, mainMetrics))}`,
      `  legacy, for comparison with printed tables only: ${inWords(row.legacy ?? {})}`,
    ].join('\n'),
  );
}

/** `bpc evaluate`. */
export function addEvaluateCommand(program: Command, run: Runner): void {
  const command = program.command('evaluate').description('score any coreset file');
  addConfigFlags(command, groups);
  command
    .option('--coreset <file>', 'safetensors file with x [points, …], y [points, classes] and weights [points]')
    .option('--data <dir>', 'a folder with data sets, one sub-folder each (also BPC_DATA)')
    .addHelpText(
      'after',
      `
Fresh networks are trained on the coreset and their predictions averaged; metrics are over the whole split. Data set,
network and first seed are those that the file was learned with, if it says so; with --seeds 1 this repeats the figures of
its own seed.

Examples:
  bpc evaluate --coreset bpc-out/mnist-ipc1-bpc-cd/coreset.safetensors
  bpc evaluate --coreset mine.safetensors --dataset digits --seeds 5 --json
  bpc evaluate --coreset mine.safetensors --evaluation-temperature 1e-5 --evaluation-draws 20`,
    );
  run(command, (context, options: EvaluateOptions) => evaluate(context, options));
}
