import { Command } from 'commander';
import { packageVersion } from '../runtime-choice/index.js';
import { addBenchCommand } from './commands/bench.js';
import { addDataCommand } from './commands/data.js';
import { addDoctorCommand } from './commands/doctor.js';
import { addEvaluateCommand } from './commands/evaluate.js';
import { addExpertsCommand } from './commands/experts.js';
import { addLearnCommand } from './commands/learn.js';
import { addPresetsCommand } from './commands/presets.js';
import { addTableCommand } from './commands/table.js';
import { addTuneCommand } from './commands/tune.js';
import { addTuneEvaluationCommand } from './commands/tune-evaluation.js';
import { type RunnerState, runner } from './runner.js';
import type { CliIo } from './session.js';

/** The whole command line. It throws instead of ending the process. */
export function buildProgram(io: CliIo, state: RunnerState): Command {
  const program = new Command('bpc')
    .description('Learn Bayesian pseudo-coresets: a handful of synthetic points whose posterior stands in for that of a whole data set.')
    .version(packageVersion('@bpc/bench') ?? 'unknown')
    .exitOverride()
    // Errors are printed by the caller, in one form for all causes.
    .configureOutput({ writeOut: io.stdout, writeErr: () => undefined, outputError: () => undefined })
    .showHelpAfterError(false)
    .addHelpText(
      'after',
      `
Start here:
  bpc learn --dataset digits --steps 100        a first coreset without any download
  bpc learn                                     MNIST, one image per class
  bpc doctor                                    what this machine can run

Exit codes: 0 done, 1 failed, 2 bad usage or input, 130 interrupted (saved, run again to continue).`,
    );
  const run = runner(io, state);
  for (const add of [
    addLearnCommand,
    addTableCommand,
    addPresetsCommand,
    addEvaluateCommand,
    addExpertsCommand,
    addDataCommand,
    addDoctorCommand,
    addBenchCommand,
    addTuneCommand,
    addTuneEvaluationCommand,
  ])
    add(program, run);
  return program;
}
