import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { comparePin, type PinRun, pinFigures, renderPin } from '../src/bench-support/wasserstein-pin/compare.js';
import { pinSettings } from '../src/bench-support/wasserstein-pin/settings.js';
import { type PinRow, pinRatios, pinTable } from '../src/benches/wasserstein-pin.js';
import { buildCommand, main, root } from './built-command.js';
import { expectRefusal } from './expect-refusal.js';

const run = (init: number, learned: number): PinRun => ({
  init: { accuracy: init, nll: 1 - init },
  learned: { accuracy: learned, nll: 1 - learned },
  moved: learned,
  stepSize: 0.05,
});

describe('the comparison of the two pipelines', () => {
  const ours = [run(0.5, 0.8), run(0.6, 0.7), run(0.7, 0.9)];

  it('is Student’s interval of differences seed by seed: wide starts do not hide what differs', () => {
    // Learned accuracy is 0.1, 0.12 and 0.08 higher on our side: mean 0.1, standard error 0.02/√3, t₀.₉₇₅ with 2 degrees 4.302653.
    const theirs = [run(0.5, 0.7), run(0.6, 0.58), run(0.7, 0.82)];
    const learned = comparePin(ours, theirs).find(({ name }) => name === 'accuracy of learned');
    const reach = (4.302653 * 0.02) / Math.sqrt(3);
    expect(learned?.difference.mean).toBeCloseTo(0.1, 12);
    expect(learned?.difference.low).toBeCloseTo(0.1 - reach, 6);
    expect(learned?.difference.high).toBeCloseTo(0.1 + reach, 6);
    expect(learned?.agrees).toBe(false);
    const [ratio] = pinRatios(learned === undefined ? [] : [learned]);
    expect(ratio?.value).toBeCloseTo(0.1 / reach, 5);
    expect(ratio?.goal).toBe(1);
  });

  it('agrees where differences have both signs, and on equal scores', () => {
    const theirs = [run(0.5, 0.81), run(0.6, 0.69), run(0.7, 0.9)];
    const comparisons = comparePin(ours, theirs);
    expect(comparisons.map(({ name }) => name)).toEqual(pinFigures.map(({ name }) => name));
    expect(comparisons.every(({ agrees }) => agrees)).toBe(true);
    expect(pinRatios(comparePin(ours, ours)).map(({ value }) => value)).toEqual(pinFigures.map(() => 0));
  });

  it('of a peer that is not there is our column with dashes and the reason', () => {
    expect(comparePin(ours, [])).toEqual([]);
    expect(renderPin(ours, [], 'no torch')).toMatch(/accuracy gained +0\.2000 ± 0\.0816 +- +- +-[\s\S]*\ntorch: no torch$/);
  });

  it('keeps the figures of every seed', () => {
    expect(pinTable('torch', ours)[4]).toMatchObject({ case: 'accuracy gained', unit: 'fraction', repeats: 3 });
    expect(pinTable('torch', ours)[3]).toMatchObject({
      case: 'NLL of learned',
      subject: 'torch',
      unit: 'nats',
      values: [1 - 0.8, 1 - 0.7, 1 - 0.9],
    });
  });
});

describe('options of bpc bench wasserstein-pin', () => {
  it('are a run with everything that a run can have, on both sides', () => {
    const { config, seeds } = pinSettings([]);
    expect(seeds).toBeGreaterThanOrEqual(5);
    expect(config).toMatchObject({
      method: 'bpc-w',
      dataset: 'digits',
      init: 'random',
      epochsAhead: 1,
      learnWeights: false,
      learnLabels: false,
    });
    expect(config.augmentDraws).toBe(config.innerSteps + 1);
    expect(config.stepSizeLearningRate).toBeGreaterThan(0);
    expect(config.evaluation.temperature).toBeGreaterThan(0);
  });

  it.each([
    ['an unknown option', ['--seed', '3'], /--seed/],
    ['no seeds', ['--seeds', '0'], /--seeds is 0, expected a positive integer/],
    ['one seed, which has no spread', ['--seeds', '1'], /--seeds is 1.*\n.*--seeds/],
    ['half a step', ['--steps', '0.5'], /--steps is 0\.5/],
  ])('refuse %s with exit code 2 and a remedy', async (_, args, mentions) => {
    await expectRefusal(['wasserstein-pin', ...args], mentions);
  });
});

describe('bpc bench wasserstein-pin', () => {
  beforeAll(buildCommand, 180_000);

  it('makes our runs and says that there is no peer', () => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [main, 'bench', 'wasserstein-pin', '--json', '--quick', '--python', join(root, 'no-such-python')],
      { encoding: 'utf8' },
    );
    expect({ status, stderr }).toMatchObject({ status: 0 });
    const { rows, ratios, environment } = JSON.parse(stdout) as { rows: PinRow[]; ratios: unknown[]; environment: object };
    expect(ratios).toEqual([]);
    expect(rows.at(-1)).toMatchObject({ subject: 'torch', absent: true, reason: expect.stringContaining('ENOENT') });
    for (const { values } of rows.slice(0, -1)) expect(values).toEqual([expect.any(Number), expect.any(Number)]);
    expect(environment).toMatchObject({ seeds: 2, testImages: expect.any(Number) });
  }, 180_000);
});
