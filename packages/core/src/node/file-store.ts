import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { CheckpointStore } from '../index.js';
import { checkStoreName, StorageError } from '../index.js';

const TEMPORARY = /^\.(.+)\.(\d+)-[0-9a-z]+\.tmp$/;

/** A process of another machine has no pid here, but it touches what it writes. */
const STALE_MS = 60_000;

const age = async (path: string): Promise<number> => {
  try {
    return Date.now() - (await stat(path)).mtimeMs;
  } catch {
    return 0;
  }
};

const remedies: Readonly<Record<string, string>> = {
  ENOSPC: 'free disk space or choose another folder',
  EDQUOT: 'free disk space or choose another folder',
  EACCES: 'make the folder readable and writable, or choose another one',
  EPERM: 'make the folder readable and writable, or choose another one',
  EROFS: 'the file system is read-only; choose another folder',
  ENOTDIR: 'a file stands where the folder should be; choose another folder',
  EEXIST: 'a file stands where the folder should be; choose another folder',
  EISDIR: 'a folder stands where the file should be; remove it',
  EMFILE: 'too many files are open; close some or raise the limit',
};

function storageError(action: string, path: string, cause: unknown): StorageError {
  const code = codeOf(cause) ?? 'unknown error';
  return new StorageError(`cannot ${action} ${path}: ${code}`, remedies[code] ?? 'see the cause', { cause });
}

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;

/** Flushes a folder entry to disk, where the platform can (Windows cannot open folders). */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (!['EPERM', 'EISDIR', 'EINVAL', 'ENOTSUP', 'EACCES'].includes(codeOf(error) ?? '')) throw error;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/**
 * Checkpoints as files of one folder, which is made when something is first written.
 *
 * A write goes to a temporary file of the same folder, is flushed, and is renamed over the old file: killed at any
 * moment, it leaves the old or the new bytes. Temporary files are ignored by `list`; those of processes that no longer
 * run are removed by a later run's first write, once they are a minute old.
 *
 * @throws StorageError (from its methods) if the folder is missing rights or space.
 * @example
 * ```ts
 * import { fileStore } from '@bpc/core/node';
 * const store = fileStore('out/checkpoint');
 * const names = await store.list();
 * ```
 */
export function fileStore(folder: string): CheckpointStore {
  let counter = 0;
  let cleaned = false;

  const clean = async (): Promise<void> => {
    if (cleaned) return;
    cleaned = true;
    for (const file of await readdir(folder)) {
      const pid = TEMPORARY.exec(file)?.[2];
      // Workers of this process, other processes and other machines may be writing here right now.
      if (pid !== undefined && !isRunning(Number(pid)) && (await age(join(folder, file))) > STALE_MS)
        await rm(join(folder, file), { force: true });
    }
  };

  return {
    async read(name) {
      checkStoreName(name);
      try {
        return new Uint8Array(await readFile(join(folder, name)));
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return undefined;
        throw storageError('read', join(folder, name), error);
      }
    },

    async write(name, bytes) {
      checkStoreName(name);
      const path = join(folder, name);
      let temporary: string | undefined;
      try {
        await mkdir(folder, { recursive: true });
        await clean();
        temporary = join(folder, `.${name}.${process.pid}-${(counter++).toString(36)}${Date.now().toString(36)}.tmp`);
        const handle = await open(temporary, 'wx');
        try {
          await handle.writeFile(bytes);
          await handle.sync();
        } finally {
          await handle.close();
        }
        await rename(temporary, path);
        await syncFolder(folder);
      } catch (error) {
        if (temporary !== undefined) await rm(temporary, { force: true }).catch(() => undefined);
        throw storageError('write', path, error);
      }
    },

    async list() {
      try {
        return (await readdir(folder)).filter((file) => !file.startsWith('.')).sort();
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return [];
        throw storageError('list', folder, error);
      }
    },

    async remove(name) {
      checkStoreName(name);
      try {
        await rm(join(folder, name), { force: true });
      } catch (error) {
        throw storageError('remove', join(folder, name), error);
      }
    },
  };
}
