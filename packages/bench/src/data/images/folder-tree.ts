import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { StorageError } from '@bpc/core';
import type { FileTree } from './zip-archive.js';

/** The files below a folder. @throws StorageError if it cannot be read. */
export async function openFolder(path: string): Promise<FileTree> {
  const unreadable = (what: string, cause: Error): StorageError =>
    new StorageError(`cannot read ${what}: ${cause.message}`, 'check that it is there and may be read', { cause });
  const found = await readdir(path, { recursive: true, withFileTypes: true }).catch((cause: Error) => {
    throw unreadable(path, cause);
  });
  const names = found
    .filter((entry) => entry.isFile())
    .map((entry) => relative(path, join(entry.parentPath, entry.name)).split(sep).join('/'));
  return {
    path,
    names: names.sort(),
    read: (name) =>
      readFile(join(path, name)).catch((cause: Error) => {
        throw unreadable(join(path, name), cause);
      }),
    close: async () => undefined,
  };
}
