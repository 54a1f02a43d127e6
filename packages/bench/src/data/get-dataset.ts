import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { ChecksumError, ShapeError, StorageError } from '@bpc/core';
import { parseCsvTable } from './csv-table.js';
import { type Dataset, type ImageShape, makeSplit, type Points } from './dataset.js';
import { type DownloadOptions, throwIfAborted } from './download.js';
import { remainingIndices } from './draw-indices.js';
import { cacheFolder, dataFolder } from './folders.js';
import { parseIdx } from './idx.js';
import { fetchFiles, findFiles, readVerified } from './locate.js';
import {
  embeddedFile,
  type IndexList,
  type Manifest,
  type ManifestEntry,
  type ManifestFile,
  manifestEntry,
  shippedManifest,
} from './manifest.js';

/** Where and how to look for a data set; every option has a default that works. */
export interface DatasetOptions extends DownloadOptions {
  /** A folder with one sub-folder per data set (`<dataDir>/mnist/train-images-idx3-ubyte[.gz]`, …). Default: `BPC_DATA`. */
  readonly dataDir?: string;
  /** Where downloads are kept. Default: `BPC_CACHE`, else `bpc` in the platform's cache folder. */
  readonly cacheDir?: string;
  /** The npm registry to ask. Default: the one npm is configured for. */
  readonly registry?: string;
  /** Never fetch. Default false. */
  readonly offline?: boolean;
  /** Put images and labels on `SharedArrayBuffer`s, for worker threads. Default false. */
  readonly shared?: boolean;
  /** Default: the manifest shipped with this package. */
  readonly manifest?: Manifest;
}

type EntryOf<Format extends ManifestEntry['format']> = Extract<ManifestEntry, { format: Format }>;

/**
 * Load a data set: from the user's folder, the cache, the npm registry, or its canonical address, in this order.
 *
 * Every file is checked against the manifest's SHA-256 each time it is read. Images stay `uint8`; convert batches with
 * `toFloat`. The validation split is the manifest's index list, never part of `train`.
 *
 * @throws ConfigError for an unknown data set (listing the known ones), a data folder that does not exist, a label outside
 * the classes; ChecksumError for files that differ or downloads that break off; ShapeError for files in another format;
 * StorageError if the files cannot be fetched or the cache cannot be written; InterruptedError when aborted.
 *
 * @example
 * ```ts
 * import { getDataset } from '@bpc/bench';
 * const digits = await getDataset('digits');
 * console.log(digits.train.count, digits.validation.count, digits.test.count); // 1197 300 300
 * ```
 */
export async function getDataset(name: string, options: DatasetOptions = {}): Promise<Dataset> {
  const entry = manifestEntry(options.manifest ?? shippedManifest(), name);
  throwIfAborted(options.signal, name);
  checkIndices(entry.validation, `${name}'s validation`);
  return entry.format === 'idx' ? loadIdx(name, entry, options) : loadTable(name, entry, options);
}

async function loadIdx(name: string, entry: EntryOf<'idx'>, options: DatasetOptions): Promise<Dataset> {
  const { trainImages, trainLabels, testImages, testLabels } = entry.files;
  const files = [trainImages, trainLabels, testImages, testLabels];
  const folders = { data: await dataFolder(options.dataDir), cache: options.cacheDir ?? cacheFolder() };
  const inside = { data: folders.data === undefined ? undefined : join(folders.data, name), cache: join(folders.cache, name) };
  let found = await findFiles(files, inside);
  if (found === undefined) {
    if (options.offline === true) throw missing(name, inside);
    await fetchFiles(files, entry.sources, inside.cache, options);
    found = await findFiles(files, { data: undefined, cache: inside.cache });
  }
  if (found === undefined) throw missing(name, inside);
  const { place, paths } = found;
  const read = (i: number, file: ManifestFile) => readVerified(paths[i] ?? '', file, place);
  const training = idxPoints(await read(0, trainImages), await read(1, trainLabels), entry.shape, name);
  const testing = idxPoints(await read(2, testImages), await read(3, testLabels), entry.shape, name);
  const rest = remainingIndices(training.labels.length, entry.validation.indices);
  return divide(name, entry, options, { points: training, indices: rest }, entry.validation, {
    points: testing,
    indices: remainingIndices(testing.labels.length),
  });
}

async function loadTable(name: string, entry: EntryOf<'embedded-csv'>, options: DatasetOptions): Promise<Dataset> {
  const { table } = entry.files;
  checkIndices(entry.test, `${name}'s test`);
  const bytes = await readVerified(embeddedFile(`${table.name}.gz`), table, 'embedded');
  const points = parseCsvTable(new TextDecoder().decode(bytes), table.name, entry.shape[0] * entry.shape[1] * entry.shape[2]);
  const rest = remainingIndices(points.labels.length, entry.validation.indices, entry.test.indices);
  return divide(name, entry, options, { points, indices: rest }, entry.validation, { points, indices: entry.test.indices });
}

interface Part {
  readonly points: Points;
  readonly indices: ArrayLike<number>;
}

function divide(name: string, entry: ManifestEntry, options: DatasetOptions, train: Part, validation: IndexList, test: Part): Dataset {
  const { shape, classes, classNames, normalisation } = entry;
  const common = { shape, classes, shared: options.shared ?? false };
  return {
    name,
    shape,
    classes,
    classNames,
    normalisation,
    train: makeSplit('train', train.points, { ...common, indices: train.indices }),
    validation: makeSplit('validation', train.points, { ...common, indices: validation.indices }),
    test: makeSplit('test', test.points, { ...common, indices: test.indices }),
  };
}

function idxPoints(imageBytes: Uint8Array, labelBytes: Uint8Array, shape: ImageShape, name: string): Points {
  const images = parseIdx(imageBytes, `the image file of ${name}`, 3);
  const labels = parseIdx(labelBytes, `the label file of ${name}`, 1);
  if (images.shape[1] !== shape[0] || images.shape[2] !== shape[1]) {
    throw new ShapeError(
      `the images of ${name} are ${images.shape[1]} × ${images.shape[2]}, expected ${shape[0]} × ${shape[1]}`,
      'use the original files of this data set',
    );
  }
  return { images: images.data, labels: labels.data };
}

function checkIndices(list: IndexList, what: string): void {
  const actual = createHash('sha256').update(list.indices.join(',')).digest('hex');
  if (actual === list.sha256) return;
  throw new ChecksumError(`${what} index list has SHA-256 ${actual}, expected ${list.sha256}`, 'restore the manifest of this package');
}

const missing = (name: string, inside: { readonly data: string | undefined; readonly cache: string }): StorageError =>
  new StorageError(
    `the files of ${name} are not on this machine (looked in ${[inside.data, inside.cache].filter((f) => f !== undefined).join(' and ')})`,
    `run 'bpc data get ${name}' with a network, or name a folder that has them (--data, BPC_DATA)`,
  );
