import { availableParallelism } from 'node:os';
import { basename, extname, join } from 'node:path';
import { ConfigError } from '@bpc/core';
import { type Command, InvalidArgumentError } from 'commander';
import type { DatasetName } from '../../config/index.js';
import { manifestEntry, shippedManifest } from '../../data/manifest.js';
import { formatSeconds } from '../../progress/index.js';
import { examineRunFolder, lookIntoFolder, openRunFolder, type RunFolder } from '../../run-folder/index.js';
import { chooseRuntime, exactEnvironment, formatRuntimeName, type RuntimeName } from '../../runtime-choice/index.js';
import { type Cells, tableCells } from '../../table/cells.js';
import { changedCells, keepSettings } from '../../table/changes.js';
import { collectCells } from '../../table/collect.js';
import { describePlan, planText } from '../../table/describe-plan.js';
import { type DatasetFacts, tableJobs } from '../../table/jobs.js';
import { onlyCells } from '../../table/only.js';
import { plainTable } from '../../table/output/plain-table.js';
import { writeTable } from '../../table/output/write-table.js';
import { readTableConfig } from '../../table/read-table-config.js';
import { remainingJobs, wallSeconds } from '../../table/remaining.js';
import { runTable } from '../../table/run-table.js';
import type { CellResult } from '../../table/table-results.js';
import { tableResults } from '../../table/table-run-results.js';
import type { TableConfig } from '../../table/table-schema.js';
import { jobTimes } from '../../table/times.js';
import { type CommandContext, printResult } from '../context.js';
import { loadDataset } from '../load-dataset.js';
import { withPool } from '../open-pool.js';
import type { Runner } from '../runner.js';

interface TableOptions {
  readonly config: string;
  readonly out?: string;
  readonly data?: string;
  readonly only: readonly string[];
  readonly workers?: number;
  readonly threads?: number;
  readonly runtime?: string;
  readonly dryRun?: boolean;
  readonly allowInexact?: boolean;
}

/** `bpc-out/table1-small` for `configs/table1-small.json`. */
const defaultFolder = (config: string): string => join('bpc-out', basename(config, extname(config)));

function factsOf(name: DatasetName): DatasetFacts {
  const { shape, classes, splits } = manifestEntry(shippedManifest(), name);
  return { name, shape, classes, counts: splits };
}

/** The file's settings under those of the command line. */
function withFlags(table: TableConfig, { workers, threads, runtime }: TableOptions): TableConfig & { readonly workers: number } {
  return {
    ...table,
    workers: workers ?? table.workers ?? Math.min(4, availableParallelism()),
    threads: threads ?? table.threads,
    ...(runtime === undefined ? {} : { runtime }),
  };
}

interface Work {
  readonly options: TableOptions;
  readonly config: TableConfig & { readonly workers: number };
  readonly cells: Cells;
  /** Ids of the cells that are asked for. */
  readonly asked: ReadonlySet<string>;
  readonly runtime: RuntimeName;
  readonly folder: RunFolder;
}

/** Why rows failed, each reason once. */
function reasons(failed: readonly CellResult[]): string {
  const ids = new Map<string, string[]>();
  for (const { id, failure } of failed) {
    const reason = failure?.message ?? 'no reason given';
    ids.set(reason, [...(ids.get(reason) ?? []), id]);
  }
  const some = (names: readonly string[]) =>
    names.length <= 4 ? names.join(', ') : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`;
  return [...ids].map(([reason, names]) => `${some(names)}: ${reason}`).join('; ');
}

async function run(context: CommandContext, { options, config, cells, asked, runtime, folder }: Work): Promise<void> {
  const { reporter, signal } = context;
  const { workers, threads } = config;
  const wanted = cells.possible.filter(({ id }) => asked.has(id));
  const allowInexact = options.allowInexact ?? false;
  const work = tableJobs(wanted, factsOf, { paths: folder, allowInexact });
  if (folder.resumed) reporter.note(`continuing the table in ${folder.path}`);
  for (const change of changedCells(folder, cells.possible)) reporter.note(`changed: ${change}`);
  await keepSettings(folder, cells.possible);
  for (const { id, failure } of cells.impossible) if (asked.has(id)) reporter.warn(`${id} is impossible: ${failure.message}`);
  const { left, done } = remainingJobs(work.jobs, folder);
  const times = jobTimes(folder);
  if (left.length > 0) {
    const estimate =
      runtime.family === 'onnx' && runtime.provider === 'cpu' ? `, about ${formatSeconds(wallSeconds(left, times, workers))}` : '';
    reporter.note(`${left.length} jobs to do, ${done.length} done${estimate}; Ctrl-C saves, and the same command continues`);
  }
  const { failures, meter } = await runTable({
    cells: wanted,
    work,
    folder,
    reporter,
    load: ({ dataset, preprocess }) => loadDataset(context, { name: dataset, dataDir: options.data, preprocess }),
    withPool: (dataset, use) => withPool({ workers, threads, runtime, dataset, signal }, use),
  });
  // Cells that were not asked for are shown as far as they are done.
  const { sources } = tableJobs(cells.possible, factsOf, { paths: folder });
  const collected = collectCells({ cells, sources, failures, folder, printed: config.printed });
  const results = tableResults({ table: config, cells, results: collected, meter, runtime: formatRuntimeName(runtime), workers, threads });
  const paths = await writeTable(folder, results);
  printResult(context, { ...results, files: paths }, () => `${plainTable(results)}\n\ntable: ${paths.page} (open it in a browser)`);
  const failed = collected.filter(({ id, status }) => status === 'failed' && asked.has(id));
  if (failed.length > 0) {
    throw new ConfigError(
      `${failed.length} of ${asked.size} rows failed: ${reasons(failed)}`,
      'correct their settings and start the same command again; all that is done stays done',
    );
  }
}

async function table(context: CommandContext, options: TableOptions): Promise<void> {
  const { reporter } = context;
  const config = withFlags(readTableConfig(options.config), options);
  const { workers, threads } = config;
  const cells = tableCells(config);
  const asked = new Set(onlyCells([...cells.possible, ...cells.impossible], options.only).map(({ id }) => id));
  const wanted = cells.possible.filter(({ id }) => asked.has(id));
  const runtime = await chooseRuntime({ wanted: config.runtime, announce: reporter.warn });
  const place = {
    path: options.out ?? defaultFolder(options.config),
    fingerprint: { command: 'table', runtime: formatRuntimeName(runtime), threads, environment: exactEnvironment() },
    allowInexact: options.allowInexact ?? false,
  };
  await examineRunFolder(place);
  if (options.dryRun === true) {
    const folder = lookIntoFolder(place.path);
    for (const change of changedCells(folder, cells.possible)) reporter.note(`changed: ${change}`);
    const work = tableJobs(wanted, factsOf, { paths: folder });
    const times = jobTimes({ ...folder, writePiece: async () => undefined });
    const plan = describePlan({ cells, work, remaining: remainingJobs(work.jobs, folder), times, workers });
    printResult(context, plan, () => planText(plan));
    return;
  }
  const folder = await openRunFolder(place);
  context.beginWork();
  try {
    await run(context, { options, config, cells, asked, runtime, folder });
  } finally {
    await folder.release();
  }
}

const readCount =
  (least: number) =>
  (text: string): number => {
    const count = Number(text);
    if (!Number.isInteger(count) || count < least) throw new InvalidArgumentError(`expected an integer >= ${least}`);
    return count;
  };

const examples = `
A table writes results.json, table.csv (a line per seed and metric), table-wide.csv, table.md, table.tex and table.html to its
folder. Ctrl-C saves; the same command continues cell by cell, bit for bit. A changed setting costs only the cells it concerns.
A cell that fails is reported, the others run, and the exit code is 1.

Examples:
  bpc table --config configs/table-digits.json              two minutes, no download
  bpc table --config configs/table1-small.json --dry-run    what there is to do, and about how long it takes
  bpc table --config configs/table1-small.json --only cifar10/1 --workers 2`;

/** `bpc table`. */
export function addTableCommand(program: Command, run: Runner): void {
  const command = program
    .command('table')
    .description('compare methods over data sets, images per class and seeds, with controls, ceiling and intervals')
    .requiredOption('--config <file>', 'the table: a JSON or YAML file')
    .option('--out <dir>', 'folder of the table [bpc-out/<name of the file>]')
    .option('--data <dir>', 'a folder with data sets, one sub-folder each (also BPC_DATA)')
    .option(
      '--only <cells>',
      'work on these only: mnist, mnist/1, mnist/1/bpc-cd, */1/random; may be repeated',
      (name: string, names: string[]) => [...names, name],
      [],
    )
    .option('--dry-run', 'print the plan with an estimated time and do nothing')
    .option('--workers <n>', 'threads that share the work; 0 uses the main thread only', readCount(0))
    .option('--threads <n>', 'threads inside each task', readCount(1))
    .option('--runtime <name>', 'onnx:cpu (the default where it loads), js, tfjs:cpu, … (see bpc doctor)')
    .option('--allow-inexact', 'continue although runtime, threads or versions differ')
    .addHelpText('after', examples);
  run(command, (context, options: TableOptions) => table(context, options));
}
