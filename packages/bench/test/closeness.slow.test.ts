import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ClosenessResult } from '../src/benches/closeness.js';
import { buildCommand, main } from './built-command.js';

const folder = mkdtempSync(join(tmpdir(), 'bpc-closeness-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(buildCommand, 180_000);

const closeness = (...args: string[]) =>
  spawnSync(process.execPath, [main, 'bench', 'closeness', '--quick', '--out', join(folder, 'run'), ...args], { encoding: 'utf8' });

it('bpc bench closeness --quick goes through all three cases, and prints them again from what it has kept', () => {
  const { status, stdout, stderr } = closeness('--json');
  expect({ status, stderr }).toMatchObject({ status: 0 });
  const { studies } = JSON.parse(stdout) as ClosenessResult;
  expect(studies.map(({ name }) => name)).toEqual(['regression', 'a9a', 'digits-mlp']);
  const [regression, , digits] = studies;
  expect(regression?.references).toEqual([]);
  for (const study of studies) {
    for (const { method, seeds } of study.methods) {
      expect(seeds).toHaveLength(2);
      for (const { metrics, diverged } of seeds) expect({ method, diverged, metrics }).toMatchObject({ diverged: undefined, metrics: {} });
    }
    const total = (method: string) => study.methods.find((row) => row.method === method)?.seeds[0]?.totalWeight ?? 0;
    // Divergences that learn no weights keep those of the data's evidence.
    for (const method of ['random', 'bpc-cd', 'bpc-fkl', 'bpc-rkl', 'bpc-w']) expect(total(method)).toBeCloseTo(study.counts.train, 1);
  }
  expect(digits?.comparesParameters).toBe(false);
  expect(digits?.methods.map(({ method }) => method)).not.toContain('giga');
  const again = closeness();
  expect(again.status).toBe(0);
  expect(again.stdout).toContain('many modes');
  expect(again.stdout).toMatch(/^noise floor/m);
  expect(again.stdout).toContain('continued from an earlier run');
});
