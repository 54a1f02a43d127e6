// Compiles the workspaces that tsconfig.json refers to, and remembers from what.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from './child.mjs';
import { installStamp } from './install.mjs';

/** @param {string} root */
const stampFile = (root) => join(root, '.cache', 'build-stamp');

/** The folders of the project references. @param {string} root @returns {string[]} */
function projects(root) {
  const { references } = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8'));
  return references.map((/** @type {{ path: string }} */ reference) => reference.path);
}

/** @param {string} folder @returns {string[]} every file below `folder`, sorted */
function filesBelow(folder) {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => (entry.isDirectory() ? filesBelow(join(folder, entry.name)) : [join(folder, entry.name)]));
}

/**
 * Fingerprint of everything the build reads: names, sizes and times of the sources, and the installed compiler.
 *
 * @param {string} root
 */
export function buildStamp(root) {
  const settings = [
    'tsconfig.json',
    'tsconfig.base.json',
    ...projects(root).flatMap((project) => [join(project, 'package.json'), join(project, 'tsconfig.json')]),
  ];
  const sources = projects(root).flatMap((project) => filesBelow(join(root, project, 'src')));
  const hash = createHash('sha256').update(installStamp(root));
  for (const file of [...settings.map((name) => join(root, name)).filter(existsSync), ...sources]) {
    const { size, mtimeMs } = statSync(file);
    hash.update(`${file}\0${size}\0${mtimeMs}\n`);
  }
  return `${hash.digest('hex')}\n`;
}

/** Whether dist/ is there and was made from the sources as they are. @param {string} root */
export function isBuilt(root) {
  const stamp = stampFile(root);
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== buildStamp(root)) return false;
  return projects(root).every((project) => existsSync(join(root, project, 'dist', '.tsbuildinfo')));
}

/**
 * Compiles what is missing or stale.
 *
 * @param {string} root
 * @param {(message: string) => void} log
 * @returns {Promise<number>} the exit code of tsc; 0 if there was nothing to do
 */
export async function build(root, log) {
  if (isBuilt(root)) return 0;
  // Taken before compiling: what changes meanwhile is compiled next time.
  const stamp = buildStamp(root);
  log('Building …');
  rmSync(stampFile(root), { force: true });
  const code = await run(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-b'], { cwd: root });
  if (code !== 0) {
    log('The build failed; the messages above name the files.');
    return code;
  }
  mkdirSync(dirname(stampFile(root)), { recursive: true });
  writeFileSync(stampFile(root), stamp);
  return 0;
}
