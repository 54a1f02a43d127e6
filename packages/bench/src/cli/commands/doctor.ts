import { availableParallelism, cpus, totalmem } from 'node:os';
import type { Command } from 'commander';
import { listDatasets } from '../../data/list-datasets.js';
import { examineRuntime, packageVersions, type RuntimeReport, runtimeNames } from '../../runtime-choice/index.js';
import { type CommandContext, printResult } from '../context.js';
import type { Runner } from '../runner.js';
import { textTable } from '../text-table.js';

async function doctor(context: CommandContext, options: { readonly data?: string }): Promise<void> {
  const runtimes: RuntimeReport[] = [];
  for (const name of runtimeNames) runtimes.push(await examineRuntime(name));
  const datasets = await listDatasets(options.data === undefined ? {} : { dataDir: options.data });
  const machine = { node: process.version, platform: `${process.platform} ${process.arch}`, processor: cpus()[0]?.model.trim() ?? 'unknown', threads: availableParallelism(), memoryMb: Math.round(totalmem() / 2 ** 20) };
  const document = { machine, versions: packageVersions(), runtimes, datasets };
  printResult(context, document, () =>
    [
      `Node ${machine.node} on ${machine.platform}, ${machine.threads} threads, ${machine.memoryMb} MB (${machine.processor})`,
      Object.entries(document.versions).map(([name, version]) => `${name} ${version}`).join(', '),
      '',
      textTable(
        ['runtime', 'state', 'detail'],
        runtimes.map(({ name, state, detail, missingKernels }) => [name, state, missingKernels.length === 0 ? detail : `no kernel ${missingKernels.join(', ')}: cannot train a ConvNet`]),
      ),
      '',
      textTable(
        ['data set', 'where'],
        datasets.map(({ name, found, path, bytes }) => [name, found === undefined ? `not here; bpc data get ${name} fetches ${(bytes / 1e6).toFixed(1)} MB` : (path ?? found)]),
      ),
    ].join('\n'),
  );
}

/** `bpc doctor`. */
export function addDoctorCommand(program: Command, run: Runner): void {
  run(
    program
      .command('doctor')
      .description('which runtimes work on this machine, what they lack, and which data sets are here')
      .option('--data <dir>', 'a folder with data sets, one sub-folder each (also BPC_DATA)')
      .addHelpText('after', '\nEvery runtime that loads compiles one ConvNet training step, so that a missing kernel shows here, not in a run.\n\nExamples:\n  bpc doctor\n  bpc doctor --json'),
    (context, options: { readonly data?: string }) => doctor(context, options),
  );
}
