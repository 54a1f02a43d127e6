import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeSafetensors } from '@bpc/core';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { runCli } from '../src/cli/run-cli.js';
import type { PredictFromCoresetOptions } from '../src/evaluation/predict-from-coreset.js';

async function bpc(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  let stdout = '';
  const stderr: string[] = [];
  const code = await runCli(args, {
    stdout: (text) => {
      stdout += text;
    },
    stderr: (line) => stderr.push(line),
  });
  return { code, stdout, stderr: stderr.join('\n') };
}

/** Ten points of digits' shape, one per class, each with a bright pixel of its own. */
const file = join(mkdtempSync(join(tmpdir(), 'bpc-evaluate-')), 'coreset.safetensors');
writeFileSync(
  file,
  encodeSafetensors({
    x: {
      dtype: 'F32',
      shape: [10, 8, 8, 1],
      data: Float32Array.from({ length: 640 }, (_, i) => (i % 64 === 6 * Math.floor(i / 64) ? 2 : -0.5)),
    },
    y: { dtype: 'F32', shape: [10, 10], data: Float32Array.from({ length: 100 }, (_, i) => (i % 11 === 0 ? 1 : 0)) },
    weights: { dtype: 'F32', shape: [10], data: new Float32Array(10).fill(1) },
  }),
);

const small = [
  'evaluate',
  '--dataset',
  'digits',
  '--network',
  'mlp',
  '--width',
  '4',
  '--depth',
  '1',
  '--runtime',
  'js',
  '--workers',
  '0',
].concat(['--quiet', '--coreset', file, '--seeds', '2', '--evaluation-steps', '4', '--evaluation-chains', '2']);
const brief = ['--evaluation-burn-in', '4', '--evaluation-draws', '3', '--evaluation-thinning', '2'];

describe('an evaluation', () => {
  it('has no parameter through which weights of an expert could reach a chain', () => {
    type Given = 'network' | 'programs' | 'coreset' | 'settings' | 'key' | 'batches' | 'labels' | 'shape' | 'signal' | 'onProgress';
    expectTypeOf<keyof PredictFromCoresetOptions>().toEqualTypeOf<Given>();
  });
});

describe('bpc evaluate', () => {
  it.each([
    ['sgld', [], 'sgld after 4 transitions'],
    ['sghmc', ['--evaluation-momentum-decay', '0.2'], 'sghmc, momentum decay 0.2 after 4 transitions'],
    ['hmc', ['--evaluation-leapfrog-steps', '3'], 'hmc, 3 leapfrog steps, no augmentation after 4 tuning transitions'],
  ] as const)('draws from the posterior by %s, says so, and has all its figures', async (sampler, more, words) => {
    const warm = ['--evaluation-temperature', '1e-4', ...brief];
    const { code, stdout, stderr } = await bpc(...small, '--evaluation-sampler', sampler, ...warm, ...more, '--json');
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const { rows, task } = JSON.parse(stdout);
    expect(task.prediction).toMatch(/^posterior: 2 chains × 3 draws \(T = 0\.0001, /);
    expect(task.prediction).toContain(words);
    expect(rows[0]).toMatchObject({ name: 'posterior', inference: 'posterior', note: task.prediction });
    const names = ['accuracy', 'nll', 'brier', 'ece', 'eceMax', 'eceRms', 'adaptiveEce', 'classwiseEce', 'predictiveEntropy'].concat(
      ['expectedEntropy', 'mutualInformation', 'meanSingleModelNll', 'disagreementWithin', 'disagreementBetween'],
      sampler === 'hmc' ? ['acceptance'] : [],
    );
    expect(Object.keys(rows[0].metrics).sort()).toEqual(names.sort());
    expect(Object.keys(rows[0].legacy).sort()).toEqual(['legacyAccuracy', 'legacyEce', 'legacyNll']);
    for (const { n } of Object.values<{ n: number }>(rows[0].metrics)) expect(n).toBe(2);
    expect(rows[0].metrics.mutualInformation.mean).toBeGreaterThan(0);
    expect(rows[0].metrics.nll.mean).toBeLessThan(rows[0].metrics.meanSingleModelNll.mean);
  });

  it('calls point estimates so everywhere, with the spread of single networks', async () => {
    const flags = ['--evaluation-protocol', 'point-estimate'];
    const { code, stdout, stderr } = await bpc(...small, ...flags, '--json');
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const { rows, task } = JSON.parse(stdout);
    expect(rows[0]).toMatchObject({ name: 'point estimates', inference: 'point estimates', networks: 2, metrics: { accuracy: { n: 4 } } });
    expect(task.prediction).toContain('2 networks, each trained for 4 epochs');
    expect(rows[0].metrics.accuracy.std).toBeGreaterThan(0);
    const text = (await bpc(...small, ...flags)).stdout;
    expect(text).toContain('point estimates');
    expect(text).toMatch(/legacy, for comparison with printed tables only: Legacy accuracy, % \d/);
    expect(text).toContain('2 × 2');
    expect(text).not.toMatch(/posterior|ensemble/);
  });

  const refusals: readonly (readonly [what: string, args: readonly string[], mentions: readonly string[]])[] = [
    [
      'hmc at temperature 0',
      ['--evaluation-sampler', 'hmc', '--evaluation-temperature', '0'],
      ['sampler is hmc', 'temperature 0', 'ensemble'],
    ],
    [
      'sghmc at temperature 0',
      ['--evaluation-sampler', 'sghmc', '--evaluation-temperature', '0'],
      ['sampler is sghmc', 'temperature above 0'],
    ],
    ['an unknown sampler', ['--evaluation-sampler', 'hcm'], ["'hcm'", "'hmc'"]],
    ['an unknown protocol', ['--evaluation-protocol', 'point'], ["'point'", 'posterior, point-estimate']],
    [
      'a sampler of point estimates',
      ['--evaluation-protocol', 'point-estimate', '--evaluation-sampler', 'hmc'],
      ['evaluation.sampler is hmc', 'protocol point-estimate'],
    ],
    ['draws of point estimates', ['--evaluation-protocol', 'point-estimate', '--evaluation-draws', '5'], ['evaluation.draws is 5']],
    [
      'a temperature of point estimates',
      ['--evaluation-protocol', 'point-estimate', '--evaluation-temperature', '0.1'],
      ['evaluation.temperature is 0.1'],
    ],
    [
      'an energy of point estimates',
      ['--evaluation-protocol', 'point-estimate', '--evaluation-reduction', 'sum'],
      ['evaluation.reduction is sum'],
    ],
    ['a momentum decay above 1', ['--evaluation-momentum-decay', '1.5'], ['--evaluation-momentum-decay', '(0, 1]']],
    ['no leapfrog steps', ['--evaluation-leapfrog-steps', '0'], ['--evaluation-leapfrog-steps', '>= 1']],
    ['a step size of 0', ['--evaluation-sampler-step-size', '0'], ['--evaluation-sampler-step-size', '> 0']],
    ['a negative burn-in', ['--evaluation-burn-in', '-1'], ['--evaluation-burn-in', '>= 0']],
    ['a batch of none', ['--evaluation-batch', '0'], ['--evaluation-batch', '>= 1']],
  ];
  it.each(refusals)('refuses %s with exit code 2', async (_, args, mentions) => {
    const { code, stdout, stderr } = await bpc(...small, ...args);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^error: .+\nremedy: .+/);
    for (const text of mentions) expect(stderr).toContain(text);
  });

  it('refuses to search the settings of point estimates', async () => {
    const { code, stderr } = await bpc('tune-evaluation', '--dataset', 'digits', '--evaluation-protocol', 'point-estimate');
    expect(code).toBe(2);
    expect(stderr).toContain('evaluation.protocol is point-estimate');
  });
});
