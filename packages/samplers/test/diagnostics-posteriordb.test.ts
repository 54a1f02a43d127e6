import { essMean, mcseQuantile, mcseSd, summary } from '@bpc/samplers';
import { describe, expect, it } from 'vitest';
import { posteriorDraws, posteriorNames } from './posteriordb-draws.js';

const QUANTILES = ['05', '25', '50', '75', '95'] as const;

// The references have 5 to 10 digits and come from draws in full precision; the stored draws are float32.
describe.each(posteriorNames())('%s', (name) => {
  const { reference, chains } = posteriorDraws(name);
  const complete = reference.draws.shape[0] === 10_000;

  if (!complete) {
    it('has, from every second draw, the published means within their errors', () => {
      for (const { name: quantity, mean, mcseMean } of summary(chains).rows) {
        expect(Math.abs(mean - reference.summary[quantity]!.mean) / mcseMean).toBeLessThan(4);
      }
    });
    return;
  }

  it('has the published summary', () => {
    const { rows } = summary(chains, { probabilities: QUANTILES.map((q) => Number(`0.${q}`)) });
    expect(rows.map((row) => row.name)).toEqual(reference.parameters);
    for (const row of rows) {
      const expected = reference.summary[row.name]!;
      const own = chains[row.name]!;
      expect(Math.abs(row.mean - expected.mean) / expected.sd).toBeLessThan(2e-6);
      expect(Math.abs(row.standardDeviation / expected.sd - 1)).toBeLessThan(2e-6);
      expect(Math.abs(row.mcseMean / expected.mcse_mean - 1)).toBeLessThan(3e-4);
      expect(Math.abs(mcseSd(own) / expected.mcse_sd - 1)).toBeLessThan(3e-4);
      expect(Math.abs(row.essBulk - expected.ess_bulk)).toBeLessThan(4);
      expect(Math.abs(row.essTail - expected.ess_tail)).toBeLessThan(4);
      expect(Math.abs(essMean(own) - expected.ess_mean)).toBeLessThan(4);
      expect(Math.abs(row.rhat - expected.rhat)).toBeLessThan(1e-5);
      QUANTILES.forEach((q, i) => {
        expect(Math.abs(row.quantiles[i]! - expected[`q${q}`]) / expected.sd).toBeLessThan(1e-4);
        expect(Math.abs(mcseQuantile(own, Number(`0.${q}`)) / expected[`mcse_q${q}`] - 1)).toBeLessThan(5e-3);
      });
    }
  });
});
