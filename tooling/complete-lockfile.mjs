// Adds the entries of other platforms' binaries that npm left out of a lockfile.
//
// npm writes an entry only for what the registry in use could serve. A mirror that carries no Windows or macOS binaries
// therefore gives a lockfile that `npm ci` refuses on every platform ("Missing: … from lock file"). Run this after
// `npm install`; tooling/test/lockfile.test.ts says when it is needed.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * @typedef {{ version?: string, dev?: boolean, optional?: boolean, os?: string[], cpu?: string[], libc?: string[],
 *   dependencies?: Record<string, string>, optionalDependencies?: Record<string, string> }} LockEntry
 * @typedef {{ packages: Record<string, LockEntry> }} Lockfile
 */

const SYSTEMS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const PROCESSORS = ['arm64', 'arm', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64'];

/**
 * The platform that a binary package's name tells, `@scope/cli-linux-arm64-musl` say.
 *
 * @param {string} name
 * @returns {{ os?: string[], cpu?: string[], libc?: string[] }}
 */
export function platformOf(name) {
  const words = name.replace('windows', 'win32').split(/[-/]/);
  const os = SYSTEMS.find((system) => words.includes(system));
  const cpu = PROCESSORS.find((processor) => words.includes(processor)) ?? (words.includes('64') ? 'x64' : undefined);
  const libc = words.includes('musl') ? 'musl' : words.includes('gnu') ? 'glibc' : undefined;
  return { ...(os && { os: [os] }), ...(cpu && { cpu: [cpu] }), ...(os === 'linux' && libc && { libc: [libc] }) };
}

/**
 * Optional dependencies that some entry names and the lockfile does not contain.
 *
 * @param {Lockfile} lock
 * @returns {{ name: string, version: string, dev: boolean }[]}
 */
export function missingOptional(lock) {
  const missing = new Map();
  for (const [path, entry] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      // Where Node would look: nested folders first, then the root.
      const folders = path.split('/node_modules/').map((_, i, parts) => parts.slice(0, i + 1).join('/node_modules/'));
      const places = [...folders.map((folder) => `${folder}/node_modules/${name}`), `node_modules/${name}`];
      if (!places.some((place) => place in lock.packages)) missing.set(name, { name, version, dev: entry.dev === true });
    }
  }
  return [...missing.values()];
}

/**
 * A copy of `lock` with the missing entries; entries whose platform or exact version is unknown are left to npm.
 *
 * @param {Lockfile} lock
 * @returns {Lockfile}
 */
export function complete(lock) {
  const added = missingOptional(lock).flatMap(({ name, version, dev }) => {
    const platform = platformOf(name);
    if (!/^\d+\.\d+\.\d+/.test(version) || (!platform.os && !platform.cpu)) return [];
    return [[`node_modules/${name}`, { version, ...(dev && { dev }), ...platform, optional: true }]];
  });
  const entries = [...Object.entries(lock.packages), ...added].sort(([a], [b]) => (a < b ? -1 : 1));
  return { ...lock, packages: Object.fromEntries(entries) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const file = process.argv[2] ?? fileURLToPath(new URL('../package-lock.json', import.meta.url));
  const lock = JSON.parse(readFileSync(file, 'utf8'));
  const before = missingOptional(lock).length;
  const completed = complete(lock);
  writeFileSync(file, `${JSON.stringify(completed, null, 2)}\n`);
  console.error(`${before - missingOptional(completed).length} entries added, ${missingOptional(completed).length} left out`);
}
