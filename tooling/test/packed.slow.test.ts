import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installPacked, type Packed, runIn as run } from '../packed.mjs';

const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'bpc packed '));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Manifest = { name: string; version: string; exports: Record<string, unknown>; bin?: Record<string, string> };
const names = readdirSync(join(root, 'packages'));
const manifests = names.map((name): Manifest => JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')));
const entries = manifests.flatMap(({ name, exports }) => Object.keys(exports).map((path) => join(name, path).replaceAll('\\', '/')));

describe('packed tarballs, installed in an empty folder', () => {
  let packed: Packed[];

  beforeAll(() => {
    // The peer dependency, as a user would add it; no tfjs backend, no ONNX Runtime.
    packed = installPacked(folder, names, { '@tensorflow/tfjs-core': '4.22.0' });
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
