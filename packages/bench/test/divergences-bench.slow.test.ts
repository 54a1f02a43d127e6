import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { BenchRow } from '../src/bench-support/bench-result.js';
import { agreementGoal } from '../src/bench-support/divergences/agreement.js';
import { methodNames } from '../src/bench-support/divergences/methods.js';
import { buildCommand, main, root } from './built-command.js';

const python = process.env['BPC_PYTHON'];

describe('bpc bench divergences, every method', () => {
  beforeAll(buildCommand, 180_000);

  const rowsOf = (...args: readonly string[]): BenchRow[] => {
    const small = ['--json', '--quick', '--width', '4', '--ipc', '1', '--threads', '1', '--repeats', '1'];
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'bench', 'divergences', ...small, ...args], { encoding: 'utf8' });
    expect({ status, stderr }).toMatchObject({ status: 0 });
    return JSON.parse(stdout).rows;
  };

  it('is timed on our side, after its estimate on given noise was that of float64', () => {
    const mine = rowsOf('--python', join(root, 'no-such-python')).filter(({ subject }) => subject === 'onnx:cpu');
    expect(mine.map((row) => row.case.split(',')[0])).toEqual(methodNames.flatMap((method) => [method, method]));
    for (const { unit, median = Number.NaN } of mine) {
      expect(median).toBeGreaterThan(0);
      if (unit === 'relative error') expect(median).toBeLessThan(agreementGoal);
    }
  }, 600_000);

  it.skipIf(python === undefined)(
    'is the same estimate in PyTorch (of BPC_PYTHON)',
    () => {
      const theirs = rowsOf('--python', python ?? '').filter(({ subject }) => subject === 'torch-eager');
      expect(theirs.map((row) => row.case.split(',')[0])).toEqual(methodNames.flatMap((method) => [method, method]));
      expect(theirs.flatMap(({ absent, reason }) => (absent === true ? [reason] : []))).toEqual([]);
    },
    600_000,
  );
});
