import { join } from 'node:path';
import type { Command } from 'commander';
import type { Overrides } from '../../config/index.js';
import { networkSpec } from '../../experts/network.js';
import { trainExperts } from '../../experts/train-experts.js';
import { expertSettings as expertsOf } from '../../learning/index.js';
import { claimFolder } from '../../run-folder/index.js';
import { chooseRuntime } from '../../runtime-choice/index.js';
import { addConfigFlags, configFromFlags, expertSettings, machineSettings, taskSettings } from '../config-flags.js';
import { type CommandContext, printResult } from '../context.js';
import { loadDataset } from '../load-dataset.js';
import { withPool } from '../open-pool.js';
import type { Runner } from '../runner.js';

const groups = [taskSettings, expertSettings, machineSettings];

interface ExpertOptions extends Overrides {
  readonly out?: string;
  readonly data?: string;
}

async function experts(context: CommandContext, options: ExpertOptions): Promise<void> {
  const { reporter, signal } = context;
  const config = configFromFlags(options, groups);
  const runtime = await chooseRuntime({ wanted: config.runtime, announce: reporter.warn });
  const dataset = await loadDataset(context, { name: config.dataset, dataDir: options.data, preprocess: config.preprocess });
  const settings = expertsOf(config, networkSpec(config, dataset));
  const folder = await claimFolder(options.out ?? join('bpc-out', `${config.dataset}-experts`));
  context.beginWork();
  await withPool({ workers: config.workers, threads: config.threads, runtime, dataset, signal }, (pool) =>
    trainExperts({
      ...settings,
      dataset,
      pool,
      folder,
      warn: reporter.warn,
      progress: (total) => reporter.phase(`training ${total} ${total === 1 ? 'expert' : 'experts'}`, total),
    }),
  );
  printResult(
    context,
    { folder, experts: settings.count, epochs: settings.training.epochs },
    () => `${settings.count} experts of ${settings.training.epochs} epochs are in ${folder}`,
  );
}

/** `bpc experts`. */
export function addExpertsCommand(program: Command, run: Runner): void {
  const command = program.command('experts').description('train experts on real images, to be shared between runs');
  addConfigFlags(command, groups);
  command
    .option('--out <dir>', 'where the expert files go [bpc-out/<dataset>-experts]')
    .option('--data <dir>', 'a folder with data sets, one sub-folder each (also BPC_DATA)')
    .addHelpText(
      'after',
      `
One safetensors file per expert, with its weights at initialisation and after every epoch. Files that are there are kept.

Examples:
  bpc experts --experts 20 --expert-epochs 10 --out experts
  bpc learn --experts 20 --expert-epochs 10 --expert-folder experts`,
    );
  run(command, (context, options: ExpertOptions) => experts(context, options));
}
