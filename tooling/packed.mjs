// Packs libraries as `npm publish` would and installs the tarballs in an empty folder, as a user would.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { markdownFences } from './fences/extract.mjs';
import { root } from './steps.mjs';

/** @typedef {{ name: string, filename: string, files: { path: string }[] }} Packed */

/**
 * Runs npm, node or a program in `cwd` and gives back stdout; fails with everything that was printed.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {string} cwd
 */
export function runIn(command, args, cwd) {
  const { npm_config_local_prefix: _outer, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, env, encoding: 'utf8', shell: process.platform === 'win32' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}\n${stdout}\n${stderr}`);
  return stdout;
}

/**
 * Installs the tarballs of packages, and what else a user adds by name and version, in `folder`.
 *
 * @param {string} folder
 * @param {readonly string[]} names of folders under packages/
 * @param {Record<string, string>} others
 * @returns {Packed[]}
 */
export function installPacked(folder, names, others) {
  /** @type {Packed[]} */
  const packed = names.map(
    (name) => JSON.parse(runIn('npm', ['pack', '--json', '--pack-destination', folder], join(root, 'packages', name)))[0],
  );
  const dependencies = { ...Object.fromEntries(packed.map(({ name, filename }) => [name, `file:./${filename}`])), ...others };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'user', private: true, type: 'module', dependencies }));
  runIn('npm', ['install', '--ignore-scripts', '--omit=optional', '--prefer-offline', '--no-audit', '--no-fund'], folder);
  return packed;
}

/** The first TypeScript fence of a file of the repository, and what stands behind it as printed. @param {string} file */
export function firstSnippet(file) {
  const text = readFileSync(join(root, file), 'utf8');
  const code = markdownFences(file, text)[0]?.code ?? '';
  return { code, printed: /```text\n([\s\S]*?)\n```/.exec(text)?.[1] ?? '' };
}
