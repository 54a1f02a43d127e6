import { disposeTree } from '@bpc/core';
import { type Command, InvalidArgumentError } from 'commander';
import { type Overrides, tuningSpace } from '../../config/index.js';
import { hostCoreset } from '../../evaluation/host-coreset.js';
import { checkTunable, tuneEvaluation } from '../../evaluation/tune-evaluation.js';
import { networkSpec } from '../../experts/network.js';
import { initialCoreset, seedsOf } from '../../learning/index.js';
import { chooseRuntime } from '../../runtime-choice/index.js';
import { selectionData, withheldTest } from '../../tuning/selection-data.js';
import { addConfigFlags, configFromFlags, evaluationSettings, machineSettings, taskSettings } from '../config-flags.js';
import { type CommandContext, printResult } from '../context.js';
import { loadDataset } from '../load-dataset.js';
import { withPool } from '../open-pool.js';
import type { Runner } from '../runner.js';
import { textTable } from '../text-table.js';

const groups = [taskSettings, evaluationSettings, machineSettings];

interface TuneOptions extends Overrides {
  readonly candidates: number;
  readonly data?: string;
}

async function tune(context: CommandContext, options: TuneOptions): Promise<void> {
  const { reporter, signal } = context;
  const config = configFromFlags(options, groups);
  checkTunable(config.evaluation);
  const runtime = await chooseRuntime({ wanted: config.runtime, announce: reporter.warn });
  const dataset = withheldTest(
    selectionData(await loadDataset(context, { name: config.dataset, dataDir: options.data, preprocess: config.preprocess })),
  );
  const coresets = await Promise.all(
    seedsOf(config).map(async (seed) => {
      const coreset = initialCoreset(dataset, { init: 'random', ipc: config.ipc, seed, labels: 'probabilities' });
      try {
        return await hostCoreset(coreset, 'probabilities');
      } finally {
        disposeTree(coreset);
      }
    }),
  );
  context.beginWork();
  const { workers, threads } = config;
  const results = await withPool({ workers, threads, runtime, dataset, signal }, (pool) =>
    tuneEvaluation({
      space: tuningSpace,
      base: config.evaluation,
      candidates: options.candidates,
      seed: config.seed,
      network: networkSpec(config, dataset),
      coresets,
      pool,
      progress: (total) => reporter.phase(`scoring ${total} candidates on validation`, total),
    }),
  );
  printResult(context, results, () =>
    textTable(
      ['accuracy', 'NLL', 'steps', 'step size', 'prior', 'T', 'augmentation'],
      results.map(({ settings, accuracy, nll }) => [
        accuracy.toFixed(4),
        nll.toFixed(4),
        String(settings.steps),
        String(settings.stepSize),
        String(settings.priorPrecision),
        String(settings.temperature),
        settings.augment,
      ]),
    ),
  );
}

function readCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError('expected an integer >= 1');
  return count;
}

/** `bpc tune-evaluation`. */
export function addTuneEvaluationCommand(program: Command, run: Runner): void {
  const command = program.command('tune-evaluation').description("search the evaluation's own settings, on random images by validation");
  addConfigFlags(command, groups);
  command
    .option('--candidates <n>', 'settings to try', readCount, 24)
    .option('--data <dir>', 'a folder with data sets, one sub-folder each (also BPC_DATA)')
    .addHelpText(
      'after',
      `
Coresets are random real images and scores are on the validation split: no learned coreset and no test image is seen. The
best settings go into the defaults and stay frozen. --evaluation-sampler sghmc or hmc searches those of that sampler. For
the settings of a method, see bpc tune.

Examples:
  bpc tune-evaluation --ipc 1 --candidates 40
  bpc tune-evaluation --ipc 10 --seeds 2 --json`,
    );
  run(command, (context, options: TuneOptions) => tune(context, options));
}
