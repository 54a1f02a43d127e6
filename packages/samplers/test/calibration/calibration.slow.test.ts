import { jsRuntime } from '@bpc/compiler';
import { key } from '@bpc/core';
import { type AlgorithmFactory, hmc, sample } from '@bpc/samplers';
import { checkRanks } from '@bpc/samplers/testing';
import { describe, expect, it } from 'vitest';
import { flawed } from '../posteriors/without-jacobian.js';
import { model } from './model.js';
import { calibrationRanks, RANKED } from './ranks.js';

const REPLICATIONS = 1000;
/** Of each of five quantities of two samplers: one false alarm in a hundred seeds. */
const LEVEL = 0.001;
const runtime = jsRuntime();
const run = { chains: 1, thin: 5, runtime };

/** How the ranks of each quantity come out. */
const checks = (ranks: Record<string, number[]>) =>
  Object.entries(ranks).map(([name, found]) => ({ name, count: found.length, ...checkRanks(found, RANKED, LEVEL) }));

const nuts = (through?: typeof flawed) =>
  calibrationRanks(REPLICATIONS, key(5), (y, own) =>
    sample({ ...model(y, through), ...run, key: own, warmup: 150, draws: RANKED }).collect(),
  );

describe('values from the prior rank uniformly among draws of their posteriors', () => {
  it('of NUTS, tuned anew for each', async () => {
    for (const { name, rejected, largestDifference, count } of checks(await nuts())) {
      expect(rejected, `${name}: ${largestDifference}`).toBe(false);
      expect(count).toBe(REPLICATIONS);
    }
  });

  it('of HMC', async () => {
    // Small enough for data whose sigma is small, too: steps of 0.3 get stuck there, and are rejected here.
    const algorithm: AlgorithmFactory = ({ logDensity }) => hmc({ logDensity, stepSize: 0.12, leapfrogSteps: [4, 14] });
    // Nothing is tuned; the first 30 draws, of 5 transitions each, are not looked at.
    const settings = { ...run, algorithm, warmup: 0, draws: 30 + RANKED, blockSize: 5 * (30 + RANKED) };
    let accepted = 0;
    const ranks = await calibrationRanks(REPLICATIONS, key(6), async (y, own) => {
      const draws = await sample({ ...model(y), ...settings, key: own }).collect();
      const acceptance = draws.statistics['acceptance'] ?? new Float64Array(0);
      accepted += acceptance.reduce((sum, each) => sum + each, 0) / acceptance.length / REPLICATIONS;
      return draws;
    });
    // Rejections take part, or a wrong accept step would pass.
    expect(accepted).toBeGreaterThan(0.6);
    expect(accepted).toBeLessThan(0.99);
    for (const { name, rejected, largestDifference } of checks(ranks)) expect(rejected, `${name}: ${largestDifference}`).toBe(false);
  });
});

describe('the same check rejects', () => {
  it('NUTS without the log-Jacobians', async () => {
    const rejected = checks(await nuts(flawed)).flatMap((each) => (each.rejected ? [each.name] : []));
    expect(rejected).toContain('sigma');
    expect(rejected).toContain('logLikelihood');
  });
});
