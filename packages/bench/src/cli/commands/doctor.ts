import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Command } from 'commander';
import { listDatasets } from '../../data/list-datasets.js';
import { examineRuntime, packageVersions, type RuntimeReport, runtimeNames } from '../../runtime-choice/index.js';
import { type CommandContext, printResult } from '../context.js';
import type { Runner } from '../runner.js';
import { textTable } from '../text-table.js';

interface DoctorOptions {
  readonly data?: string;
  readonly runtime?: string;
}

const execute = promisify(execFile);
const isDevice = (name: string): boolean => name.startsWith('onnx:') && name !== 'onnx:cpu';

/** Tries a device in a process of its own: drivers that are half there print to the terminal, or end the process. */
async function examineApart(name: string): Promise<RuntimeReport> {
  const main = fileURLToPath(new URL('../main.js', import.meta.url));
  const failed = (detail: string): RuntimeReport => ({
    name,
    state: 'absent',
    detail,
    missingKernels: [],
    lackingKernels: [],
    description: {},
  });
  if (!existsSync(main)) return failed('not tried from sources');
  try {
    const { stdout } = await execute(process.execPath, [main, 'doctor', '--runtime', name, '--json'], {
      timeout: 60_000,
      maxBuffer: 1 << 24,
    });
    const { runtimes }: { runtimes: RuntimeReport[] } = JSON.parse(stdout);
    return runtimes[0] ?? failed('no answer');
  } catch {
    return failed('its process ended while it started');
  }
}

/** What is missing where, runtimes with the same gaps together. */
function lackingLines(runtimes: readonly RuntimeReport[]): string[] {
  const groups = new Map<string, string[]>();
  for (const { name, state, lackingKernels } of runtimes) {
    if (state === 'absent') continue;
    const list = lackingKernels.join(', ');
    groups.set(list, [...(groups.get(list) ?? []), name]);
  }
  if (groups.size === 0) return [];
  const lines = [...groups].map(([list, names]) => {
    const who = names.join(', ');
    return list === '' ? `  ${who}: none` : `  ${who}: ${list.split(', ').length} (${list})`;
  });
  return ["tfjs-core's kernels that are missing", ...lines, ''];
}

async function doctor(context: CommandContext, options: DoctorOptions): Promise<void> {
  const names = options.runtime === undefined ? runtimeNames : [options.runtime];
  const runtimes: RuntimeReport[] = [];
  for (const name of names)
    runtimes.push(options.runtime === undefined && isDevice(name) ? await examineApart(name) : await examineRuntime(name));
  const datasets = await listDatasets(options.data === undefined ? {} : { dataDir: options.data });
  const machine = {
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    threads: availableParallelism(),
    memoryMb: Math.round(totalmem() / 2 ** 20),
  };
  const document = { machine, versions: packageVersions(), runtimes, datasets };
  printResult(context, document, () =>
    [
      `Node ${machine.node} on ${machine.platform}, ${machine.threads} threads, ${machine.memoryMb} MB (${machine.processor})`,
      Object.entries(document.versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(', '),
      '',
      textTable(
        ['runtime', 'state', 'detail'],
        runtimes.map(({ name, state, detail, missingKernels }) => [
          name,
          state,
          missingKernels.length === 0 ? detail : `no kernel ${missingKernels.join(', ')}: cannot train a ConvNet`,
        ]),
      ),
      '',
      ...lackingLines(runtimes),
      textTable(
        ['data set', 'where'],
        datasets.map(({ name, found, path, bytes }) => [name, found === undefined ? absence(name, bytes) : (path ?? found)]),
      ),
    ].join('\n'),
  );
}

function absence(name: string, bytes: number | undefined): string {
  return bytes === undefined
    ? 'not here; only from a folder named with --data or BPC_DATA'
    : `not here; bpc data get ${name} fetches ${(bytes / 1e6).toFixed(1)} MB`;
}

/** `bpc doctor`. */
export function addDoctorCommand(program: Command, run: Runner): void {
  run(
    program
      .command('doctor')
      .description('which runtimes work on this machine, what they lack, and which data sets are here')
      .option('--runtime <name>', 'look at this one only')
      .option('--data <dir>', 'a folder with data sets, one sub-folder each (also BPC_DATA)')
      .addHelpText(
        'after',
        '\nEvery runtime that loads compiles one ConvNet training step, so that a missing kernel shows here, not in a run.\n\nExamples:\n  bpc doctor\n  bpc doctor --json',
      ),
    (context, options: DoctorOptions) => doctor(context, options),
  );
}
