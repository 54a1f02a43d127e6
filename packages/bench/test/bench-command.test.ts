import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InterruptedError } from '@bpc/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { type BenchRow, median, renderBench } from '../src/bench-support/bench-result.js';
import { startSubject } from '../src/bench-support/subject-process.js';
import { ratiosOf, run, whySkipped } from '../src/benches/cd-step.js';
import { runCli } from '../src/cli/run-cli.js';
import { quietReporter } from '../src/progress/plain-reporter.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const main = join(root, 'packages/bench/dist/cli/main.js');

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

  it('are our median over the peer’s, with the goals of those that have one', () => {
    expect(ratiosOf([row('onnx:cpu', 20), row('tfjs:wasm', 200), row('tfjs:cpu', 2000), row('torch-eager', 10)])).toEqual([
      { name: 'onnx:cpu / tfjs:wasm, batch 10', value: 0.1, goal: 0.2 },
      { name: 'onnx:cpu / tfjs:cpu, batch 10', value: 0.01 },
      { name: 'onnx:cpu / torch-eager, batch 10', value: 2, goal: 1.5 },
    ]);
  });

  it('do not exist for a peer that is absent, nor without ours', () => {
    expect(ratiosOf([row('onnx:cpu', 20), row('torch-eager')])).toEqual([]);
    expect(ratiosOf([row('onnx:cpu'), row('torch-eager', 10)])).toEqual([]);
  });

  it('have no goals on networks that the goals are not about', () => {
    expect(ratiosOf([row('onnx:cpu', 20), row('torch-eager', 10)], {})).toEqual([{ name: 'onnx:cpu / torch-eager, batch 10', value: 2 }]);
  });

  it('are printed with whether the goal is met; absent peers have dashes and a reason', () => {
    const rows = [row('onnx:cpu', 20), row('tfjs:wasm', 200), row('torch-eager', 10), row('torch-compile')];
    const text = renderBench({ bench: 'cd-step', rows, ratios: ratiosOf(rows), environment: {} });
    expect(text).toMatch(/tfjs:wasm, batch 10 +0\.100 +≤ 0\.2 +met/);
    expect(text).toMatch(/torch-eager, batch 10 +2\.000 +≤ 1\.5 +missed/);
    expect(text).toMatch(/torch-compile +- +- +- +- +not installed/);
  });
});

describe('what takes minutes a step', () => {
  it('is left out of larger batches, saying how long it would take', () => {
    expect(whySkipped(5_100, 100)).toMatch(/about 510 s a step.*--slow/);
    expect(whySkipped(5_100, 10)).toBeUndefined();
    expect(whySkipped(undefined, 100)).toBeUndefined();
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
  async function refusal(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    let stdout = '';
    const stderr: string[] = [];
    const io = {
      stdout: (text: string) => {
        stdout += text;
      },
      stderr: (line: string) => stderr.push(line),
    };
    return { code: await runCli(['bench', ...args], io), stdout, stderr: stderr.join('\n') };
  }

  it.each([
    ['an unknown bench', ['cd-stepp'], /did you mean 'cd-step'/],
    ['an unknown option', ['cd-step', '--bacthes', '10'], /--bacthes/],
    ['a batch of zero', ['cd-step', '--batches', '10,0'], /--batches is 0, expected a positive integer/],
    ['half a thread', ['cd-step', '--threads', '0.5'], /--threads is 0\.5/],
    ['a width that is no number', ['cd-step', '--width', 'wide'], /--width is wide/],
    ['no rounds', ['cd-step', '--rounds', '-1'], /--rounds/],
    ['an unknown subject', ['cd-step', '--subjects', 'onnx:cpu,jax'], /'jax'.*\n.*torch-eager/],
  ])('refuses %s with exit code 2 and a remedy', async (_, args, mentions) => {
    const { code, stdout, stderr } = await refusal(...args);
    expect(stderr).toMatch(mentions);
    expect(stderr).toMatch(/^error: .*\nremedy: ./);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
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
    beforeAll(() => {
      const build = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b', join(root, 'packages/bench')], {
        encoding: 'utf8',
      });
      if (!existsSync(main)) throw new Error(`no build of the command: ${build.stdout}`);
    }, 180_000);

    it('prints one JSON line: a figure for what is there, absent for a Python that is not', () => {
      const python = join(root, 'no-such-python');
      const args = ['bench', 'cd-step', '--json', '--width', '4', '--batches', '2', '--rounds', '2', '--threads', '1'];
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        [main, ...args, '--subjects', 'onnx:cpu,tfjs:cpu,torch-eager', '--python', python],
        {
          encoding: 'utf8',
        },
      );
      expect({ status, stderr }).toMatchObject({ status: 0 });
      expect(stdout).toMatch(/^\{.*\}\n$/);
      const { bench, rows, ratios, environment, ...others } = JSON.parse(stdout);
      expect(others).toEqual({});
      expect(bench).toBe('cd-step');
      const figure = (subject: string) => ({
        case: 'batch 2',
        subject,
        unit: 'ms',
        median: expect.any(Number),
        min: expect.any(Number),
        repeats: expect.any(Number),
        peakRssMb: expect.any(Number),
      });
      expect(rows).toEqual([
        figure('onnx:cpu'),
        figure('tfjs:cpu'),
        { case: 'batch 2', subject: 'torch-eager', unit: 'ms', absent: true, reason: expect.stringContaining('ENOENT') },
      ]);
      expect(ratios).toEqual([{ name: 'onnx:cpu / tfjs:cpu, batch 2', value: rows[0].median / rows[1].median }]);
      expect(environment).toMatchObject({ node: process.version, threads: 1, versions: { 'onnxruntime-node': expect.any(String) } });
    }, 60_000);
  });
});
