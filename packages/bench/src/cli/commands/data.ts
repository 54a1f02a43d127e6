import type { Command } from 'commander';
import { listDatasets } from '../../data/list-datasets.js';
import { type CommandContext, printResult } from '../context.js';
import { loadDataset } from '../load-dataset.js';
import type { Runner } from '../runner.js';
import { textTable } from '../text-table.js';

interface DataOptions {
  readonly data?: string;
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

const absence = (bytes: number | undefined): string =>
  bytes === undefined ? 'only from your own folder (--data, BPC_DATA)' : `to fetch, ${megabytes(bytes)}`;

async function list(context: CommandContext, { data }: DataOptions): Promise<void> {
  const datasets = await listDatasets(data === undefined ? {} : { dataDir: data });
  printResult(context, datasets, () =>
    textTable(
      ['name', 'shape', 'classes', 'train', 'validation', 'test', 'memory', 'where'],
      datasets.map(({ name, shape, classes, splits, memory, found, path, bytes }) => [
        name,
        shape.join('×'),
        String(classes),
        String(splits.train),
        String(splits.validation),
        String(splits.test),
        megabytes(memory),
        found === undefined ? absence(bytes) : found === 'embedded' ? 'embedded' : (path ?? found),
      ]),
    ),
  );
}

async function get(context: CommandContext, name: string, { data }: DataOptions): Promise<void> {
  const { train, validation, test, shape, classes } = await loadDataset(context, { name, dataDir: data });
  const summary = { name, shape, classes, train: train.count, validation: validation.count, test: test.count };
  printResult(
    context,
    summary,
    () => `${name}: ${train.count} training, ${validation.count} validation and ${test.count} test images, every file verified`,
  );
}

/** `bpc data list|get`. */
export function addDataCommand(program: Command, run: Runner): void {
  const data = program
    .command('data')
    .description('list and fetch data sets')
    .addHelpText('after', '\nExamples:\n  bpc data list\n  bpc data get mnist');
  run(
    data
      .command('list')
      .description('the known data sets, and whether they are on this machine')
      .option('--data <dir>', 'a folder with data sets, one sub-folder each (also BPC_DATA)')
      .addHelpText('after', '\nExamples:\n  bpc data list\n  bpc data list --json'),
    (context, options: DataOptions) => list(context, options),
  );
  run(
    data
      .command('get')
      .argument('<name>', 'data set')
      .description('fetch a data set into the cache and check every file')
      .option('--data <dir>', 'look here first')
      .addHelpText(
        'after',
        '\nFiles come from the npm registry this machine is configured for; each is checked against a hash.\n\nExamples:\n  bpc data get mnist\n  BPC_CACHE=/big/disk bpc data get fashion-mnist',
      ),
    (context, options: DataOptions, [name = '']) => get(context, name, options),
  );
}
