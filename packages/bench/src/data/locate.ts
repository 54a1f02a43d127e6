import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { BpcError, ChecksumError, StorageError } from '@bpc/core';
import { checkHash, throwIfAborted } from './download.js';
import { embeddedFile, type FileSet, type ManifestFile } from './manifest.js';

const unzip = promisify(gunzip);

/** Where the files of a data set were found. */
export type Place = 'embedded' | 'data folder' | 'cache';

/** Files of one data set on this machine. */
export interface Found<Layout extends FileSet> {
  readonly layout: Layout;
  readonly place: Place;
  /** The folder they are in; of embedded files, the file. */
  readonly folder: string;
  /** Path by the name under which the reader knows the file. */
  readonly paths: ReadonlyMap<string, string>;
}

/** The folders to look in. */
export interface Folders {
  /** The folder the user named, with one sub-folder per data set. */
  readonly data: string | undefined;
  readonly cache: string;
}

/** Look for all files of one of the layouts: in the user's folder, then in the cache; plain, gzipped, or with a dot before `idx`. */
export async function findLayout<Layout extends FileSet>(
  name: string,
  layouts: readonly Layout[],
  folders: Folders,
): Promise<Found<Layout> | undefined> {
  for (const layout of layouts) {
    if (layout.embedded !== true) continue;
    const paths = new Map(Object.entries(layout.files).map(([role, file]) => [role, embeddedFile(`${file.name}.gz`)]));
    return { layout, place: 'embedded', folder: [...paths.values()][0] ?? '', paths };
  }
  for (const { place, layout, folder } of candidates(name, layouts, folders)) {
    const paths = new Map<string, string>();
    for (const [role, file] of Object.entries(layout.files)) {
      const path = await findFile(folder, file.name);
      if (path === undefined) break;
      paths.set(role, path);
    }
    if (paths.size === Object.keys(layout.files).length) return { layout, place, folder, paths };
  }
  return undefined;
}

/** Every folder that is looked in, in order. */
export function candidates<Layout extends FileSet>(
  name: string,
  layouts: readonly Layout[],
  folders: Folders,
): { readonly place: Place; readonly layout: Layout; readonly folder: string }[] {
  const { data } = folders;
  const named =
    data === undefined
      ? []
      : layouts.flatMap((layout) =>
          (layout.folders ?? [name]).map((folder) => ({ place: 'data folder' as const, layout, folder: join(data, folder) })),
        );
  return [...named, ...layouts.map((layout) => ({ place: 'cache' as const, layout, folder: join(folders.cache, name) }))];
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
  const remedy = remedyFor(path, place);
  const stored = await readFile(path).catch((cause: Error) => {
    throw new StorageError(`cannot read ${path}: ${cause.message}`, 'check the permissions of the file', { cause });
  });
  const bytes = path.endsWith('.gz') ? await unpack(stored, path, remedy) : stored;
  checkHash(createHash('sha256').update(bytes).digest('hex'), file, `${path} (${bytes.length} bytes, expected ${file.bytes})`, remedy);
  return bytes;
}

/**
 * Check a file without holding its contents.
 *
 * @throws ChecksumError naming the file and what to do; StorageError if it cannot be read; InterruptedError when aborted.
 */
export async function verifyFile(path: string, file: ManifestFile, place: Place, signal?: AbortSignal): Promise<void> {
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
      throwIfAborted(signal, path);
      hash.update(chunk);
      bytes += chunk.length;
    }
  } catch (cause) {
    if (cause instanceof BpcError || !(cause instanceof Error)) throw cause;
    throw new StorageError(`cannot read ${path}: ${cause.message}`, 'check the permissions of the file', { cause });
  }
  checkHash(hash.digest('hex'), file, `${path} (${bytes} bytes, expected ${file.bytes})`, remedyFor(path, place));
}

const remedyFor = (path: string, place: Place): string =>
  place === 'cache' ? `delete ${path} and run the command again` : `replace ${path} by the original, or remove it`;

/** Gunzip `stored`. @throws ChecksumError naming the file if it is torn. */
export async function unpack(stored: Uint8Array, path: string, remedy: string): Promise<Uint8Array> {
  return unzip(stored).catch((cause: Error) => {
    throw new ChecksumError(`${path} cannot be unpacked: ${cause.message}`, remedy, { cause });
  });
}
