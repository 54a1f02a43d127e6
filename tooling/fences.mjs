// `npm run fences`: type-checks and runs the TypeScript fences of the README files, of docs/ and of doc comments.
//
// Arguments name files or folders (all if there are none). Needs a build: fences import the packages as users do.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileFences } from './fences/compile.mjs';
import { commentFences, markdownFences } from './fences/extract.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
// Inside the repository, so that imports resolve as in any other folder of it.
const work = join(root, '.cache', `fences-${process.pid}`);
const SKIPPED = new Set(['node_modules', 'dist', 'api', '.vitepress']);

/** @param {string} path @returns {string[]} */
function files(path) {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .filter((name) => !SKIPPED.has(name))
    .flatMap((name) => files(join(path, name)));
}

const packages = readdirSync(join(root, 'packages')).map((name) => join('packages', name));
const everything = [
  'README.md',
  'CONTRIBUTING.md',
  'docs',
  ...packages.flatMap((folder) => [join(folder, 'README.md'), join(folder, 'src')]),
];
const chosen = process.argv.slice(2);
const fences = (chosen.length > 0 ? chosen : everything)
  .flatMap((path) => files(join(root, path)))
  .flatMap((path) => {
    const name = relative(root, path).split(sep).join('/');
    if (path.endsWith('.md')) return markdownFences(name, readFileSync(path, 'utf8'));
    return path.endsWith('.ts') ? commentFences(name, readFileSync(path, 'utf8')) : [];
  });

// Fences that show a file of the repository are compiled and run as that file; here they must only be equal to it.
const snippets = fences.filter(({ from }) => from === undefined);
const outdated = fences.filter(({ from, code }) => {
  if (from === undefined) return false;
  const file = join(root, from);
  return !existsSync(file) || readFileSync(file, 'utf8').trim() !== code.trim();
});
for (const { file, line, from } of outdated) console.error(`✗ ${file}:${line}: differs from ${from}; copy the file here`);

try {
  mkdirSync(join(work, 'src'), { recursive: true });
  writeFileSync(join(work, 'package.json'), '{ "type": "module" }');
  const modules = snippets.map((fence) => {
    const name = `${fence.file.replace(/[^\w]+/g, '-')}-L${fence.line}`;
    const module = join(work, 'src', `${name}.ts`);
    // Code first, so that line numbers agree; the export makes every snippet a module with its own names.
    writeFileSync(module, `${fence.code}\nexport {};\n`);
    return { ...fence, module, compiled: join(work, 'out', `${name}.js`) };
  });
  const errors = compileFences(modules, { root, outDir: join(work, 'out') });
  for (const { message } of errors) console.error(`✗ ${message}`);

  const runnable = modules.filter((fence) => fence.run && !errors.some((error) => error.fence === fence));
  const list = join(work, 'list.json');
  writeFileSync(list, JSON.stringify(runnable.map(({ file, line, compiled }) => ({ label: `${file}:${line}`, module: compiled }))));
  const runner = fileURLToPath(new URL('fences/run.mjs', import.meta.url));
  const { status } = spawnSync(process.execPath, [runner, list], { cwd: work, stdio: ['ignore', 'inherit', 'inherit'] });
  console.error(`${fences.length} fences, ${runnable.length} run, ${errors.length} type errors, ${outdated.length} outdated`);
  process.exitCode = errors.length === 0 && outdated.length === 0 && status === 0 ? 0 : 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}
