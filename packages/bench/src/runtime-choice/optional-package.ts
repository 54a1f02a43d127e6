import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { ConfigError } from '@bpc/core';

/** Imports a module by name; a parameter so that tests can pretend that a package is missing. */
export type ImportModule = (name: string) => Promise<unknown>;

/** The ordinary dynamic import. */
export const importModule: ImportModule = (name) => import(name);

const isMissing = (cause: unknown): boolean =>
  cause instanceof Error && 'code' in cause && (cause.code === 'ERR_MODULE_NOT_FOUND' || cause.code === 'MODULE_NOT_FOUND');

const reasonOf = (cause: unknown): string => (cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause));

/**
 * Imports a package that need not be installed.
 *
 * @throws ConfigError with the command that installs it.
 */
export async function importOptional(name: string, runtime: string, load: ImportModule = importModule): Promise<unknown> {
  try {
    return await load(name);
  } catch (cause) {
    const reason = isMissing(cause) ? 'is not installed' : `cannot be loaded: ${reasonOf(cause)}`;
    throw new ConfigError(
      `runtime '${runtime}' needs the package ${name}, which ${reason}`,
      `run npm install ${name}, or pass another --runtime`,
      { cause },
    );
  }
}

/** The installed version of a package, or undefined. */
export function packageVersion(name: string): string | undefined {
  const require = createRequire(import.meta.url);
  try {
    // Packages may hide package.json behind `exports`, so walk up from their entry instead.
    let folder = dirname(require.resolve(name));
    for (;;) {
      try {
        const found: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
        if (typeof found === 'object' && found !== null && 'name' in found && found.name === name && 'version' in found)
          return String(found.version);
      } catch {
        // No package.json in this folder.
      }
      if (dirname(folder) === folder) return undefined;
      folder = dirname(folder);
    }
  } catch {
    return undefined;
  }
}
