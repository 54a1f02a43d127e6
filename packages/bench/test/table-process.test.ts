import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseTableResults } from '../src/table/table-results.js';
import { buildCommand, main } from './built-command.js';

beforeAll(buildCommand, 180_000);

const newFolder = () => mkdtempSync(join(tmpdir(), 'bpc-table-'));

/** A real table in seconds: two methods, all kinds of rows, a tiny network. */
const mini = {
  title: 'A mini table',
  datasets: ['digits'],
  ipc: [1, 2],
  methods: ['bpc-cd', 'bpc-w'],
  rows: ['random', 'nearest-mean', 'herding', 'init', 'full'],
  seeds: { 1: 3, 2: 2 },
  runtime: 'js',
  workers: 2,
  settings: {
    ...{ network: 'mlp', width: 8, depth: 1, steps: 60, innerSteps: 2, augment: 'none', checkpointEvery: 10 },
    ...{ experts: 2, expertEpochs: 2, expertImages: 64 },
    evaluation: { chains: 2, steps: 5, augment: 'none' },
    full: { epochs: 1 },
  },
};

function write(table: object): string {
  const path = join(newFolder(), 'mini.json');
  writeFileSync(path, JSON.stringify(table));
  return path;
}

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(args: readonly string[]): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  const child = spawn(process.execPath, [main, 'table', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
  return { child, ended };
}

const run = (config: string, out: string, ...more: readonly string[]) => start(['--config', config, '--out', out, ...more]).ended;
const read = (out: string, name: string) => readFileSync(join(out, name), 'utf8');
const resultsOf = (out: string) => parseTableResults(JSON.parse(read(out, 'results.json')));
const pieces = (out: string): string[] => {
  const folder = join(out, 'checkpoint', 'pieces');
  return existsSync(folder) ? readdirSync(folder) : [];
};

describe('bpc table', () => {
  const config = write(mini);
  const reference = join(newFolder(), 'reference');
  let finished: Ended;

  beforeAll(async () => {
    finished = await run(config, reference, '--json');
  }, 120_000);

  it('runs every row of every cell, writes all formats and one JSON document', () => {
    expect(finished.stderr).not.toContain('warning');
    expect(finished.code).toBe(0);
    const { files, ...results } = JSON.parse(finished.stdout);
    expect(parseTableResults(results)).toEqual(resultsOf(reference));
    for (const path of Object.values<string>(files)) expect(existsSync(path)).toBe(true);
    expect(results.cells.map(({ id }: { id: string }) => id)).toEqual(
      [1, 2].flatMap((ipc) =>
        ['random', 'nearest-mean', 'herding', 'init', 'bpc-cd', 'bpc-w', 'full'].map((row) => `digits/${ipc}/${row}`),
      ),
    );
    for (const { status, seeds, ipc } of resultsOf(reference).cells) {
      expect(status).toBe('done');
      expect(seeds).toHaveLength(ipc === 1 ? 3 : 2);
    }
  });

  it('has for every row the figures that the cell has seed by seed, and intervals of their differences', () => {
    const { cells, comparisons } = resultsOf(reference);
    const lines = read(reference, 'table.csv').trim().split('\n');
    for (const { dataset, ipc, row, kind, seeds } of cells)
      for (const { seed, metrics } of seeds)
        expect(lines).toContain(`${dataset},${ipc},${row},${kind},test,${seed},accuracy,${metrics['accuracy']},done,`);
    const value = (row: string, seed: number) =>
      cells.find(({ id }) => id === `digits/1/${row}`)?.seeds[seed]?.metrics['accuracy'] ?? Number.NaN;
    const mean = [0, 1, 2].reduce((sum, seed) => sum + (value('bpc-cd', seed) - value('random', seed)) / 3, 0);
    const found = comparisons.find(
      ({ of, to, scope, metric }) => of === 'bpc-cd' && to === 'random' && scope === 'digits/1' && metric === 'accuracy',
    );
    expect(found?.mean).toBeCloseTo(mean, 12);
    // The preset starts from the images nearest the mean.
    expect([0, 1, 2].map((seed) => value('init', seed))).toEqual([0, 1, 2].map((seed) => value('nearest-mean', seed)));
    expect(new Set([0, 1, 2].map((seed) => value('random', seed))).size).toBeGreaterThan(1);
  });

  it('killed with SIGKILL twice, once on one thread, ends with the same bytes', async () => {
    const out = join(newFolder(), 'run');
    const killedAt = async (count: number, workers: string) => {
      const { child, ended } = start(['--config', config, '--out', out, '--workers', workers]);
      let over = false;
      void ended.then(() => {
        over = true;
      });
      while (!over && pieces(out).length < count) await new Promise((resolve) => setTimeout(resolve, 3));
      child.kill('SIGKILL');
      await ended;
    };
    await killedAt(6, '2');
    expect(existsSync(join(out, 'table.csv'))).toBe(false);
    const kept = pieces(out).filter((name) => name.startsWith('score-')).length;
    await killedAt(14, '1');
    expect(existsSync(join(out, 'table.csv'))).toBe(false);
    const plan = JSON.parse((await run(config, out, '--dry-run', '--json')).stdout);
    const done = plan.cells.reduce((sum: number, cell: { done: number }) => sum + cell.done, 0);
    expect(done).toBeGreaterThanOrEqual(kept);
    const { code, stderr } = await run(config, out);
    expect(stderr).toContain('continuing the table');
    expect(code).toBe(0);
    for (const name of ['table.csv', 'table-wide.csv', 'table.tex']) expect(read(out, name)).toBe(read(reference, name));
  }, 180_000);

  it('interrupted with Ctrl-C saves, exits with 130, and goes on with the rest', async () => {
    const out = join(newFolder(), 'run');
    const { child, ended } = start(['--config', config, '--out', out, '--only', '*/*/bpc-cd']);
    while (pieces(out).length < 2) await new Promise((resolve) => setTimeout(resolve, 3));
    child.kill('SIGINT');
    const { code, stderr } = await ended;
    expect(stderr).toMatch(/interrupted:/);
    expect(code).toBe(130);
    const again = await run(config, out, '--only', '*/*/bpc-cd');
    expect(again.code).toBe(0);
    const { cells } = resultsOf(out);
    const full = resultsOf(reference).cells;
    for (const { id, seeds, status } of cells) {
      if (!id.endsWith('/bpc-cd')) continue;
      expect(status).toBe('done');
      expect(seeds).toEqual(full.find((cell) => cell.id === id)?.seeds);
    }
    // What was not asked for is shown as not run, not as failed.
    expect(cells.find(({ id }) => id === 'digits/1/bpc-w')?.status).toBe('pending');
    expect(read(out, 'table.md')).toContain('not run');
  }, 120_000);

  it('does again exactly what a changed setting concerns, and says so', async () => {
    const changed = write({ ...mini, overrides: [{ methods: ['bpc-w'], ipc: [1], settings: { imageLearningRate: 1.5 } }] });
    const before = new Set(pieces(reference));
    const plan = JSON.parse((await run(changed, reference, '--dry-run', '--json')).stdout);
    expect(
      plan.cells.filter(({ seeds, done }: { seeds: number; done: number }) => done < seeds).map(({ id }: { id: string }) => id),
    ).toEqual(['digits/1/bpc-w']);
    const { code, stderr } = await run(changed, reference, '--json');
    expect(code).toBe(0);
    expect(stderr).toMatch(/changed: imageLearningRate was 10, now 1\.5: .*digits\/1\/bpc-w/);
    expect(stderr).toMatch(/6 jobs to do/);
    expect(pieces(reference).filter((name) => !before.has(name))).toHaveLength(3);
    // Back again, everything is still there.
    const back = await run(config, reference);
    expect(back.stderr).not.toMatch(/jobs to do/);
  }, 120_000);

  it('reports cells that cannot be done as failed, runs the rest, and exits with 1', async () => {
    const out = join(newFolder(), 'run');
    const hard = write({
      ...mini,
      title: 'Hard & <small> 100 % of_it',
      ipc: [1, 500],
      seeds: 2,
      rows: ['random', 'init'],
      overrides: [{ methods: ['bpc-w'], ipc: [1], settings: { imageLearningRate: 1e30 } }],
    });
    const { code, stdout, stderr } = await run(hard, out);
    expect(code).toBe(1);
    expect(stderr).toMatch(/digits\/500\/random.* class \d of digits has only \d+ training images/);
    const { cells, comparisons, findings } = resultsOf(out);
    const failed = cells.filter(({ status }) => status === 'failed').map(({ id }) => id);
    expect(failed).toEqual(['digits/1/bpc-w', 'digits/500/random', 'digits/500/init', 'digits/500/bpc-cd', 'digits/500/bpc-w']);
    expect(cells.filter(({ status }) => status === 'done').map(({ id }) => id)).toEqual([
      'digits/1/random',
      'digits/1/init',
      'digits/1/bpc-cd',
    ]);
    expect(comparisons.every(({ of }) => of === 'bpc-cd')).toBe(true);
    expect(findings[0]?.sentences.join('\n')).toMatch(/On digits with 1 image per class, bpc-w failed: /);
    expect(stdout).toMatch(/bpc-w +failed/);
    // A row that failed is written as such everywhere, and titles are text, not markup.
    expect(read(out, 'table.md')).toContain('| **bpc-w** | failed |');
    expect(read(out, 'table.html')).toContain('<title>Hard &amp; &lt;small&gt; 100 % of_it</title>');
    expect(read(out, 'table.tex')).toContain('Hard \\& \\textless{}small\\textgreater{} 100 \\% of\\_it');
    expect(read(out, 'table.csv')).toMatch(/digits,500,random,control,test,,,,failed,"?ipc is 500/);
  }, 120_000);

  it('refuses a wrong file before any work, with 2 and nothing written', async () => {
    const out = join(newFolder(), 'run');
    const { code, stderr } = await run(write({ ...mini, methods: ['bpc-dc'] }), out);
    expect(code).toBe(2);
    expect(stderr).toMatch(/'methods\[0\]' is 'bpc-dc'.*\n.*did you mean 'bpc-cd'/);
    expect(existsSync(out)).toBe(false);
  });
});
