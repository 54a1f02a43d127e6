import { join } from 'node:path';
import { ConfigError, StorageError } from '@bpc/core';
import { assemble, type ReadProgress } from './assemble.js';
import type { Dataset } from './dataset.js';
import { type DownloadOptions, throwIfAborted } from './download.js';
import { fetchLayout } from './fetch-layout.js';
import { cacheFolder, dataFolder } from './folders.js';
import { candidates, type Folders, type FoundLayout, findLayout, readVerified, verifyFile } from './locate.js';
import { type Manifest, type ManifestEntry, type ManifestFile, manifestEntry, shippedManifest } from './manifest.js';
import type { OpenLayout } from './parts.js';
import { withLayout } from './readers/read-layout.js';

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
  /**
   * Which labels, for a set that has several kinds: `fine` (default) or `coarse` for CIFAR-100, one of the 40 attributes for
   * CelebA (default `Smiling`, the most evenly divided of those that are plain to see).
   */
  readonly labels?: string;
  /** Put images and labels on `SharedArrayBuffer`s, for worker threads. Default false. */
  readonly shared?: boolean;
  /** Told how many images are read and decoded; after each file, at least. */
  readonly onRead?: (progress: ReadProgress) => void;
  /** Default: the manifest shipped with this package. */
  readonly manifest?: Manifest;
}

/**
 * Load a data set: from the user's folder, the cache, the npm registry, or its canonical address, in this order.
 *
 * Every file is checked against the manifest's SHA-256 each time it is read. Images stay `uint8`; convert batches with
 * `toFloat`. Files are decoded one at a time into the splits. The validation split is never part of `train`.
 *
 * @throws ConfigError for an unknown data set (listing the known ones), a data folder that does not exist, a label outside
 * the classes, a class without training images; ChecksumError for files that differ or downloads that break off;
 * ShapeError for files in another format; StorageError if the files cannot be fetched or the cache cannot be written;
 * InterruptedError when aborted.
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
  const { shape, normalisation, division, splits: counts } = entry;
  const classNames = chosenNames(name, entry, options.labels);
  const classes = classNames.length;
  const { signal, onRead, shared = false } = options;
  const found = await findOrFetch(name, entry, options);
  const layout = openLayout(name, entry, found, { labels: options.labels, signal });
  const splits = await withLayout(found.layout.format, layout, (parts) =>
    assemble(parts, { name, shape, classes, classNames, division, counts, shared, signal, onRead }),
  );
  return { name, shape, classes, classNames, normalisation, ...splits };
}

function chosenNames(name: string, { classNames, labels = {} }: ManifestEntry, chosen: string | undefined): readonly string[] {
  if (chosen === undefined) return classNames;
  const names = Object.hasOwn(labels, chosen) ? labels[chosen] : undefined;
  if (names !== undefined) return names;
  const known = Object.keys(labels);
  throw new ConfigError(
    `labels is '${chosen}' for ${name}, ${known.length === 0 ? 'which has one kind of labels only' : `expected one of: ${known.join(', ')}`}`,
    known.length === 0 ? 'leave the option out' : 'name a kind of labels that this data set has',
  );
}

async function findOrFetch(name: string, entry: ManifestEntry, options: DatasetOptions): Promise<FoundLayout> {
  const { layouts } = entry;
  const folders = { data: await dataFolder(options.dataDir), cache: options.cacheDir ?? cacheFolder() };
  const found = await findLayout(name, layouts, folders);
  if (found !== undefined) return found;
  if (options.offline === true || layouts.every(({ sources }) => sources.length === 0)) throw missing(name, entry, folders);
  await fetchLayout(layouts, join(folders.cache, name), options);
  const fetched = await findLayout(name, layouts, { ...folders, data: undefined });
  if (fetched === undefined) throw missing(name, entry, folders);
  return fetched;
}

function openLayout(
  name: string,
  { shape, classes }: ManifestEntry,
  { layout, folder, paths, place }: FoundLayout,
  { labels, signal }: { readonly labels: string | undefined; readonly signal: AbortSignal | undefined },
): OpenLayout {
  const path = (role: string): string => paths.get(role) ?? role;
  const fileOf = (role: string): ManifestFile => {
    const file = layout.files[role];
    if (file === undefined) throw new StorageError(`${name} has no file '${role}'`, 'restore the manifest of this package');
    return file;
  };
  const read = (role: string): Promise<Uint8Array> => readVerified(path(role), fileOf(role), place);
  return {
    name,
    shape,
    classes,
    labels,
    folder,
    roles: Object.keys(layout.files),
    path,
    read,
    text: async (role) => new TextDecoder().decode(await read(role)),
    async verify(role) {
      await verifyFile(path(role), fileOf(role), place, signal);
      return path(role);
    },
  };
}

function missing(name: string, { layouts }: ManifestEntry, folders: Folders): StorageError {
  const places = new Set(candidates(name, layouts, folders).map(({ folder }) => folder));
  const looked = `the files of ${name} are not on this machine (looked in ${[...places].join(' and ')})`;
  const canFetch = layouts.some(({ sources }) => sources.length > 0);
  if (canFetch) {
    return new StorageError(looked, `run 'bpc data get ${name}' with a network, or name a folder that has them (--data, BPC_DATA)`);
  }
  const files = Object.values(layouts[0]?.files ?? {}).map((file) => file.name);
  return new StorageError(
    `${looked}, and no registry or address has this subset`,
    `put ${files.join(', ')} (or the same with .gz) into a folder ${name} and name the folder above it (--data, BPC_DATA)`,
  );
}
