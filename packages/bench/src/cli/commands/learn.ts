import type { Command } from 'commander';
import { defaultMethod, type Overrides, originText, presetOrigin, type RunConfig } from '../../config/index.js';
import { buildNetwork, networkSpec } from '../../experts/network.js';
import { missingExperts } from '../../experts/train-experts.js';
import { describeRun, expertSettings as expertsOf, learnRun, type OutputPaths, roughSeconds } from '../../learning/index.js';
import { checkMethod } from '../../methods/index.js';
import { formatSeconds } from '../../progress/index.js';
import { headline } from '../../report/headline.js';
import type { Results } from '../../report/results.js';
import { renderTable } from '../../report/table.js';
import { claimFolder, defaultRunFolder, examineRunFolder, fingerprint, openRunFolder } from '../../run-folder/index.js';
import { chooseRuntime, exactEnvironment, formatRuntimeName } from '../../runtime-choice/index.js';
import {
  addConfigFlags,
  configFromFlags,
  evaluationSettings,
  expertSettings,
  fullSettings,
  learningSettings,
  machineSettings,
  taskSettings,
} from '../config-flags.js';
import { type CommandContext, printResult } from '../context.js';
import { loadDataset } from '../load-dataset.js';
import { withPool } from '../open-pool.js';
import type { Runner } from '../runner.js';

const groups = [taskSettings, learningSettings, expertSettings, evaluationSettings, fullSettings, machineSettings];

interface LearnOptions extends Overrides {
  readonly out?: string;
  readonly data?: string;
  readonly expertFolder?: string;
  readonly allowInexact?: boolean;
}

async function learn(context: CommandContext, options: LearnOptions): Promise<void> {
  const { reporter, signal } = context;
  const config = configFromFlags(options, groups);
  const runtime = await chooseRuntime({ wanted: config.runtime, announce: reporter.warn });
  const allowInexact = options.allowInexact ?? false;
  const run = {
    path: options.out ?? defaultRunFolder(config),
    fingerprint: fingerprint(config, formatRuntimeName(runtime), exactEnvironment()),
    allowInexact,
  };
  await examineRunFolder(run);
  const dataset = await loadDataset(context, { name: config.dataset, dataDir: options.data, preprocess: config.preprocess });
  checkMethod(config, dataset);
  // Refuses a network that does not fit the images before anything is trained.
  const network = networkSpec(config, dataset);
  buildNetwork(network);
  const expertFolder = options.expertFolder === undefined ? {} : { expertFolder: await claimFolder(options.expertFolder) };
  if (expertFolder.expertFolder !== undefined) {
    // Other settings are refused now; damaged files are announced when they are replaced.
    await missingExperts({ ...expertsOf(config, network), dataset, folder: expertFolder.expertFolder, warn: () => undefined });
  }
  const folder = await openRunFolder(run);
  if (config.scoreOn === 'validation') reporter.warn('scores are on the validation split: use them to choose settings, not as results');
  context.beginWork();
  if (folder.resumed) reporter.note(`continuing the run in ${folder.path}`);
  else for (const line of describeRun(config, dataset, folder.path)) reporter.note(line);
  if (!folder.resumed && runtime.family === 'onnx' && runtime.provider === 'cpu')
    reporter.note(`  This takes about ${formatSeconds(roundedUp(roughSeconds(config, dataset)))} on an idle machine.`);
  const { workers, threads } = config;
  try {
    const { results, paths } = await withPool({ workers, threads, runtime, dataset, signal }, (pool) =>
      learnRun({ config, dataset, runtime, folder, pool, reporter, allowInexact, ...expertFolder }),
    );
    printLearned(context, config, results, paths);
  } finally {
    await folder.release();
  }
}

/** To half minutes from one minute on: an estimate should not look like a measurement. */
const roundedUp = (seconds: number): number => (seconds < 60 ? Math.ceil(seconds / 10) * 10 : Math.ceil(seconds / 30) * 30);

function printLearned(
  context: CommandContext,
  { dataset, ipc, seed, method, preset }: RunConfig,
  results: Results,
  paths: OutputPaths,
): void {
  printResult(context, { ...results, files: paths }, () => {
    const notes = results.rows.map(({ name, note }) => `  ${name}: ${note ?? ''}`);
    // Started by npm, the command is in a checkout, where a shell does not find it under its own name.
    const bpc = process.env['npm_lifecycle_event'] === undefined ? 'bpc' : 'npm run bpc --';
    const wall = Object.values(results.environment.seconds).reduce((a, b) => a + b, 0);
    return [
      headline(results),
      '',
      renderTable(results),
      '',
      ...notes,
      `  all but full: ${String(results.task['prediction'])}`,
      `  preset ${preset}: ${originText[presetOrigin(preset, dataset, ipc)]}`,
      '',
      `took ${formatSeconds(wall)}, ${results.environment.peakRssMb} MB of memory at most`,
      `report:  ${paths.report} (open it in a browser)`,
      `picture: ${paths.picture}`,
      `coreset: ${paths.coreset} (seed ${seed})`,
      '',
      'next:',
      `  ${bpc} evaluate --coreset ${/\s/.test(paths.coreset) ? `"${paths.coreset}"` : paths.coreset}`,
      `  ${bpc} learn --dataset ${dataset} --ipc ${ipc === 1 ? 10 : 1}${method === defaultMethod ? '' : ` --method ${method}`}`,
    ].join('\n');
  });
}

const examples = `
A run writes results.json, report.html, coreset.png and coreset.safetensors (the first seed's; the others are in
coreset-seed<n>.safetensors) to its folder. Ctrl-C saves; the same command continues where it stopped, bit for bit.

Examples:
  bpc learn                                     MNIST, one image per class, three seeds
  bpc learn --ipc 10 --out my-run               ten images per class
  bpc learn --dataset digits --steps 100        small and without any download
  bpc learn --init random --seeds 5             start from random images
  bpc learn --method bpc-w --dataset digits     another divergence
  bpc learn --preset paper-bpc-cd --dataset cifar10 --ipc 10 --runtime onnx:cuda   as the paper has it (see bpc presets)
  bpc learn --config run.yaml --runtime js      settings from a file, flags override them`;

/** `bpc learn`. */
export function addLearnCommand(program: Command, run: Runner): void {
  const command = program.command('learn').description('learn a pseudo-coreset and compare it with its controls and ceiling');
  addConfigFlags(command, groups);
  command
    .option('--out <dir>', 'folder of the run [bpc-out/<dataset>-ipc<k>-<method>]')
    .option('--data <dir>', 'a folder with data sets, one sub-folder each (also BPC_DATA)')
    .option('--expert-folder <dir>', 'use and keep experts here, shared between runs (see bpc experts)')
    .option('--allow-inexact', 'resume although runtime, threads or versions differ')
    .addHelpText('after', examples);
  run(command, (context, options: LearnOptions) => learn(context, options));
}
