import type { Command } from 'commander';
import type { Overrides } from '../../config/index.js';
import { buildNetwork, networkSpec } from '../../experts/network.js';
import { missingExperts } from '../../experts/train-experts.js';
import { checkImagesPerClass, expertSettings as expertsOf, learnRun } from '../../learning/index.js';
import { headline } from '../../report/headline.js';
import { renderTable } from '../../report/table.js';
import { claimFolder, defaultRunFolder, fingerprint, openRunFolder } from '../../run-folder/index.js';
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
  const dataset = await loadDataset(context, { name: config.dataset, dataDir: options.data });
  checkImagesPerClass(dataset, config.ipc);
  // Refuses a network that does not fit the images before anything is trained.
  const network = networkSpec(config, dataset);
  buildNetwork(network);
  const allowInexact = options.allowInexact ?? false;
  const folder = await openRunFolder({
    path: options.out ?? defaultRunFolder(config),
    fingerprint: fingerprint(config, formatRuntimeName(runtime), exactEnvironment()),
    allowInexact,
  });
  const expertFolder = options.expertFolder === undefined ? {} : { expertFolder: await claimFolder(options.expertFolder) };
  if (expertFolder.expertFolder !== undefined) {
    // Other settings are refused now; damaged files are announced when they are replaced.
    await missingExperts({ ...expertsOf(config, network), dataset, folder: expertFolder.expertFolder, warn: () => undefined });
  }
  if (config.scoreOn === 'validation') reporter.warn('scores are on the validation split: use them to choose settings, not as results');
  context.beginWork();
  if (folder.resumed) reporter.note(`continuing the run in ${folder.path}`);
  const { workers, threads } = config;
  const { results, paths } = await withPool({ workers, threads, runtime, dataset, signal }, (pool) =>
    learnRun({ config, dataset, runtime, folder, pool, reporter, allowInexact, ...expertFolder }),
  );
  printResult(context, { ...results, files: paths }, () => {
    const notes = results.rows.map(({ name, note }) => `  ${name}: ${note ?? ''}`);
    return [headline(results), '', renderTable(results), '', ...notes, '', `report:  ${paths.report}`, `coreset: ${paths.coreset}`].join(
      '\n',
    );
  });
}

const examples = `
A run writes results.json, report.html, coreset.png and coreset.safetensors to its folder. Ctrl-C saves; the same command
continues where it stopped, bit for bit.

Examples:
  bpc learn                                     MNIST, one image per class, three seeds
  bpc learn --ipc 10 --out my-run               ten images per class
  bpc learn --dataset digits --steps 100        small and without any download
  bpc learn --init random --seeds 5             start from random images
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
