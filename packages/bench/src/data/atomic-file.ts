import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { BpcError, StorageError } from '@bpc/core';

const PART = /\.part-(\d+)-[0-9a-f]{8}$/;

/**
 * Write a file so that its name never shows half of it: temporary name in the same folder, `fsync`, rename.
 *
 * `write` fills the temporary file through the handle; if it throws, the temporary file is removed and the error passed on.
 * Leftovers of processes that were killed are removed first.
 *
 * @throws StorageError if the folder cannot be made or written (missing, read-only, full).
 *
 * @example
 * ```ts
 * import { writeAtomically } from '@bpc/bench';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * await writeAtomically(join(tmpdir(), 'note.txt'), (handle) => handle.writeFile('complete, or not there'));
 * ```
 */
export async function writeAtomically(path: string, write: (handle: FileHandle) => Promise<void>): Promise<void> {
  const folder = dirname(path);
  const part = `${path}.part-${process.pid}-${randomBytes(4).toString('hex')}`;
  try {
    await mkdir(folder, { recursive: true });
    await removeLeftovers(folder, basename(path));
    const handle = await open(part, 'wx');
    try {
      await write(handle);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(part, path);
  } catch (cause) {
    await rm(part, { force: true }).catch(() => undefined);
    throw storageError(cause, path);
  }
  await syncFolder(folder);
}

/** Turn an operating-system error about `path` into a StorageError; other errors are returned as they are. */
export function storageError(cause: unknown, path: string): unknown {
  if (cause instanceof BpcError || !(cause instanceof Error) || !('syscall' in cause)) return cause;
  return new StorageError(
    `cannot write ${path}: ${cause.message}`,
    'name a folder that can be written and has space (BPC_CACHE for downloads, --out for results)',
    { cause },
  );
}

async function removeLeftovers(folder: string, name: string): Promise<void> {
  for (const file of await readdir(folder)) {
    const owner = file.startsWith(`${name}.part-`) ? PART.exec(file)?.[1] : undefined;
    if (owner !== undefined && !isAlive(Number(owner))) await rm(join(folder, file), { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: the process lives but belongs to somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

async function syncFolder(folder: string): Promise<void> {
  // The rename itself survives a power cut only once the folder is on disk; not every platform lets one open a folder.
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}
