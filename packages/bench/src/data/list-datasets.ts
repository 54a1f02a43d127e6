import { stat } from 'node:fs/promises';
import type { ImageShape } from './dataset.js';
import { bytesToFetch } from './fetch-layout.js';
import { cacheFolder, dataFolder } from './folders.js';
import type { DatasetOptions } from './get-dataset.js';
import { type Folders, findLayout, type Place } from './locate.js';
import { type FileSet, type ManifestEntry, shippedManifest } from './manifest.js';
import type { TableTask } from './tables/table.js';

type ListOptions = Pick<DatasetOptions, 'dataDir' | 'cacheDir' | 'manifest'>;

/** One data set of images of `bpc data list`. */
export interface DatasetSummary extends Whereabouts {
  readonly name: string;
  readonly title: string;
  readonly licence: string;
  readonly shape: ImageShape;
  readonly classes: number;
  readonly splits: { readonly train: number; readonly validation: number; readonly test: number };
  /** Bytes of memory its images and labels take. */
  readonly memory: number;
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
export async function listDatasets(options: ListOptions = {}): Promise<DatasetSummary[]> {
  const folders = await foldersOf(options);
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
      ...(await whereabouts(name, entry.layouts, folders)),
    })),
  );
}

const memoryOf = ({ shape, splits }: ManifestEntry): number =>
  (splits.train + splits.validation + splits.test) * (shape[0] * shape[1] * shape[2] + Int32Array.BYTES_PER_ELEMENT);

/** Where the files of a data set are on this machine, if they are. */
export interface Whereabouts {
  /** Absent if they are not there. */
  readonly found?: Place;
  /** Folder or file they were found in. */
  readonly path?: string;
  /** Bytes on disk if found, else bytes to fetch; absent if it is not on this machine and cannot be fetched. */
  readonly bytes?: number;
}

/** One tabular data set, or soft labels, of `bpc data list`. */
export interface TableSummary extends Whereabouts {
  readonly name: string;
  readonly title: string;
  readonly licence: string;
  readonly task: TableTask | 'soft labels';
  readonly splits: { readonly train: number; readonly validation: number; readonly test: number };
}

/**
 * The known tables and soft labels and whether they are on this machine; fetches nothing and checks no hash.
 *
 * @throws ConfigError if the data folder is named but does not exist.
 *
 * @example
 * ```ts
 * import { listTables } from '@bpc/bench';
 * for (const { name, task, found } of await listTables()) console.log(name, task, found ?? 'not on this machine');
 * ```
 */
export async function listTables(options: ListOptions = {}): Promise<TableSummary[]> {
  const { tables, softLabels } = options.manifest ?? shippedManifest();
  const folders = await foldersOf(options);
  return Promise.all([
    ...Object.entries(tables).map(async ([name, { title, licence, task, splits, layouts }]) => ({
      name,
      title,
      licence,
      task,
      splits,
      ...(await whereabouts(name, layouts, folders)),
    })),
    ...Object.entries(softLabels).map(async ([name, { title, licence, count, layouts }]) => ({
      name,
      title,
      licence,
      task: 'soft labels' as const,
      splits: { train: 0, validation: 0, test: count },
      ...(await whereabouts(name, layouts, folders)),
    })),
  ]);
}

const foldersOf = async ({ dataDir, cacheDir }: ListOptions): Promise<Folders> => ({
  data: await dataFolder(dataDir),
  cache: cacheDir ?? cacheFolder(),
});

async function whereabouts(name: string, layouts: readonly FileSet[], folders: Folders): Promise<Whereabouts> {
  const found = await findLayout(name, layouts, folders);
  if (found === undefined) {
    const bytes = bytesToFetch(layouts);
    return bytes === undefined ? {} : { bytes };
  }
  const sizes = await Promise.all([...found.paths.values()].map(async (path) => (await stat(path)).size));
  return { found: found.place, path: found.folder, bytes: sizes.reduce((a, b) => a + b, 0) };
}
