import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { BenchRatio, BenchRow } from '../src/bench-support/bench-result.js';
import { agreementGoal, agreementInputs, errorOf } from '../src/bench-support/divergences/agreement.js';
import { differingSides, divergenceCase, memoryRatios } from '../src/bench-support/divergences/cases.js';
import { methodNames, settingsOf } from '../src/bench-support/divergences/methods.js';
import { divergenceBenchOptions } from '../src/bench-support/divergences/options.js';
import { type DivergenceTask, divergenceTask } from '../src/bench-support/divergences/task.js';
import { buildCommand, main, root } from './built-command.js';
import { expectRefusal } from './expect-refusal.js';

const caseOf = (method: (typeof methodNames)[number], ipc: number, ...args: string[]) =>
  divergenceCase(method, ipc, divergenceBenchOptions(args));

describe('options of bpc bench divergences', () => {
  it('are every method at ten images per class, and contrastive divergence at fifty for its memory', () => {
    expect(divergenceBenchOptions([])).toMatchObject({
      methods: ['bpc-cd', 'bpc-fkl', 'bpc-rkl', 'bpc-w', 'psvi', 'hmc', 'kfl'],
      ipc: [10],
      memoryIpc: [50],
      counts: 'reduced',
      width: 128,
      threads: 2,
    });
    expect(divergenceBenchOptions(['--ipc', '1']).memoryIpc).toEqual([]);
    expect(divergenceBenchOptions(['--method', 'bpc-w']).memoryIpc).toEqual([]);
  });

  it('are fewer with --quick, unless options say otherwise', () => {
    expect(divergenceBenchOptions(['--quick'])).toMatchObject({ counts: 'quick', repeats: 2, memoryIpc: [] });
    expect(divergenceBenchOptions(['--quick', '--repeats', '9']).repeats).toBe(9);
  });

  it.each([
    ['an unknown option', ['--metod', 'bpc-cd'], /--metod/],
    ['an unknown method', ['--method', 'bpc-cd,bpc-fk'], /--method has 'bpc-fk'.*\n.*did you mean 'bpc-fkl'/],
    ['no images', ['--ipc', '10,0'], /--ipc is 0, expected a positive integer/],
    ['half a thread', ['--threads', '0.5'], /--threads is 0\.5/],
    ['no repeats', ['--repeats', ''], /--repeats is /],
    ['counts of two sizes', ['--quick', '--paper'], /--quick and --paper.*\n.*pass one/],
  ])('refuse %s with exit code 2 and a remedy', async (_, args, mentions) => {
    await expectRefusal(['divergences', ...args], mentions);
  });
});

describe('the cases of divergences', () => {
  it('say their counts, and have the papers’ with --paper', () => {
    expect(caseOf('bpc-cd', 10).name).toBe('bpc-cd, 10 per class, k = 10, ConvNet D3 W128, 32x32x3, 2 threads');
    expect(caseOf('bpc-rkl', 1, '--paper', '--threads', '1').name).toBe(
      'bpc-rkl, 1 per class, k = 30, K = 30, |B| = 1000, ConvNet D3 W128, 32x32x3, 1 thread',
    );
    expect(caseOf('bpc-fkl', 10, '--paper').name).toContain('k = 30, K = 30,');
  });

  it('have a goal for contrastive divergence at the width that it is about, and for its memory at fifty images per class', () => {
    expect(caseOf('bpc-cd', 10).goalOf('torch-eager')).toBe(0.7);
    expect(caseOf('bpc-cd', 50).memoryGoal).toBe(1000);
    expect(caseOf('bpc-cd', 10).memoryGoal).toBeUndefined();
    expect(caseOf('bpc-w', 10).goalOf('torch-eager')).toBeUndefined();
    expect(caseOf('bpc-cd', 50, '--width', '64')).not.toHaveProperty('memoryGoal');
    expect(caseOf('bpc-cd', 10, '--width', '64').goalOf('torch-eager')).toBeUndefined();
  });

  it('compare our memory with its goal, if we were timed', () => {
    const row = { case: 'c', unit: 'ms', median: 1, peakRssMb: 500 } as const;
    const timed = caseOf('bpc-cd', 50);
    expect(memoryRatios([{ ...row, subject: 'onnx:cpu' }], timed)).toEqual([
      { name: `onnx:cpu, peak MB, ${timed.name}`, value: 500, goal: 1000 },
    ]);
    expect(memoryRatios([{ ...row, subject: 'torch-eager' }], timed)).toEqual([]);
  });

  it('augment where the released code does, and give both sides the same numbers', () => {
    const tasks = (method: (typeof methodNames)[number]) =>
      caseOf(method, 1).contestants.map(({ commands }) => JSON.parse(commands[0]?.args.at(-1) ?? '') as DivergenceTask);
    for (const method of methodNames) {
      const [mine, theirs] = tasks(method);
      expect(theirs).toEqual({ ...mine, subject: 'torch-eager' });
    }
    expect(tasks('bpc-cd')[0]?.groups).toHaveLength(6);
    expect(tasks('psvi')[0]?.groups).toEqual([]);
  });
});

describe('whether both sides compute the same estimate', () => {
  const row = (subject: string, median?: number): BenchRow =>
    median === undefined
      ? { case: 'c', subject, unit: 'relative error', absent: true, reason: 'not installed' }
      : { case: 'c', subject, unit: 'relative error', median, reason: 'worst: flip/x' };

  it('decides who is timed: a side that is off, or not a number, is named with how far and where', () => {
    expect(differingSides([row('onnx:cpu', 1e-6), row('torch-eager', 1e-4)], agreementGoal).size).toBe(0);
    const differing = differingSides([row('onnx:cpu', Number.NaN), row('torch-eager', 0.3)], agreementGoal);
    expect([...differing.keys()]).toEqual(['onnx:cpu', 'torch-eager']);
    expect(differing.get('torch-eager')).toBe('not timed: it computes something else (3.0e-1, worst: flip/x)');
    const { contestants } = divergenceCase('bpc-cd', 1, divergenceBenchOptions([]), differing);
    expect(contestants.every(({ skip }) => skip?.startsWith('not timed'))).toBe(true);
    // Who is not installed says so itself when it is started.
    expect(differingSides([row('torch-eager')], agreementGoal).size).toBe(0);
  });

  it('is the worst group of the augmentation by the median of three draws, none of which may be NaN', () => {
    const tensors = (...values: readonly number[]) =>
      new Map(
        values.map((value, i) => [
          `${i < 3 ? 'flip' : 'crop'}/${i % 3}/x`,
          { dtype: 'F32', shape: [2], data: Float32Array.of(3, 4 + 5 * value) } as const,
        ]),
      );
    const exact = tensors(0, 0, 0, 0, 0, 0);
    // One draw at a kink says nothing; a group that is off in most of its draws does.
    expect(errorOf(exact, tensors(0, 0.5, 0, 0, 0, 0)).median).toBe(0);
    const off = errorOf(exact, tensors(0, 0.5, 0, 0.25, 0.5, 0.125));
    expect(off).toMatchObject({ median: 0.25, min: 0.125, max: 0.5, repeats: 3, reason: 'worst: crop/0/x' });
    expect(errorOf(exact, tensors(0, Number.NaN, 0, 0.25, 0.5, 0.125)).median).toBeNaN();
  });

  it('is asked with draws that differ from each other, weights that are not 1 and gains that are not 1', () => {
    const network = { kind: 'convnet', inputShape: [8, 8, 3], depth: 1, width: 2 } as const;
    const settings = settingsOf('psvi', 'quick');
    const task = divergenceTask({ subject: 'js', method: 'psvi', network, batch: 3, threads: 1, settings, groups: ['flip'] });
    const inputs = agreementInputs(task);
    const distinct = new Set(Object.entries(inputs).flatMap(([name, { data }]) => (/kernel$/.test(name) ? [data.join()] : [])));
    // Two kernels of two snapshots and three kinds of three draws.
    expect(distinct.size).toBe(2 * (2 + 3 * 3));
    expect(new Set(inputs['weights']?.data).size).toBe(3);
    expect(inputs['expert/norm0/gamma']?.data.every((gain) => gain !== 1)).toBe(true);
  });
});

describe('bpc bench divergences', () => {
  beforeAll(buildCommand, 180_000);

  it('times a step of ours that agrees with float64; a missing Python is an absent row', () => {
    const small = ['--json', '--quick', '--width', '4', '--ipc', '1', '--threads', '1', '--repeats', '1'];
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [main, 'bench', 'divergences', ...small, '--method', 'psvi', '--python', join(root, 'no-such-python')],
      { encoding: 'utf8' },
    );
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(stdout).toMatch(/^\{.*\}\n$/);
    const { rows, ratios, environment } = JSON.parse(stdout) as { rows: BenchRow[]; ratios: BenchRatio[]; environment: object };
    expect(rows.map(({ subject, unit, absent }) => [subject, unit, absent])).toEqual(
      ['relative error', 'ms'].flatMap((unit) => [
        ['onnx:cpu', unit, undefined],
        ['torch-eager', unit, true],
      ]),
    );
    for (const { subject, median, peakRssMb, unit } of rows.filter(({ absent }) => absent === undefined)) {
      expect({ subject, median }).toMatchObject({ median: expect.any(Number) });
      if (unit === 'ms') expect(peakRssMb).toBeGreaterThan(0);
    }
    // Float32 at this size: an error of another kind would be far larger, none at all a comparison with itself.
    expect(ratios).toHaveLength(1);
    for (const { value } of ratios) expect(value > 1e-9 && value < agreementGoal).toBe(true);
    expect(environment).toMatchObject({ counts: 'quick', methods: { psvi: 'PSVI' } });
  }, 180_000);
});
