import { randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { StorageError } from '@bpc/core';

const temporarySuffix = '.partial';

/** A storage failure as a typed error, with the remedy its cause suggests. */
export function storageError(action: string, path: string, cause: unknown): StorageError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const reason = cause instanceof Error ? cause.message : String(cause);
  const remedies: Readonly<Record<string, string>> = {
    ENOSPC: 'free some space, or pass --out with a folder on another disk',
    EDQUOT: 'free some of your quota, or pass --out with a folder elsewhere',
    EACCES: 'make the folder writable, or pass --out with another one',
    EPERM: 'make the folder writable, or pass --out with another one',
    EROFS: 'the file system is read-only: pass --out with a folder elsewhere',
    ENOTDIR: 'a file stands where a folder is needed: pass --out with another path',
    EEXIST: 'a file stands where a folder is needed: pass --out with another path',
  };
  return new StorageError(`cannot ${action} ${path}: ${reason}`, remedies[code] ?? 'check the path, or pass --out with another one', { cause });
}

/**
 * Writes a file so that it is there whole or not at all, whatever kills the process: temporary name, flush, rename.
 *
 * @throws StorageError
 */
export function writeFileAtomic(path: string, content: string | Uint8Array): void {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}-${randomUUID().slice(0, 8)}${temporarySuffix}`);
  try {
    const handle = openSync(temporary, 'wx');
    try {
      writeFileSync(handle, content);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(temporary, path);
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw storageError('write', path, cause);
  }
}

/** Removes what a killed process left half-written in a folder. */
export function removePartialFiles(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (name.startsWith('.') && name.endsWith(temporarySuffix)) rmSync(join(folder, name), { force: true });
  }
}
