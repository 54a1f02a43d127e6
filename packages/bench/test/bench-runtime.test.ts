import { spawnSync } from 'node:child_process';
import { beforeAll, describe, expect, it } from 'vitest';
import type { BenchRatio, BenchRow } from '../src/bench-support/bench-result.js';
import { runtimeBenchOptions } from '../src/bench-support/runtime/options.js';
import { askOnce } from '../src/bench-support/subject-process.js';
import { buildCommand, main } from './built-command.js';

describe('options of bpc bench runtime', () => {
  it('have the defaults that its goals are about', () => {
    expect(runtimeBenchOptions([])).toEqual({
      cases: ['leaks', 'compile', 'calls'],
      subjects: ['js', 'onnx:cpu'],
      warmUp: 10_000,
      calls: 100_000,
      cycles: 1_000,
      rounds: 5,
    });
  });

  it.each([
    ['an unknown case', ['--cases', 'leak'], /--cases has 'leak'/],
    ['a runtime that is not compiled', ['--subjects', 'tfjs:cpu'], /--subjects has 'tfjs:cpu'/],
    ['no calls', ['--calls', '0'], /--calls is 0/],
    ['an unknown option', ['--python', 'python3'], /--python/],
  ])('refuse %s', (_, args, message) => {
    expect(() => runtimeBenchOptions(args)).toThrow(message);
  });
});

describe('a subject that answers once', () => {
  const { signal } = new AbortController();
  const script = (source: string) => ({ command: process.execPath, args: ['-e', source] });

  it('gives its result, whatever else it prints', async () => {
    const answer = await askOnce<number>(script(`console.log('hello'); console.log('{"result": 3}')`), signal);
    expect(answer).toEqual({ result: 3 });
  });

  it('is absent for the reason it gave when it fails', async () => {
    expect(await askOnce(script(`throw new RangeError('too small')`), signal)).toEqual({ absent: 'RangeError: too small' });
    expect(await askOnce(script(''), signal)).toEqual({ absent: 'it ended (exit code 0)' });
  });
});

describe('bpc bench runtime', () => {
  beforeAll(buildCommand, 180_000);

  it('counts what calls and compilations leave behind: no tensor, no session', () => {
    const args = ['bench', 'runtime', '--json', '--cases', 'leaks,calls', '--warm-up', '200', '--calls', '300', '--cycles', '5'];
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args, '--rounds', '1'], { encoding: 'utf8' });
    expect({ status, stderr }).toMatchObject({ status: 0 });
    const { rows, ratios } = JSON.parse(stdout) as { rows: BenchRow[]; ratios: BenchRatio[] };
    for (const subject of ['js', 'onnx:cpu']) {
      const of = (name: RegExp) => rows.find((row) => row.subject === subject && name.test(row.case))?.median;
      // Resident memory of a Node process with the runtime loaded, in MB.
      expect(of(/^memory/)).toBeGreaterThan(30);
      expect(of(/^growth over 300 calls$/)).toEqual(expect.any(Number));
      expect(of(/^compile, call and dispose$/)).toBeGreaterThan(0);
      expect(of(/^call of a sum/)).toBeGreaterThan(0);
      expect(ratios).toContainEqual({ name: `${subject}, tensors gained`, value: 0, goal: 0 });
      expect(ratios).toContainEqual({ name: `${subject}, sessions gained`, value: 0, goal: 0 });
    }
  }, 60_000);

  it('times compilations of one ConvNet step in fresh processes', () => {
    const args = ['bench', 'runtime', '--json', '--cases', 'compile', '--subjects', 'onnx:cpu', '--rounds', '1'];
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' });
    expect({ status, stderr }).toMatchObject({ status: 0 });
    const { rows, ratios } = JSON.parse(stdout) as { rows: BenchRow[]; ratios: BenchRatio[] };
    expect(rows.map(({ case: name, unit }) => [name, unit])).toEqual([
      ['compile: ConvNet D3 W128, loss and gradients, batch 10', 's'],
      ['compile: scan of 100 Langevin steps of that ConvNet', 's'],
      ['compile: scan of 100 Langevin steps of a logistic regression', 's'],
    ]);
    expect(ratios.map(({ goal }) => goal)).toEqual([1, 2, 2]);
    for (const { median } of rows) expect(median).toBeGreaterThan(0);
  }, 60_000);
});
