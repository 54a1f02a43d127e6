import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, ensureHostBackend } from '@bpc/core';
import { beforeAll, describe, expect, expectTypeOf, it } from 'vitest';
import { runCli } from '../src/cli/run-cli.js';
import { methodNames, type RunConfig, readConfigFile, resolveConfig } from '../src/config/index.js';
import type { Dataset, TestSplit } from '../src/data/dataset.js';
import { getDataset } from '../src/data/get-dataset.js';
import { evaluateTask } from '../src/evaluation/evaluate-task.js';
import { hostCoreset } from '../src/evaluation/host-coreset.js';
import { networkSpec } from '../src/experts/network.js';
import { initialCoreset } from '../src/learning/initial-coreset.js';
import { drawTrial, openSpace } from '../src/tuning/draw-trial.js';
import { planTrials } from '../src/tuning/plan-trials.js';
import { type SelectionData, selectionData, withheldTest } from '../src/tuning/selection-data.js';
import { searchSpaces } from '../src/tuning/spaces.js';
import type { TrialTaskOptions } from '../src/tuning/trial-task.js';
import { ranked, type TrialResult } from '../src/tuning/tune-method.js';
import { resourceStore } from '../src/workers/resources.js';

const newFolder = () => mkdtempSync(join(tmpdir(), 'bpc-tune-'));

async function bpc(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  let stdout = '';
  const stderr: string[] = [];
  const code = await runCli(args, { stdout: (text) => void (stdout += text), stderr: (line) => stderr.push(line) });
  return { code, stdout, stderr: stderr.join('\n') };
}

const tiny = [
  '--dataset',
  'digits',
  '--network',
  'mlp',
  '--width',
  '8',
  '--depth',
  '1',
  '--runtime',
  'js',
  '--workers',
  '0',
  '--quiet',
].concat(
  ['--experts', '1', '--expert-epochs', '2', '--expert-images', '64', '--evaluation-steps', '5', '--evaluation-chains', '2'],
  ['--inner-steps', '2', '--tune-steps', '3', '--tune-chains', '1'],
);

describe('drawTrial', () => {
  it('begins with the method’s own settings, repeats itself for a seed and stays inside the space', () => {
    for (const space of Object.values(searchSpaces)) {
      expect(drawTrial(space, 0, 0)).toEqual({});
      for (let index = 1; index < 60; index++) {
        const drawn = drawTrial(space, 5, index);
        expect(drawn).toEqual(drawTrial(space, 5, index));
        for (const dimension of space) {
          const value = drawn[dimension.name];
          if (dimension.kind === 'choice') expect(dimension.values).toContain(value);
          else {
            expect(Number(value)).toBeGreaterThanOrEqual(dimension.range[0] * 0.95);
            expect(Number(value)).toBeLessThanOrEqual(dimension.range[1] * 1.05);
          }
        }
      }
    }
  });

  it('draws step sizes log-uniformly: half of them below the geometric mean', () => {
    const values = Array.from({ length: 400 }, (_, i) => Number(drawTrial(searchSpaces['bpc-cd'], 1, i + 1)['stepSize']));
    const below = values.filter((value) => value < Math.sqrt(0.003 * 0.1)).length;
    // Binomial(400, ½): five standard deviations are 50.
    expect(Math.abs(below - 200)).toBeLessThan(50);
    expect(values.filter((value) => value < (0.003 + 0.1) / 2).length).toBeGreaterThan(270);
  });

  it('gives a setting the same values whatever else is searched', () => {
    const space = searchSpaces['bpc-fkl'];
    const fewer = openSpace(space, { init: 'random', stepSize: 0.02 });
    expect(fewer.map(({ name }) => name)).not.toContain('stepSize');
    const { init: _, stepSize: __, ...rest } = drawTrial(space, 3, 7);
    expect(drawTrial(fewer, 3, 7)).toEqual(rest);
  });
});

describe('planTrials', async () => {
  const data = selectionData(await getDataset('digits'));

  it.each(methodNames)('settles every trial of %s before any is run', (method) => {
    const { trials, space } = planTrials({ sources: { flags: { dataset: 'digits' } }, method, trials: 40, data });
    expect(trials.map(({ index }) => index)).toEqual(Array.from({ length: 40 }, (_, i) => i));
    expect(trials[0]?.config).toEqual(resolveConfig({ flags: { dataset: 'digits', method } }));
    expect(new Set(trials.map(({ config }) => JSON.stringify(config))).size).toBe(40);
    for (const { config, settings } of trials) {
      expect(config.method).toBe(method);
      for (const { name } of space) expect(settings[name]).toEqual(config[name]);
    }
  });

  it('changes nothing of the evaluation, the experts or the network', () => {
    const fixed = ({ evaluation, experts, expertEpochs, expertImages, network, width, steps }: RunConfig) =>
      JSON.stringify({ evaluation, experts, expertEpochs, expertImages, network, width, steps });
    for (const method of methodNames) {
      const { trials } = planTrials({ sources: { flags: { dataset: 'digits' } }, method, trials: 20, data });
      expect(new Set(trials.map(({ config }) => fixed(config))).size).toBe(1);
    }
  });

  it('holds what was given fixed', () => {
    const sources = { file: { path: 'x.yaml', values: { momentum: 0.3 } }, flags: { dataset: 'digits', innerSteps: 7 } };
    const { trials, space } = planTrials({ sources, method: 'bpc-cd', trials: 10, data });
    expect(space.map(({ name }) => name)).not.toContain('momentum');
    expect(trials.every(({ config }) => config.innerSteps === 7 && config.momentum === 0.3)).toBe(true);
  });
});

describe('ranked', () => {
  const results: TrialResult[] = [
    { trial: 0, settings: {}, accuracy: 0.8, nll: 0.7 },
    { trial: 1, settings: {}, diverged: 'NaN' },
    { trial: 2, settings: {}, accuracy: 0.9, nll: 0.9 },
    { trial: 3, settings: {}, accuracy: 0.9, nll: 0.8 },
    { trial: 4, settings: {}, accuracy: 0.7, nll: 0.6 },
  ];
  it('puts the best first by the criterion, ties by the other one, diverged trials last', () => {
    expect(ranked(results, 'accuracy').map(({ trial }) => trial)).toEqual([3, 2, 0, 4, 1]);
    expect(ranked(results, 'nll').map(({ trial }) => trial)).toEqual([4, 0, 3, 2, 1]);
  });
});

describe('test images are out of reach of a search', async () => {
  const dataset = await getDataset('digits');

  it('by type: nothing that a search is given has them, and no trial has a split to choose', () => {
    expectTypeOf<SelectionData>().not.toHaveProperty('test');
    expectTypeOf(selectionData).returns.not.toHaveProperty('test');
    expectTypeOf<TestSplit>().not.toExtend<SelectionData['validation']>();
    expectTypeOf<TrialTaskOptions>().not.toHaveProperty('split');
  });

  it('at run time: what is shared with its threads has none, and scoring on them is refused', async () => {
    ensureHostBackend();
    const shared = withheldTest(selectionData(dataset));
    expect(shared.test.count + shared.test.images.length + shared.test.labels.length).toBe(0);
    expect(shared.validation).toBe(dataset.validation);
    const config = resolveConfig({ flags: { dataset: 'digits', network: 'mlp', width: 4, depth: 1, evaluation: { steps: 1, chains: 1 } } });
    const resources = resourceStore();
    const score = async (data: Dataset, split: 'validation' | 'test') => {
      const coreset = await hostCoreset(
        initialCoreset(data, { init: 'random', ipc: 1, seed: 0, labels: 'probabilities' }),
        'probabilities',
      );
      return evaluateTask(
        { network: networkSpec(config, data), coreset, settings: config.evaluation, seed: 0, split },
        {
          shared: { dataset: data, runtime: { family: 'js' }, threads: 1 },
          signal: new AbortController().signal,
          progress: () => undefined,
          resource: resources.get,
        },
      );
    };
    // The whole data set can be scored on its test split: it is the withholding that refuses.
    expect((await score(dataset, 'test')).metrics['accuracy']).toBeGreaterThanOrEqual(0);
    await expect(score(shared, 'test')).rejects.toThrow(ConfigError);
    await expect(score(shared, 'test')).rejects.toThrow('no test images');
    expect((await score(shared, 'validation')).metrics['accuracy']).toBeGreaterThanOrEqual(0);
    await resources.dispose();
  });
});

describe('bpc tune', () => {
  const out = join(newFolder(), 'search');
  const command = ['tune', ...tiny, '--methods', 'bpc-w,bpc-cd', '--out', out];
  let first: Awaited<ReturnType<typeof bpc>>;

  beforeAll(async () => {
    first = await bpc(...command, '--trials', '3', '--json');
  }, 120_000);

  it('gives every method the same number of trials, best first, with its criterion and split', () => {
    expect(first.stderr).toBe('');
    expect(first.code).toBe(0);
    const { methods, scoredOn } = JSON.parse(first.stdout);
    expect(scoredOn).toBe('validation');
    expect(methods.map(({ method }: { method: string }) => method)).toEqual(['bpc-cd', 'bpc-w']);
    for (const { trials, results, select, seeds } of methods) {
      expect({ trials, select, seeds }).toEqual({ trials: 3, select: 'accuracy', seeds: [1000] });
      expect(results.map(({ trial }: TrialResult) => trial).sort()).toEqual([0, 1, 2]);
      const accuracies = results.map(({ accuracy = -1 }: TrialResult) => accuracy);
      expect(accuracies).toEqual([...accuracies].sort((a: number, b: number) => b - a));
    }
  });

  it('writes the best settings as a file that bpc learn takes, with the number of trials, and the evaluation as it was', async () => {
    const file = join(out, 'bpc-w', 'best.yaml');
    expect(readFileSync(file, 'utf8')).toContain('# bpc-w: the best of 3 trials × 1 seed by accuracy on validation images');
    const [best] = JSON.parse(first.stdout).methods[1].results;
    const config = resolveConfig({ file: { path: file, values: readConfigFile(file) } });
    expect(config).toMatchObject({ method: 'bpc-w', network: 'mlp', ...best.settings });
    const untuned = resolveConfig({ flags: { dataset: 'digits', method: 'bpc-w', evaluation: { steps: 5, chains: 2 } } });
    expect(config.evaluation).toEqual(untuned.evaluation);
    // The shorter trials are of the search, not of the result.
    expect(config.steps).toBe(untuned.steps);
    const learned = await bpc(
      'learn',
      '--config',
      file,
      '--steps',
      '2',
      '--seeds',
      '1',
      '--runtime',
      'js',
      '--workers',
      '0',
      '--full-epochs',
      '1',
      '--quiet',
      '--out',
      join(newFolder(), 'run'),
    );
    expect(learned.stderr).toBe('');
    expect(learned.code).toBe(0);
  }, 60_000);

  it('prints the trials of every method in words', async () => {
    const { stdout } = await bpc(...command, '--trials', '3');
    expect(stdout).toContain('bpc-cd: the best of 3 trials × 1 seed by accuracy on validation images (the same number for every method)');
    expect(stdout).toMatch(/trial +accuracy +NLL +imageLearningRate/);
    expect(stdout).toContain(`bpc learn --config ${join(out, 'bpc-cd', 'best.yaml')}`);
    expect(stdout).not.toContain('test');
  });

  it('runs no finished trial again, adds more to those that are there, and keeps their figures to the bit', async () => {
    const pieces = join(out, 'bpc-cd', 'checkpoint', 'pieces');
    const marked = join(pieces, 'trial-1-seed1000.json');
    const piece = JSON.parse(readFileSync(marked, 'utf8'));
    const grown = join(newFolder(), 'search');
    cpSync(out, grown, { recursive: true });
    // A figure that no computation gives: if it survives, the trial was not run.
    writeFileSync(
      join(grown, 'bpc-cd', 'checkpoint', 'pieces', 'trial-1-seed1000.json'),
      JSON.stringify({ ...piece, score: { accuracy: 0.123, nll: 9 } }),
    );
    const more = await bpc('tune', ...tiny, '--method', 'bpc-cd', '--out', grown, '--trials', '4', '--json');
    const results: TrialResult[] = JSON.parse(more.stdout).methods[0].results;
    expect(results.length).toBe(4);
    expect(results.find(({ trial }) => trial === 1)?.accuracy).toBe(0.123);
    const before: TrialResult[] = JSON.parse(first.stdout).methods[0].results;
    for (const trial of [0, 2])
      expect(results.find((result) => result.trial === trial)).toEqual(before.find((result) => result.trial === trial));
    // Only the figures stay: no coreset or checkpoint of a trial.
    expect(readdirSync(join(grown, 'bpc-cd', 'checkpoint', 'trials'))).toEqual([]);
  }, 60_000);

  it('can choose by NLL', async () => {
    const { stdout } = await bpc('tune', ...tiny, '--method', 'bpc-cd', '--out', out, '--trials', '3', '--select', 'nll', '--json');
    const { results, select } = JSON.parse(stdout).methods[0];
    expect(select).toBe('nll');
    const nlls = results.map(({ nll }: TrialResult) => nll);
    expect(nlls).toEqual([...nlls].sort((a: number, b: number) => a - b));
  });

  it('counts trials that diverge, and ranks them last', async () => {
    const wild = ['--image-learning-rate', '1e38', '--momentum', '0', '--trials', '2', '--tune-steps', '40'];
    const { code, stdout, stderr } = await bpc('tune', ...tiny, ...wild, '--method', 'bpc-cd', '--out', join(newFolder(), 'search'));
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).toContain('diverged');
    expect(stdout).toContain('every trial diverged');
  }, 60_000);

  const refusals: readonly (readonly [what: string, args: readonly string[], mentions: readonly string[]])[] = [
    ['an unknown method', ['--methods', 'bpc-cd,magic'], ["'magic'", 'bpc-w']],
    ['the test split', ['--score-on', 'test'], ['scoreOn is test', 'validation']],
    ['no trials', ['--trials', '0'], ['--trials', '>= 1']],
    ['an unknown criterion', ['--select', 'brier'], ['--select', 'accuracy']],
    ['a setting out of its domain', ['--step-size', '-1'], ['--step-size']],
    ['another space in the same folder', ['--method', 'bpc-cd', '--momentum', '0.1', '--out', out], ['momentum (there 0.5, now 0.1)']],
    ['other trials in the same folder', ['--method', 'bpc-cd', '--tune-steps', '4', '--out', out], ['tune (there']],
    ['a folder that is a file', ['--out', join(out, 'bpc-cd', 'best.yaml')], ['is a file']],
  ];
  it.each(refusals)('refuses %s with exit code 2', async (_, args, mentions) => {
    const { code, stderr, stdout } = await bpc('tune', ...tiny, ...args);
    expect(stdout).toBe('');
    for (const text of mentions) expect(stderr).toContain(text);
    expect(code).toBe(2);
  });

  it('leaves no folder of the default name behind', () => {
    expect(existsSync(join('bpc-out', 'digits-ipc1-tune'))).toBe(false);
  });
});
