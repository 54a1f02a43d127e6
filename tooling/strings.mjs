// Finds what must not be in a tracked file: paths of one machine, hosts of package registries, left-over conflict marks.
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// Written so that this file does not find itself.
const slash = '/';
const FORBIDDEN = [
  { name: 'path of one machine', pattern: new RegExp(`(?<![\\w.~@}])${slash}(work|farm|root|home|Users)${slash}[\\w.-]+`) },
  { name: 'path of one machine', pattern: new RegExp(`(?<![\\w.~@}])${slash}tmp${slash}[a-z]\\w+`) },
  { name: 'path of one machine', pattern: /\b[A-Z]:\\{1,2}Users\\/ },
  { name: 'host of a package registry', pattern: /registry\.(npmjs|yarnpkg)|pypi\.(org|python)/ },
  { name: 'conflict mark', pattern: new RegExp(`^(${'<'.repeat(7)} |${'>'.repeat(7)} )`, 'm') },
];

/**
 * The forbidden strings of a text, each with its line.
 *
 * @param {string} text
 * @returns {{ name: string, line: number, found: string }[]}
 */
export function forbiddenStrings(text) {
  return text.split('\n').flatMap((content, index) =>
    FORBIDDEN.flatMap(({ name, pattern }) => {
      const match = pattern.exec(content);
      return match === null ? [] : [{ name, line: index + 1, found: match[0] }];
    }),
  );
}

/** Files that git tracks or would add. @param {string} root @returns {string[]} */
export function trackedFiles(root) {
  const { status, stdout, stderr } = spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root });
  if (status !== 0) throw new Error(`git ls-files failed: ${stderr}`);
  return [...new Set(stdout.toString().split('\0'))].filter(
    (file) => file !== '' && statSync(join(root, file), { throwIfNoEntry: false })?.isFile(),
  );
}

/**
 * Every finding in the text files of a repository, as `file:line: what`.
 *
 * @param {string} root
 */
export function findings(root) {
  return trackedFiles(root).flatMap((file) => {
    const bytes = readFileSync(join(root, file));
    // A zero byte early on is how git tells binary files, too.
    if (bytes.subarray(0, 8_000).includes(0)) return [];
    return forbiddenStrings(bytes.toString('utf8')).map(({ name, line, found }) => `${file}:${line}: ${name}: ${found}`);
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const all = findings(fileURLToPath(new URL('..', import.meta.url)));
  for (const finding of all) console.error(finding);
  process.exitCode = all.length === 0 ? 0 : 1;
}
