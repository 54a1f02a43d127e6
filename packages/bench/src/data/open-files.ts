import { join } from 'node:path';
import { ConfigError, StorageError } from '@bpc/core';
import type { DownloadOptions } from './download.js';
import { fetchLayout } from './fetch-layout.js';
import { cacheFolder, dataFolder } from './folders.js';
import { candidates, type Folders, type Found, findLayout } from './locate.js';
import type { FileSet } from './manifest.js';

/** Where to look for files, and whether to fetch them. */
export interface SearchOptions extends DownloadOptions {
  /** A folder with one sub-folder per data set (`<dataDir>/mnist/train-images-idx3-ubyte[.gz]`, …). Default: `BPC_DATA`. */
  readonly dataDir?: string;
  /** Where downloads are kept. Default: `BPC_CACHE`, else `bpc` in the platform's cache folder. */
  readonly cacheDir?: string;
  /** The npm registry to ask. Default: the one npm is configured for. */
  readonly registry?: string;
  /** Never fetch. Default false. */
  readonly offline?: boolean;
}

/**
 * Find the files of one of the layouts: in this package, the user's folder, the cache; else fetch them.
 *
 * @throws StorageError that names every folder looked in, and the files where nothing has them; as `fetchLayout` otherwise.
 */
export async function findOrFetch<Layout extends FileSet>(
  name: string,
  layouts: readonly Layout[],
  options: SearchOptions,
): Promise<Found<Layout>> {
  const folders = { data: await dataFolder(options.dataDir), cache: options.cacheDir ?? cacheFolder() };
  const found = await findLayout(name, layouts, folders);
  if (found !== undefined) return found;
  if (options.offline === true || layouts.every(({ sources }) => sources.length === 0)) throw missing(name, layouts, folders);
  await fetchLayout(layouts, join(folders.cache, name), options);
  const fetched = await findLayout(name, layouts, { ...folders, data: undefined });
  if (fetched === undefined) throw missing(name, layouts, folders);
  return fetched;
}

function missing(name: string, layouts: readonly FileSet[], folders: Folders): StorageError {
  const places = new Set(candidates(name, layouts, folders).map(({ folder }) => folder));
  const looked = `the files of ${name} are not on this machine (looked in ${[...places].join(' and ')})`;
  if (layouts.some(({ sources }) => sources.length > 0)) {
    return new StorageError(looked, `run 'bpc data get ${name}' with a network, or name a folder that has them (--data, BPC_DATA)`);
  }
  const [layout] = layouts;
  const files = Object.values(layout?.files ?? {}).map((file) => file.name);
  const folder = layout?.folders?.[0] ?? name;
  return new StorageError(
    `${looked}, and no registry or address has them`,
    `put ${files.join(', ')} (or the same with .gz) into a folder '${folder}' and name the folder above it (--data, BPC_DATA)`,
  );
}

/** A file of a layout. @throws ConfigError if the manifest does not list it. */
export function listedFile(layout: FileSet, role: string, name: string): FileSet['files'][string] {
  const file = layout.files[role];
  if (file === undefined) throw new ConfigError(`${name} has no file '${role}' in the manifest`, 'restore the manifest of this package');
  return file;
}
