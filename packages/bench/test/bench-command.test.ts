import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { InterruptedError } from '@bpc/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { type BenchRow, median, ratiosOf, renderBench } from '../src/bench-support/bench-result.js';
import { startSubject } from '../src/bench-support/subject-process.js';
import { run } from '../src/benches/cd-step.js';
import { quietReporter } from '../src/progress/plain-reporter.js';
import { buildCommand, main, root } from './built-command.js';
import { expectRefusal } from './expect-refusal.js';

describe('median', () => {
  it('is the middle value, or the mean of the two in the middle, whatever the order', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([100, 1, 3, 2])).toBe(2.5);
    expect(median([7])).toBe(7);
    expect(median([])).toBeNaN();
  });
});

describe('ratios', () => {
  const row = (subject: string, figure?: number): BenchRow =>
    figure === undefined
      ? { case: 'batch 10', subject, unit: 'ms', absent: true, reason: 'not installed' }
      : { case: 'batch 10', subject, unit: 'ms', median: figure, min: figure / 2, repeats: 3 };

  const goals: Readonly<Record<string, number>> = { 'tfjs:wasm': 0.2, 'torch-eager': 1.5 };

  it('are our median over the peer’s, with the goals of those that have one', () => {
    const rows = [row('onnx:cpu', 20), row('tfjs:wasm', 200), row('tfjs:cpu', 2000), row('torch-eager', 10)];
    expect(ratiosOf(rows, 'onnx:cpu', (peer) => goals[peer])).toEqual([
      { name: 'onnx:cpu / tfjs:wasm, batch 10', value: 0.1, goal: 0.2 },
      { name: 'onnx:cpu / tfjs:cpu, batch 10', value: 0.01 },
      { name: 'onnx:cpu / torch-eager, batch 10', value: 2, goal: 1.5 },
    ]);
  });

  it('do not exist for a peer that is absent, nor without ours', () => {
    expect(ratiosOf([row('onnx:cpu', 20), row('torch-eager')], 'onnx:cpu')).toEqual([]);
    expect(ratiosOf([row('onnx:cpu'), row('torch-eager', 10)], 'onnx:cpu')).toEqual([]);
  });

  it('are printed with whether the goal is met; absent peers have dashes and a reason', () => {
    const rows = [row('onnx:cpu', 20), row('tfjs:wasm', 200), row('torch-eager', 10), row('torch-compile')];
    const ratios = ratiosOf(rows, 'onnx:cpu', (peer) => goals[peer]);
    const text = renderBench({ bench: 'cd-step', rows, ratios, environment: {} });
    expect(text).toMatch(/tfjs:wasm, batch 10 +0\.100 +≤ 0\.2 +met/);
    expect(text).toMatch(/torch-eager, batch 10 +2\.000 +≤ 1\.5 +missed/);
    expect(text).toMatch(/torch-compile +- +- +- +ms +- +- +- +not installed/);
  });
});

describe('a subject', () => {
  const { signal } = new AbortController();
  const script = (source: string) => ({ command: process.execPath, args: ['-e', source] });
  const ready = `console.log('a greeting'); console.log('{"ready": true, "version": "1.2"}');`;
  const answering = `${ready} require('node:readline').createInterface({ input: process.stdin }).on('line', (n) =>
    console.log(JSON.stringify({ ms: Array(Number(n)).fill(4), peakRssMb: 7 })));`;

  it('that is not there is absent, with a reason', async () => {
    expect(await startSubject({ command: join(root, 'no-such-python'), args: [] }, signal)).toEqual({
      absent: expect.stringContaining('ENOENT'),
    });
  });

  it('that fails while it starts is absent for the reason it gave last', async () => {
    const failing = await startSubject(script(`console.error('ModuleNotFoundError: no torch'); process.exit(1)`), signal);
    expect(failing).toEqual({ absent: 'ModuleNotFoundError: no torch' });
    expect(await startSubject(script('process.exit(3)'), signal)).toEqual({ absent: 'it ended (exit code 3)' });
    const thrown = await startSubject(script(`throw new TypeError('no such function')`), signal);
    expect(thrown).toEqual({ absent: 'TypeError: no such function' });
  });

  it('answers counts with milliseconds, whatever else it prints', async () => {
    const subject = await startSubject(script(answering), signal);
    if ('absent' in subject) throw new Error(subject.absent);
    expect(subject.version).toBe('1.2');
    expect(await subject.time(2)).toEqual({ ms: [4, 4], peakRssMb: 7 });
    expect(await subject.time(1)).toEqual({ ms: [4], peakRssMb: 7 });
    subject.stop();
  });

  it('that ends while it is timed has no figure', async () => {
    const subject = await startSubject(script(`${ready} process.stdin.once('data', () => process.exit(9))`), signal);
    if ('absent' in subject) throw new Error(subject.absent);
    expect(await subject.time(3)).toEqual({ absent: 'ended while it was timed: it ended (exit code 9)' });
    expect(await subject.time(3)).toHaveProperty('absent');
  });
});

describe('bpc bench', () => {
  it.each([
    ['an unknown bench', ['cd-stepp'], /did you mean 'cd-step'/],
    ['an unknown option', ['cd-step', '--bacthes', '10'], /--bacthes/],
    ['a batch of zero', ['cd-step', '--batches', '10,0'], /--batches is 0, expected a positive integer/],
    ['half a thread', ['cd-step', '--threads', '1,0.5'], /--threads is 0\.5/],
    ['a width that is no number', ['cd-step', '--width', 'wide'], /--width is wide/],
    ['no rounds', ['cd-step', '--rounds', '-1'], /--rounds/],
    ['no images per class', ['cd-step', '--ipc', ''], /--ipc is /],
    ['an unknown subject', ['cd-step', '--subjects', 'onnx:cpu,jacks'], /'jacks'.*\n.*torch-eager/],
    [
      'an unknown case',
      ['cd-step', '--cases', 'gradient'],
      /--cases has 'gradient', expected names among gradients, chains.*\n.*did you mean 'gradients'/,
    ],
    ['an unknown shape', ['cd-step', '--shapes', 'resnet50'], /--shapes has 'resnet50'.*\n.*resnet18/],
  ])('refuses %s with exit code 2 and a remedy', async (_, args, mentions) => {
    await expectRefusal(args, mentions);
  });

  it('ends as interrupted when it is stopped, instead of reporting absent peers', async () => {
    const printed: string[] = [];
    const context = {
      reporter: quietReporter({ write: () => undefined }),
      signal: AbortSignal.abort(),
      print: (text: string) => printed.push(text),
      json: true,
      beginWork: () => undefined,
    };
    await expect(run(context, ['--subjects', 'torch-eager', '--python', process.execPath])).rejects.toThrow(InterruptedError);
    expect(printed).toEqual([]);
  });

  describe('as a process', () => {
    beforeAll(buildCommand, 180_000);

    const python = join(root, 'no-such-python');
    const bench = (...args: readonly string[]) => {
      const small = ['--json', '--width', '4', '--batches', '2', '--rounds', '2', '--threads', '1', '--python', python];
      return spawnSync(process.execPath, [main, 'bench', 'cd-step', ...small, ...args], { encoding: 'utf8' });
    };

    it('prints one JSON line: a figure for what is there, absent for a Python that is not', () => {
      const { status, stdout, stderr } = bench('--cases', 'gradients', '--subjects', 'onnx:cpu,tfjs:cpu,torch-eager,jax');
      expect({ status, stderr }).toMatchObject({ status: 0 });
      expect(stdout).toMatch(/^\{.*\}\n$/);
      const { bench: name, rows, ratios, environment, ...others } = JSON.parse(stdout);
      expect(others).toEqual({});
      expect(name).toBe('cd-step');
      const figure = (subject: string) => ({
        case: 'batch 2, 1 thread',
        subject,
        unit: 'ms',
        median: expect.any(Number),
        min: expect.any(Number),
        repeats: expect.any(Number),
        cores: expect.any(Number),
        peakRssMb: expect.any(Number),
      });
      const absent = { case: 'batch 2, 1 thread', unit: 'ms', absent: true, reason: expect.stringContaining('ENOENT') };
      expect(rows).toEqual([figure('onnx:cpu'), figure('tfjs:cpu'), { ...absent, subject: 'torch-eager' }, { ...absent, subject: 'jax' }]);
      expect(ratios).toEqual([{ name: 'onnx:cpu / tfjs:cpu, batch 2, 1 thread', value: rows[0].median / rows[1].median }]);
      expect(environment).toMatchObject({
        node: process.version,
        threads: [1],
        load: { start: expect.any(Number), end: expect.any(Number), highest: { 'batch 2, 1 thread': expect.any(Number) } },
        versions: { 'onnxruntime-node': expect.any(String) },
      });
    }, 60_000);

    it('times chains and whole outer steps, and tells how exact the gradients are', () => {
      const { status, stdout, stderr } = bench(
        ...['--cases', 'chains,outer-step,accuracy', '--subjects', 'onnx:cpu,torch-eager'],
        ...['--ipc', '1', '--steps', '2', '--shapes', 'convnet-28'],
      );
      expect({ status, stderr }).toMatchObject({ status: 0 });
      const { rows, ratios } = JSON.parse(stdout) as { rows: BenchRow[]; ratios: { name: string; value: number; goal?: number }[] };
      const mine = rows.filter(({ subject }) => subject === 'onnx:cpu');
      expect(mine.map((row) => row.case)).toEqual([
        '2 chains, gradients, batch 2, 1 thread each',
        '2 chains, Langevin steps, batch 2, 1 thread each',
        'outer step, k = 2, 1 per class, 1 thread',
        'accuracy, ConvNet D3 W4, 32x32x3, batch 10',
        'accuracy, ConvNet D3 W4, 28x28x1, batch 10',
        'accuracy, outer step without noise, k = 3, batch 2',
      ]);
      for (const row of mine) expect(row.median).toBeGreaterThan(0);
      // Float32 at this size: an error of another kind would be far larger, none at all a comparison with itself.
      for (const { unit, median: error } of mine.filter((row) => row.unit === 'relative error'))
        expect({ unit, error }).toEqual({ unit, error: expect.toSatisfy((value: number) => value > 1e-8 && value < 1e-4) });
      expect(rows.filter(({ subject }) => subject === 'torch-eager').every(({ absent }) => absent === true)).toBe(true);
      expect(ratios).toEqual([
        { name: 'onnx:cpu, accuracy, ConvNet D3 W4, 32x32x3, batch 10', value: expect.any(Number), goal: 1e-5 },
        { name: 'onnx:cpu, accuracy, ConvNet D3 W4, 28x28x1, batch 10', value: expect.any(Number), goal: 1e-5 },
      ]);
    }, 120_000);
  });
});
