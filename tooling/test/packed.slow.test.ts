import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'bpc packed '));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Manifest = { name: string; version: string; exports: Record<string, unknown>; bin?: Record<string, string> };
type Packed = { name: string; filename: string; files: { path: string }[] };

const packages = readdirSync(join(root, 'packages')).map((name) => join(root, 'packages', name));
const manifests = packages.map((path): Manifest => JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')));
const entries = manifests.flatMap(({ name, exports }) => Object.keys(exports).map((path) => join(name, path).replaceAll('\\', '/')));

/** Runs npm or node in `cwd` and gives back stdout; fails with everything that was printed. */
function run(command: string, args: readonly string[], cwd: string): string {
  const { npm_config_local_prefix: _outer, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, env, encoding: 'utf8', shell: process.platform === 'win32' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}\n${stdout}\n${stderr}`);
  return stdout;
}

describe('packed tarballs, installed in an empty folder', () => {
  let packed: Packed[];

  beforeAll(() => {
    packed = packages.map((path) => JSON.parse(run('npm', ['pack', '--json', '--pack-destination', folder], path))[0]);
    const dependencies = Object.fromEntries(packed.map(({ name, filename }) => [name, `file:./${filename}`]));
    // The peer dependency, as a user would add it; no tfjs backend, no ONNX Runtime.
    const peers = { '@tensorflow/tfjs-core': '4.22.0' };
    writeFileSync(
      join(folder, 'package.json'),
      JSON.stringify({ name: 'user', private: true, type: 'module', dependencies: { ...dependencies, ...peers } }),
    );
    run('npm', ['install', '--ignore-scripts', '--omit=optional', '--prefer-offline', '--no-audit', '--no-fund'], folder);
  });

  it('contain the licence, the readme, declarations and sources, and neither tests nor build records', () => {
    for (const { name, files } of packed) {
      const paths = files.map(({ path }) => path);
      expect(paths, name).toEqual(
        expect.arrayContaining(['LICENSE', 'README.md', 'package.json', 'dist/index.js', 'dist/index.d.ts', 'src/index.ts']),
      );
      expect(
        paths.filter((path) => /^(test|bench)\/|\.test\.|tsbuildinfo$/.test(path)),
        name,
      ).toEqual([]);
    }
  });

  it.each(entries)('%s can be imported and exports something', (entry) => {
    const script = `console.log(Object.keys(await import(${JSON.stringify(entry)})).length)`;
    expect(Number(run(process.execPath, ['--input-type=module', '-e', script], folder))).toBeGreaterThan(0);
  });

  it('give a bpc command that tells its version', () => {
    const { version } = manifests.find(({ bin }) => bin?.['bpc'] !== undefined) ?? { version: 'no package has the bpc command' };
    expect(run(join(folder, 'node_modules/.bin/bpc'), ['--version'], folder)).toContain(version);
  });

  it('type-check in a strict project', () => {
    const imports = entries.map((entry, i) => `import * as e${i} from '${entry}';`);
    writeFileSync(join(folder, 'all.ts'), `${imports.join('\n')}\nexport default [${entries.map((_, i) => `e${i}`).join(', ')}];\n`);
    const compilerOptions = {
      strict: true,
      module: 'NodeNext',
      target: 'ES2022',
      lib: ['ES2023', 'DOM', 'DOM.Iterable'],
      noEmit: true,
      skipLibCheck: true,
      types: [],
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['all.ts'] }));
    run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', '.'], folder);
  });
});
