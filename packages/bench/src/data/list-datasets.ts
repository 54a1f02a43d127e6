import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImageShape } from './dataset.js';
import { cacheFolder, dataFolder } from './folders.js';
import type { DatasetOptions } from './get-dataset.js';
import { findFiles, type Place } from './locate.js';
import { embeddedFile, type ManifestEntry, shippedManifest } from './manifest.js';

/** One line of `bpc data list`. */
export interface DatasetSummary {
  readonly name: string;
  readonly title: string;
  readonly licence: string;
  readonly shape: ImageShape;
  readonly classes: number;
  readonly splits: { readonly train: number; readonly validation: number; readonly test: number };
  /** Where the files are on this machine; absent if they would have to be fetched. */
  readonly found?: Place;
  /** Folder or file they were found in. */
  readonly path?: string;
  /** Bytes on disk if found, else bytes to fetch. */
  readonly bytes: number;
}

/**
 * The known data sets and whether they are on this machine; fetches nothing and checks no hash.
 *
 * @throws ConfigError if the data folder is named but does not exist.
 *
 * @example
 * ```ts
 * import { listDatasets } from '@bpc/bench';
 * for (const { name, found, bytes } of await listDatasets()) console.log(name, found ?? 'not fetched', bytes);
 * ```
 */
export async function listDatasets(options: Pick<DatasetOptions, 'dataDir' | 'cacheDir' | 'manifest'> = {}): Promise<DatasetSummary[]> {
  const data = await dataFolder(options.dataDir);
  const cache = options.cacheDir ?? cacheFolder();
  const manifest = options.manifest ?? shippedManifest();
  return Promise.all(
    Object.entries(manifest.datasets).map(async ([name, entry]) => ({
      name,
      title: entry.title,
      licence: entry.licence,
      shape: entry.shape,
      classes: entry.classes,
      splits: entry.splits,
      ...(await whereabouts(name, entry, data, cache)),
    })),
  );
}

async function whereabouts(
  name: string,
  entry: ManifestEntry,
  data: string | undefined,
  cache: string,
): Promise<Pick<DatasetSummary, 'found' | 'path' | 'bytes'>> {
  if (entry.format === 'embedded-csv') {
    const path = embeddedFile(`${entry.files.table.name}.gz`);
    return { found: 'embedded', path, bytes: (await stat(path)).size };
  }
  const folders = { data: data === undefined ? undefined : join(data, name), cache: join(cache, name) };
  const found = await findFiles(Object.values(entry.files), folders);
  if (found === undefined) return { bytes: downloadBytes(entry) };
  const sizes = await Promise.all(found.paths.map(async (path) => (await stat(path)).size));
  const path = found.place === 'cache' ? folders.cache : folders.data;
  return { found: found.place, ...(path === undefined ? {} : { path }), bytes: sizes.reduce((a, b) => a + b, 0) };
}

function downloadBytes(entry: Extract<ManifestEntry, { format: 'idx' }>): number {
  const [source] = entry.sources;
  if (source?.kind === 'npm') return source.bytes;
  return (source?.downloads ?? Object.values(entry.files)).reduce((sum, file) => sum + file.bytes, 0);
}
