import { stat } from 'node:fs/promises';
import type { ImageShape } from './dataset.js';
import { bytesToFetch } from './fetch-layout.js';
import { cacheFolder, dataFolder } from './folders.js';
import type { DatasetOptions } from './get-dataset.js';
import { type Folders, findLayout, type Place } from './locate.js';
import { type ManifestEntry, shippedManifest } from './manifest.js';

/** One line of `bpc data list`. */
export interface DatasetSummary {
  readonly name: string;
  readonly title: string;
  readonly licence: string;
  readonly shape: ImageShape;
  readonly classes: number;
  readonly splits: { readonly train: number; readonly validation: number; readonly test: number };
  /** Bytes of memory its images and labels take. */
  readonly memory: number;
  /** Where the files are on this machine; absent if they are not. */
  readonly found?: Place;
  /** Folder or file they were found in. */
  readonly path?: string;
  /** Bytes on disk if found, else bytes to fetch; absent if it is not on this machine and cannot be fetched. */
  readonly bytes?: number;
}

/**
 * The known data sets and whether they are on this machine; fetches nothing and checks no hash.
 *
 * @throws ConfigError if the data folder is named but does not exist.
 *
 * @example
 * ```ts
 * import { listDatasets } from '@bpc/bench';
 * for (const { name, found, memory } of await listDatasets()) console.log(name, found ?? 'not on this machine', memory);
 * ```
 */
export async function listDatasets(options: Pick<DatasetOptions, 'dataDir' | 'cacheDir' | 'manifest'> = {}): Promise<DatasetSummary[]> {
  const folders = { data: await dataFolder(options.dataDir), cache: options.cacheDir ?? cacheFolder() };
  const manifest = options.manifest ?? shippedManifest();
  return Promise.all(
    Object.entries(manifest.datasets).map(async ([name, entry]) => ({
      name,
      title: entry.title,
      licence: entry.licence,
      shape: entry.shape,
      classes: entry.classes,
      splits: entry.splits,
      memory: memoryOf(entry),
      ...(await whereabouts(name, entry, folders)),
    })),
  );
}

const memoryOf = ({ shape, splits }: ManifestEntry): number =>
  (splits.train + splits.validation + splits.test) * (shape[0] * shape[1] * shape[2] + Int32Array.BYTES_PER_ELEMENT);

async function whereabouts(
  name: string,
  { layouts }: ManifestEntry,
  folders: Folders,
): Promise<Pick<DatasetSummary, 'found' | 'path' | 'bytes'>> {
  const found = await findLayout(name, layouts, folders);
  if (found === undefined) {
    const bytes = bytesToFetch(layouts);
    return bytes === undefined ? {} : { bytes };
  }
  const sizes = await Promise.all([...found.paths.values()].map(async (path) => (await stat(path)).size));
  return { found: found.place, path: found.folder, bytes: sizes.reduce((a, b) => a + b, 0) };
}
