import type { Command } from 'commander';
import { writeAtomically } from '../../data/atomic-file.js';
import type { Dataset, TrainSplit } from '../../data/dataset.js';
import { dsaStrategy } from '../../data/dsa-strategy.js';
import { listDatasets } from '../../data/list-datasets.js';
import { manifestEntry, shippedManifest } from '../../data/manifest.js';
import { toFloat } from '../../data/to-float.js';
import { contactSheet } from '../../report/contact-sheet.js';
import { type CommandContext, printResult } from '../context.js';
import { loadDataset } from '../load-dataset.js';
import type { Runner } from '../runner.js';

interface ShowOptions {
  readonly data?: string;
  readonly out?: string;
  readonly labels?: string;
}

const PER_CLASS = 10;
const MOST_ROWS = 20;

/** What a class list looks like on one line. */
const classLine = (names: readonly string[]): string =>
  names.length <= PER_CLASS ? names.join(', ') : `${names.slice(0, PER_CLASS).join(', ')}, … (${names.length})`;

/** Ten training images of every class, one class per row; of many classes the first twenty. */
function sheetOf({ train, classes, shape, normalisation }: Dataset): Uint8Array {
  const indices = Array.from({ length: Math.min(classes, MOST_ROWS) }, (_, label) => firstOf(train, label)).flat();
  return contactSheet(toFloat(train, indices, normalisation), { shape, normalisation, columns: PER_CLASS });
}

/** The first images of a class, repeated if it has too few. */
function firstOf({ labels }: TrainSplit, label: number): number[] {
  const found: number[] = [];
  for (let i = 0; i < labels.length && found.length < PER_CLASS; i++) if (labels[i] === label) found.push(i);
  return Array.from({ length: PER_CLASS }, (_, i) => found[i % found.length] ?? 0);
}

async function show(context: CommandContext, name: string, { data, out, labels }: ShowOptions): Promise<void> {
  const entry = manifestEntry(shippedManifest(), name);
  const dataset = await loadDataset(context, { name, dataDir: data, labels });
  const place = (await listDatasets(data === undefined ? {} : { dataDir: data })).find((set) => set.name === name);
  const bytes = sheetOf(dataset);
  if (out !== undefined) await writeAtomically(out, (handle) => handle.writeFile(bytes));
  const { shape, classNames, train, validation, test, normalisation } = dataset;
  const { title, licence, home, labels: kinds } = entry;
  const { scale, mean, std } = normalisation;
  const document = {
    name,
    title,
    licence,
    ...(home === undefined ? {} : { home }),
    shape,
    classNames,
    splits: { train: train.count, validation: validation.count, test: test.count },
    memory: place?.memory,
    path: place?.path,
    normalisation: { scale, mean, std },
    augmentation: dsaStrategy(name),
    ...(kinds === undefined ? {} : { labels: Object.keys(kinds) }),
    ...(out === undefined ? {} : { sheet: out }),
  };
  printResult(context, document, () =>
    [
      `${name}: ${title}`,
      `licence       ${licence}`,
      ...(home === undefined ? [] : [`home          ${home}`]),
      `images        ${shape.join('×')}, ${train.count} to learn from, ${validation.count} validation, ${test.count} test`,
      `classes       ${classLine(classNames)}`,
      ...(kinds === undefined ? [] : [`labels        ${classLine(Object.keys(kinds))}; --labels chooses`]),
      `memory        ${((place?.memory ?? 0) / 1e6).toFixed(1)} MB`,
      `found in      ${place?.path ?? 'the cache'}`,
      `normalised    (u / ${scale} − [${mean.join(', ')}]) / [${std.join(', ')}]`,
      `augmentation  ${dsaStrategy(name)}`,
      ...(out === undefined ? [] : [`contact sheet ${out}`]),
    ].join('\n'),
  );
}

/** `bpc data show`. */
export function addDataShow(data: Command, run: Runner): void {
  run(
    data
      .command('show')
      .argument('<name>', 'data set of images')
      .description('what a data set is, where it was found, and a contact sheet of it')
      .option('--data <dir>', 'look here first')
      .option('--labels <kind>', 'which labels, for sets with several kinds (fine or coarse, an attribute)')
      .option('--out <file>', 'write a PNG with ten training images of every class, a class per row')
      .addHelpText(
        'after',
        '\nExamples:\n  bpc data show digits --out digits.png\n  bpc data show celeba-subset --labels Male --data my-data',
      ),
    (context, options: ShowOptions, [name = '']) => show(context, name, options),
  );
}
