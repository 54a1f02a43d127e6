import { createHash } from 'node:crypto';
import { access, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { ChecksumError, StorageError } from '@bpc/core';
import { writeAtomically } from './atomic-file.js';
import { checkHash, type DownloadOptions, download, UnreachableError } from './download.js';
import { extractFiles } from './extract.js';
import type { ManifestFile, ManifestSource } from './manifest.js';
import { fetchTarball } from './registry.js';

const unzip = promisify(gunzip);

/** Where the files of a data set were found. */
export type Place = 'embedded' | 'data folder' | 'cache';

/** Files of one data set on this machine, in the order of the manifest. */
export interface FoundFiles {
  readonly place: Place;
  readonly paths: readonly string[];
}

/** Look for all of `files` in the user's folder, then in the cache: plain, gzipped, or with a dot before `idx`. */
export async function findFiles(
  files: readonly ManifestFile[],
  folders: { readonly data: string | undefined; readonly cache: string },
): Promise<FoundFiles | undefined> {
  const places: readonly (readonly [Place, string | undefined])[] = [
    ['data folder', folders.data],
    ['cache', folders.cache],
  ];
  for (const [place, folder] of places) {
    if (folder === undefined) continue;
    const paths = await Promise.all(files.map((file) => findFile(folder, file.name)));
    if (paths.every((path) => path !== undefined)) return { place, paths };
  }
  return undefined;
}

async function findFile(folder: string, name: string): Promise<string | undefined> {
  const dotted = name.replace(/-(idx\d-ubyte)$/, '.$1');
  for (const candidate of [name, `${name}.gz`, dotted, `${dotted}.gz`]) {
    const path = join(folder, candidate);
    if (
      await access(path).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  return undefined;
}

/**
 * Read a file, unpacked if its name ends in `.gz`, and check its contents.
 *
 * @throws ChecksumError naming the file and what to do; StorageError if it cannot be read.
 */
export async function readVerified(path: string, file: ManifestFile, place: Place): Promise<Uint8Array> {
  const remedy = place === 'cache' ? `delete ${path} and run the command again` : `replace ${path} by the original, or remove it`;
  const stored = await readFile(path).catch((cause: Error) => {
    throw new StorageError(`cannot read ${path}: ${cause.message}`, 'check the permissions of the file', { cause });
  });
  const bytes = path.endsWith('.gz') ? await unpack(stored, path, remedy) : stored;
  checkHash(createHash('sha256').update(bytes).digest('hex'), file, `${path} (${bytes.length} bytes, expected ${file.bytes})`, remedy);
  return bytes;
}

/**
 * Fetch `files` into `folder` from the first source that answers.
 *
 * @throws ChecksumError at once when a source gives other bytes; UnreachableError, telling what each source said, when
 * none answers.
 */
export async function fetchFiles(
  files: readonly ManifestFile[],
  sources: readonly ManifestSource[],
  folder: string,
  options: DownloadOptions & { readonly registry?: string },
): Promise<void> {
  const failures: UnreachableError[] = [];
  for (const source of sources) {
    try {
      return await (source.kind === 'npm' ? fetchPackage(source, files, folder, options) : fetchAddress(source, files, folder, options));
    } catch (error) {
      if (!(error instanceof UnreachableError)) throw error;
      failures.push(error);
    }
  }
  const [only] = failures;
  if (only !== undefined && failures.length === 1) throw only;
  const said = failures.map((error) => error.message).join('; ');
  throw new UnreachableError(`no source has the files: ${said || 'none is known'}`, undefined, { cause: failures });
}

async function fetchPackage(
  source: ManifestSource & { readonly kind: 'npm' },
  files: readonly ManifestFile[],
  folder: string,
  options: DownloadOptions & { readonly registry?: string },
): Promise<void> {
  const tarball = join(folder, `${source.package.replace('/', '-')}-${source.version}.tgz`);
  await fetchTarball(source, tarball, options);
  await extractFiles(tarball, source.folder, files, folder);
  await rm(tarball, { force: true });
}

async function fetchAddress(
  source: ManifestSource & { readonly kind: 'url' },
  files: readonly ManifestFile[],
  folder: string,
  options: DownloadOptions,
): Promise<void> {
  for (const [i, file] of files.entries()) {
    const part = source.downloads[i];
    if (part === undefined) throw new UnreachableError(`the canonical address of ${file.name} is not known`, undefined);
    const fetched = join(folder, part.name);
    await download(new URL(part.name, source.base).href, fetched, part, options);
    if (part.name === file.name) continue;
    const bytes = await unpack(await readFile(fetched), fetched, 'run the command again');
    checkHash(createHash('sha256').update(bytes).digest('hex'), file, `${part.name}, unpacked,`, 'run the command again');
    await writeAtomically(join(folder, file.name), (handle) => handle.writeFile(bytes));
    await rm(fetched, { force: true });
  }
}

async function unpack(stored: Uint8Array, path: string, remedy: string): Promise<Uint8Array> {
  return unzip(stored).catch((cause: Error) => {
    throw new ChecksumError(`${path} cannot be unpacked: ${cause.message}`, remedy, { cause });
  });
}
