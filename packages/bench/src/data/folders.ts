import { stat } from 'node:fs/promises';
import { homedir, platform } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '@bpc/core';

/**
 * The folder downloads are kept in: `BPC_CACHE` if set, else `bpc` in the platform's cache folder.
 *
 * Linux: `$XDG_CACHE_HOME` or `~/.cache`; macOS: `~/Library/Caches`; Windows: `%LOCALAPPDATA%`.
 */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env['BPC_CACHE']) return env['BPC_CACHE'];
  if (platform() === 'win32') return join(env['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local'), 'bpc');
  if (platform() === 'darwin') return join(homedir(), 'Library', 'Caches', 'bpc');
  return join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'bpc');
}

/**
 * The folder with data sets that the user names: the option if given, else `BPC_DATA`, else none.
 *
 * @throws ConfigError if it is named but is no folder, because then it is a slip of the pen.
 */
export async function dataFolder(option: string | undefined, env: NodeJS.ProcessEnv = process.env): Promise<string | undefined> {
  const folder = option ?? (env['BPC_DATA'] || undefined);
  if (folder === undefined) return undefined;
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory()) return folder;
  const name = option === undefined ? 'BPC_DATA' : 'dataDir';
  throw new ConfigError(`${name} is '${folder}', which is not a folder`, 'name an existing folder, or leave it out');
}
