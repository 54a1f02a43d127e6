import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { jsRuntime } from '@bpc/compiler';
import { beforeAll, describe, expect, it } from 'vitest';
import type { BenchRow } from '../src/bench-support/bench-result.js';
import { logisticData } from '../src/bench-support/small-models/data.js';
import { smallModelNames, smallModels } from '../src/bench-support/small-models/models.js';
import { callsOf, errorOf, expectedOf, type SmallModelTask, smallModelCommand } from '../src/bench-support/small-models/task.js';
import { stealMeter } from '../src/bench-support/steal.js';
import { startSubject } from '../src/bench-support/subject-process.js';
import { perCall, smallModelRatios } from '../src/benches/small-models.js';
import { openRuntime } from '../src/runtime-choice/open-runtime.js';
import { formatRuntimeName, parseRuntimeName } from '../src/runtime-choice/runtime-name.js';
import { buildCommand, main, root } from './built-command.js';
import { expectRefusal } from './expect-refusal.js';

describe('figures of small models', () => {
  const row = (subject: string, median?: number): BenchRow =>
    median === undefined
      ? { case: 'logistic', subject, unit: 'ms', absent: true, reason: 'not installed' }
      : { case: 'logistic', subject, unit: 'ms', median, min: median / 2, repeats: 3 };

  it('are microseconds per call, from milliseconds per block', () => {
    const rows = perCall([row('js', 5), row('jax:call', 2), row('jax:scan')], (subject) => (subject === 'js' ? 500 : 100));
    expect(rows).toEqual([
      { ...row('js', 10), unit: 'µs', min: 5 },
      { ...row('jax:call', 20), unit: 'µs', min: 10 },
      { ...row('jax:scan'), unit: 'µs' },
    ]);
  });

  it('are compared precision by precision, with goals for the logistic regression', () => {
    const rows = [row('js', 12), row('js:float32', 3), row('jax:scan', 10), row('jax:call', 24), row('jax:scan-float32', 4)];
    expect(smallModelRatios(rows, 'logistic', undefined)).toEqual([
      { name: 'js / jax:scan, logistic', value: 1.2, goal: 1.2 },
      { name: 'js / jax:call, logistic', value: 0.5 },
      { name: 'js:float32 / jax:scan-float32, logistic', value: 0.75, goal: 0.8 },
    ]);
  });

  it('of the other models are compared with microseconds of their own, whether or not JAX is there', () => {
    expect(smallModelRatios([row('js', 0.3), row('jax:scan')], 'eight-schools', 0.15)).toEqual([
      { name: 'js / 0.15 µs, logistic', value: 2, goal: 1 },
    ]);
    expect(smallModelRatios([row('js')], 'eight-schools', 0.15)).toEqual([]);
  });

  it('of slow subjects come from fewer calls per block, but never from a handful', () => {
    expect(callsOf(50_000, 'js')).toBe(50_000);
    expect(callsOf(50_000, 'jax:call')).toBe(1000);
    expect(callsOf(500, 'jax:call')).toBe(50);
  });
});

it('the share of stolen time is that between two readings, and unknown where nothing tells it', () => {
  const readings = [
    { total: 1000, stolen: 50 },
    { total: 3000, stolen: 150 },
  ];
  expect(stealMeter(() => readings.shift())()).toBe(5);
  expect(stealMeter(() => undefined)()).toBeUndefined();
});

describe('small models', () => {
  it.each(smallModelNames)('%s: the gradient at the start is that of central differences', async (name) => {
    const { like, data, logDensity } = smallModels[name]();
    const { position, expected } = await expectedOf(name);
    const density = await jsRuntime({ printer: 'interpreter' }).density(logDensity, like, data);
    const unused = new Float64Array(density.size);
    const at = (i: number, step: number) =>
      Number(
        density.evaluate(
          Float64Array.from(position, (v, k) => (k === i ? v + step : v)),
          unused,
        ),
      );
    const scale = Math.max(...expected.gradient.map(Math.abs));
    expected.gradient.forEach((g, i) => expect(Math.abs((at(i, 1e-6) - at(i, -1e-6)) / 2e-6 - g)).toBeLessThan(1e-5 * scale));
  });

  it('draw data that float32 represents, labels of both kinds among them', () => {
    const { X, y } = logisticData(1000, 10);
    expect(X.flat().every((x) => Math.fround(x) === x)).toBe(true);
    const mean = X.flat().reduce((a, b) => a + b, 0) / 10_000;
    const variance = X.flat().reduce((a, b) => a + (b - mean) ** 2, 0) / 10_000;
    expect(Math.abs(mean)).toBeLessThan(0.05);
    expect(Math.abs(variance - 1)).toBeLessThan(0.05);
    const positive = y.filter((v) => v === 1).length;
    expect(positive).toBeGreaterThan(200);
    expect(positive).toBeLessThan(800);
    expect(logisticData(1000, 10)).toEqual({ X, y });
  });
});

describe('names of runtimes', () => {
  it('may name the printer of the js runtime, which then computes everything with it', async () => {
    for (const written of ['js:javascript', 'js:wasm', 'js:interpreter']) {
      const name = parseRuntimeName(written);
      expect(formatRuntimeName(name)).toBe(written);
      const runtime = await openRuntime({ name, threads: 1 });
      expect(runtime.describe()).toMatchObject({ printer: written.slice('js:'.length) });
      await runtime.dispose();
    }
    expect(formatRuntimeName(parseRuntimeName('js'))).toBe('js');
    expect(() => parseRuntimeName('js:wsam')).toThrow(/js:wasm/);
  });
});

describe('bpc bench small-models', () => {
  beforeAll(buildCommand, 180_000);

  it.each([
    ['an unknown option', ['--modles', 'arK'], /--modles/],
    ['an unknown model', ['--models', 'arK,kidIQ'], /--models has 'kidIQ'.*\n.*did you mean 'kidiq'/],
    ['an unknown subject', ['--subjects', 'js,torch'], /--subjects has 'torch'.*\n/],
    ['no rounds', ['--rounds', '0'], /--rounds is 0, expected a positive integer/],
  ])('refuses %s with exit code 2 and a remedy', async (_, args, mentions) => {
    await expectRefusal(['small-models', ...args], mentions);
  });

  it('times no subject that computes something else', async () => {
    const { position, expected } = await expectedOf('eight-schools');
    const task: SmallModelTask = {
      model: 'eight-schools',
      subject: 'js',
      calls: 10,
      position,
      expected: { ...expected, value: expected.value + 1e-3 },
      dataFile: '',
    };
    expect(errorOf(task, expected.value, expected.gradient)).toBeCloseTo(1e-3 / Math.abs(expected.value + 1e-3), 12);
    const { command, args } = smallModelCommand(task, 'python3');
    // The sources are TypeScript, which a process of Node does not run.
    const built = args.map((word) => word.replace('/src/', '/dist/').replace(/\.ts$/, '.js'));
    const subject = await startSubject({ command, args: built }, new AbortController().signal);
    expect(subject).toEqual({ absent: expect.stringMatching(/computes something else: relative error 0\.00/) });
  });

  it('prints one JSON line: a figure for what is there, absent for a Python that is not', () => {
    const args = ['bench', 'small-models', '--json', '--models', 'eight-schools', '--rounds', '2'];
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [main, ...args, '--subjects', 'js,js:interpreter,jax:scan', '--python', join(root, 'no-such-python')],
      { encoding: 'utf8' },
    );
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(stdout).toMatch(/^\{.*\}\n$/);
    const { bench, rows, ratios, environment, ...others } = JSON.parse(stdout);
    expect(others).toEqual({});
    expect(bench).toBe('small-models');
    const figure = (subject: string) => ({
      case: 'eight schools',
      subject,
      unit: 'µs',
      median: expect.any(Number),
      min: expect.any(Number),
      repeats: expect.any(Number),
    });
    expect(rows).toMatchObject([
      figure('js'),
      figure('js:interpreter'),
      { case: 'eight schools', subject: 'jax:scan', unit: 'µs', absent: true, reason: expect.stringContaining('ENOENT') },
    ]);
    expect(ratios).toEqual([{ name: 'js / 0.15 µs, eight schools', value: rows[0].median / 0.15, goal: 1 }]);
    expect(environment).toMatchObject({
      node: process.version,
      load: { start: expect.any(Number) },
      versions: { '@bpc/compiler': expect.any(String) },
    });
  }, 60_000);
});
