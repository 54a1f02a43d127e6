import { referencePosteriors } from '@bpc/samplers/testing';
import { describe, expect, it } from 'vitest';
import { posteriorSettings } from '../src/bench-support/posteriors/settings.js';
import { type PosteriorRow, posteriorRatios } from '../src/benches/posteriors.js';
import { runCli } from '../src/cli/run-cli.js';

async function bench(...args: readonly string[]) {
  let stdout = '';
  const stderr: string[] = [];
  const io = {
    stdout: (text: string) => {
      stdout += text;
    },
    stderr: (line: string) => stderr.push(line),
  };
  const code = await runCli(['bench', 'posteriors', ...args], io);
  return { code, stdout, stderr: stderr.join('\n') };
}

describe('options of bpc bench posteriors', () => {
  it('are what the posteriors are to be reproduced with, by default', () => {
    expect(posteriorSettings([])).toMatchObject({
      posteriors: Object.keys(referencePosteriors),
      chains: 4,
      warmup: 1000,
      draws: 1000,
      targetAcceptance: 0.95,
    });
  });

  it.each([
    ['an unknown option', ['--posterior', 'arK'], /--posterior/],
    ['an unknown posterior', ['--posteriors', 'garch-garch12'], /did you mean 'garch-garch11'/],
    ['half a chain', ['--chains', '1.5'], /--chains is 1\.5, expected an integer ≥ 1/],
    ['too few draws', ['--draws', '3'], /--draws is 3, expected an integer ≥ 4/],
    ['an acceptance of 1', ['--target-acceptance', '1'], /--target-acceptance is 1/],
    ['a folder without posteriors', ['--posteriordb', 'no/such/folder', '--posteriors', 'arK'], /no\/such\/folder.*cannot be read/],
  ])('refuse %s with exit code 2 and a remedy', async (_, args, mentions) => {
    const { code, stdout, stderr } = await bench(...args);
    expect(stderr).toMatch(mentions);
    expect(stderr).toMatch(/^error: .*\nremedy: ./);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });
});

describe('bpc bench posteriors', () => {
  it('says of each posterior how it was reproduced, and of all of them the largest figures', async () => {
    const { code, stdout } = await bench('--posteriors', 'sblrc,arK', '--json', '--seed', '3');
    expect(code).toBe(0);
    const { rows, ratios }: { rows: PosteriorRow[]; ratios: { name: string; value: number; goal: number }[] } = JSON.parse(stdout);
    expect(rows.map((row) => row.case)).toEqual(['sblrc-blr', 'arK-arK']);
    for (const row of rows) {
      expect(row).toMatchObject({ subject: 'nuts', unit: 's', chains: 4, problems: [] });
      expect(Math.min(row.minimumBulkEss, row.minimumTailEss)).toBeGreaterThanOrEqual(1000);
      expect(row.maximumRhat).toBeLessThan(1.02);
      expect(row.leapfrogSteps).toBeGreaterThan(4 * row.draws);
    }
    // Six and seven quantities, seven statistics each.
    expect(rows.map(({ comparisons }) => comparisons)).toEqual([42, 49]);
    expect(ratios.every(({ value, goal }) => value <= goal)).toBe(true);
  });

  it('shows a table to people, with what is wrong in words', async () => {
    const { stdout } = await bench('--posteriors', 'arK', '--draws', '4', '--warmup', '20', '--chains', '2');
    expect(stdout).toMatch(/^posterior +draws +bulk ESS/);
    expect(stdout).toMatch(/arK-arK +2×64 .*effective sample size \d+, expected 1000/);
    expect(stdout).toMatch(/posteriors that fail +1\.00 +≤ 0 +missed/);
  });

  it('counts those that fail, whose figures have no maximum but infinity', () => {
    const row = { comparisons: 7, maximumZ: { mean: 1, standardDeviation: 2, quantile: Number.POSITIVE_INFINITY }, divergentPercent: 0 };
    const ratios = posteriorRatios([
      { ...row, problems: [] },
      { ...row, problems: ['R-hat'] },
    ] as unknown as PosteriorRow[]);
    expect(ratios.map(({ value }) => value)).toEqual([1, 2, Number.POSITIVE_INFINITY, 0, 1]);
  });
});
