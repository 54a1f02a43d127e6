// Installs from the lockfile when node_modules does not belong to it.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './child.mjs';

/** @param {string} root */
const stampFile = (root) => join(root, 'node_modules', '.bpc-stamp');

/** What an install depends on: the lockfile, and the platform whose binaries npm chose. @param {string} root */
export function installStamp(root) {
  const lockfile = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  return `${lockfile} node ${process.versions.node.split('.')[0]} ${process.platform} ${process.arch}\n`;
}

/** @param {string} file */
const readOptional = (file) => (existsSync(file) ? readFileSync(file, 'utf8') : undefined);

/**
 * Whether npm itself finished an install of this lockfile (`npm ci` typed by hand). npm writes node_modules/.package-lock.json
 * last, with what it put there; what it left out must be optional, a binary of another platform say.
 *
 * @param {string} root
 */
function installedByNpm(root) {
  const hidden = readOptional(join(root, 'node_modules', '.package-lock.json'));
  if (hidden === undefined) return false;
  const installed = JSON.parse(hidden).packages;
  const wanted = Object.entries(JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages);
  const inFolder = wanted.filter(([path]) => path.includes('node_modules/'));
  if (Object.keys(installed).some((path) => path.includes('node_modules/') && !inFolder.some(([name]) => name === path))) return false;
  return inFolder.every(([path, { version, link, optional, devOptional, peer }]) => {
    const found = installed[path];
    if (found === undefined) return Boolean(optional || devOptional || peer);
    return link ? Boolean(found.link) : found.version === version;
  });
}

/** Whether node_modules belongs to the lockfile. @param {string} root */
export function isInstalled(root) {
  return readOptional(stampFile(root)) === installStamp(root);
}

/** npm as it was called, or the npm on the path. @returns {{ command: string, args: string[], shell: boolean }} */
function npmCommand() {
  const cli = process.env['npm_execpath'];
  if (cli !== undefined && /npm-cli\.[cm]?js$/.test(cli)) return { command: process.execPath, args: [cli], shell: false };
  return { command: 'npm', args: [], shell: process.platform === 'win32' };
}

/**
 * Installs what the lockfile says. The stamp is written last: an interrupted install is repeated.
 *
 * @param {string} root
 * @param {(message: string) => void} log
 * @returns {Promise<number>} the exit code of npm; 0 if there was nothing to do
 */
export async function install(root, log) {
  if (isInstalled(root)) return 0;
  const stamp = installStamp(root);
  if (!existsSync(stampFile(root)) && installedByNpm(root)) {
    writeFileSync(stampFile(root), stamp);
    return 0;
  }
  log('Installing the dependencies of package-lock.json (once) …');
  rmSync(stampFile(root), { force: true });
  const { command, args, shell } = npmCommand();
  // Development dependencies are what builds and tests; NODE_ENV=production must not leave them out.
  const flags = ['ci', '--include=dev', '--include=optional', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const code = await run(command, [...args, ...flags], { cwd: root, shell });
  if (code !== 0) {
    log(`npm ci failed (exit code ${code}). Check the connection to the npm registry ('npm ping') and run the command again.`);
    return code;
  }
  mkdirSync(join(root, 'node_modules'), { recursive: true });
  writeFileSync(stampFile(root), stamp);
  return 0;
}
