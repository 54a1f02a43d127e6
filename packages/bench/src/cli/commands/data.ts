import type { Command } from 'commander';
import { listDatasets, listTables, type Whereabouts } from '../../data/list-datasets.js';
import { shippedManifest } from '../../data/manifest.js';
import { getSoftLabels } from '../../data/soft-labels.js';
import { getTable } from '../../data/tables/get-table.js';
import { type CommandContext, printResult } from '../context.js';
import { loadDataset } from '../load-dataset.js';
import type { Runner } from '../runner.js';
import { textTable } from '../text-table.js';
import { addDataShow } from './data-show.js';

interface DataOptions {
  readonly data?: string;
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

function where({ found, path, bytes }: Whereabouts): string {
  if (found === 'embedded') return 'embedded';
  if (found !== undefined) return path ?? found;
  return bytes === undefined ? 'only from your own folder (--data, BPC_DATA)' : `to fetch, ${megabytes(bytes)}`;
}

async function list(context: CommandContext, { data }: DataOptions): Promise<void> {
  const options = data === undefined ? {} : { dataDir: data };
  const datasets = await listDatasets(options);
  const tables = await listTables(options);
  const document = [...datasets.map((set) => ({ kind: 'images', ...set })), ...tables.map((set) => ({ kind: 'table', ...set }))];
  printResult(context, document, () =>
    [
      textTable(
        ['images', 'shape', 'classes', 'train', 'validation', 'test', 'memory', 'where'],
        datasets.map((set) => [
          set.name,
          set.shape.join('×'),
          ...[set.classes, set.splits.train, set.splits.validation, set.splits.test].map(String),
          megabytes(set.memory),
          where(set),
        ]),
      ),
      '',
      textTable(
        ['tables', 'task', 'train', 'validation', 'test', 'where'],
        tables.map((set) => [set.name, set.task, ...[set.splits.train, set.splits.validation, set.splits.test].map(String), where(set)]),
      ),
    ].join('\n'),
  );
}

async function get(context: CommandContext, name: string, { data }: DataOptions): Promise<void> {
  const options = { signal: context.signal, ...(data === undefined ? {} : { dataDir: data }) };
  const { tables, softLabels } = shippedManifest();
  if (name in softLabels) {
    const { count, classes, dataset } = await getSoftLabels(name, options);
    const text = `${name}: soft labels of ${count} test images of ${dataset} over ${classes} classes, every file verified`;
    return printResult(context, { name, count, classes, dataset }, () => text);
  }
  const set = name in tables ? await getTable(name, options) : await loadDataset(context, { name, dataDir: data });
  const [train, validation, test] = [set.train.count, set.validation.count, set.test.count];
  const kind = 'task' in set ? { task: set.task, columns: set.columns.length } : { shape: set.shape, classes: set.classes };
  const unit = 'task' in set ? 'rows' : 'images';
  printResult(
    context,
    { name, ...kind, train, validation, test },
    () => `${name}: ${train} training, ${validation} validation and ${test} test ${unit}, every file verified`,
  );
}

/** `bpc data list|get|show`. */
export function addDataCommand(program: Command, run: Runner): void {
  const data = program
    .command('data')
    .description('list, fetch and look at data sets')
    .addHelpText('after', '\nExamples:\n  bpc data list\n  bpc data get cifar10\n  bpc data show cifar10 --out cifar10.png');
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
        '\nFiles come from the npm registry this machine is configured for, or the canonical address; each is checked against a hash.\n\nExamples:\n  bpc data get mnist\n  BPC_CACHE=/big/disk bpc data get cifar10',
      ),
    (context, options: DataOptions, [name = '']) => get(context, name, options),
  );
  addDataShow(data, run);
}
