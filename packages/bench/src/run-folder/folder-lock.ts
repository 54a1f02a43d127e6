import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StorageError } from '@bpc/core';

/**
 * Where the holder of a folder listens.
 *
 * A socket, not a file with a process number: the system closes it however the process ends, so that a run that was killed
 * never stands in its own way, and a number that now belongs to somebody else deceives nobody.
 */
function address(folder: string): string {
  const name = `bpc-${createHash('sha256').update(realpathSync(folder)).digest('hex').slice(0, 24)}`;
  if (process.platform === 'win32') return `\\\\.\\pipe\\${name}`;
  // Linux has sockets without a file, which leave nothing behind.
  return process.platform === 'linux' ? `\0${name}` : join(tmpdir(), `${name}.sock`);
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);

const listen = (path: string): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer((visitor) => visitor.destroy());
    server.once('error', reject);
    server.listen({ path, exclusive: true }, () => resolve(server.unref()));
  });

const answers = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const caller = connect(path);
    const end = (alive: boolean) => {
      caller.destroy();
      resolve(alive);
    };
    caller.once('connect', () => end(true)).once('error', () => end(false));
  });

async function hold(path: string): Promise<Server> {
  try {
    return await listen(path);
  } catch (error) {
    const left = codeOf(error) === 'EADDRINUSE' && path.endsWith('.sock') && !(await answers(path));
    if (!left) throw error;
    await rm(path, { force: true });
    return listen(path);
  }
}

/**
 * Keeps a folder for this process until `release`, or until the process ends in whatever way.
 *
 * Processes on other machines that share the folder are not seen; nor is anybody where sockets are forbidden.
 *
 * @throws StorageError if a running process of this machine has the folder.
 */
export async function lockFolder(folder: string): Promise<{ release(): Promise<void> }> {
  try {
    const server = await hold(address(folder));
    return {
      release: () =>
        new Promise((resolve) => {
          server.close(() => resolve());
        }),
    };
  } catch (cause) {
    if (codeOf(cause) !== 'EADDRINUSE') return { release: async () => undefined };
    throw new StorageError(
      `output folder ${folder} is in use by another bpc process that is still running`,
      'wait for it to end or stop it, or pass another --out',
      { cause },
    );
  }
}
