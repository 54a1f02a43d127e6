import { ConfigError } from '@bpc/core';
import { assemble, type ReadProgress } from './assemble.js';
import type { Dataset } from './dataset.js';
import { throwIfAborted } from './download.js';
import { type Found, readVerified, verifyFile } from './locate.js';
import { type Manifest, type ManifestEntry, type ManifestLayout, manifestEntry, shippedManifest } from './manifest.js';
import { findOrFetch, listedFile, type SearchOptions } from './open-files.js';
import type { OpenLayout } from './parts.js';
import { withLayout } from './readers/read-layout.js';

/** Where and how to look for a data set; every option has a default that works. */
export interface DatasetOptions extends SearchOptions {
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
  const found = await findOrFetch(name, entry.layouts, options);
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

function openLayout(
  name: string,
  { shape, classes }: ManifestEntry,
  { layout, folder, paths, place }: Found<ManifestLayout>,
  { labels, signal }: { readonly labels: string | undefined; readonly signal: AbortSignal | undefined },
): OpenLayout {
  const path = (role: string): string => paths.get(role) ?? role;
  const read = (role: string): Promise<Uint8Array> => readVerified(path(role), listedFile(layout, role, name), place);
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
      await verifyFile(path(role), listedFile(layout, role, name), place, signal);
      return path(role);
    },
  };
}
