import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the repository. */
export const root = fileURLToPath(new URL('../../..', import.meta.url));
/** The `bpc` command as users run it. */
export const main = join(root, 'packages/bench/dist/cli/main.js');

/** Builds the command, for tests that are about processes; about a second when it is up to date. */
export function buildCommand(): void {
  const build = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b', join(root, 'packages/bench')], {
    encoding: 'utf8',
  });
  if (!existsSync(main)) throw new Error(`no build of the command: ${build.stdout}`);
}
