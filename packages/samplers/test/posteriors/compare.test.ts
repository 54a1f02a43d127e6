import { type Draws, essMean, mcseMean, mcseSd } from '@bpc/samplers';
import {
  checkPosterior,
  comparePosterior,
  type ReferencePosteriorName,
  referencePosteriors,
  referenceQuantities,
} from '@bpc/samplers/testing';
import { describe, expect, it } from 'vitest';
import { readDraws, readReference } from './read.js';

const names = Object.keys(referencePosteriors) as ReferencePosteriorName[];
describe.each(names)('the reference draws of %s', (name) => {
  const reference = referenceQuantities(readReference(name).summary);
  const draws = readDraws(name);

  it('agree with their own summary', () => {
    const { rejected, maximum, statistics, minimumBulkEss, maximumRhat } = comparePosterior(draws, reference);
    expect(rejected).toEqual([]);
    expect(statistics).toHaveLength(7 * reference.length);
    // Those of the Gaussian process are every second draw of those that were summarised; the others the very same, as float32.
    const bound = name === 'gp_pois_regr-gp_pois_regr' ? 2.5 : 0.05;
    expect(Math.max(maximum.mean, maximum['standard deviation'], maximum.quantile)).toBeLessThan(bound);
    expect(minimumBulkEss).toBeGreaterThan(4000);
    expect(maximumRhat).toBeLessThan(1.01);
  });

  it('are rejected for any quantity that is shifted by 0.2 sd', () => {
    for (const each of reference) {
      const shifted = draws[each.name]!.map((chain) => chain.map((x) => x + 0.2 * each.standardDeviation));
      expect(comparePosterior({ [each.name]: shifted }, [each]).rejected.length, each.name).toBeGreaterThan(0);
    }
  });

  it.each([1.1, 0.9])('are rejected when their spread is multiplied by %d', (factor) => {
    const spread = reference.map(({ name: each, mean }) => [
      each,
      draws[each]!.map((chain) => chain.map((x) => mean + factor * (x - mean))),
    ]);
    expect(comparePosterior(Object.fromEntries(spread), reference).rejected.length).toBeGreaterThan(0);
  });
});

describe('comparePosterior', () => {
  const chains = [1, 2, 3, 4].map((c) => Float64Array.from({ length: 500 }, (_, i) => Math.sin(c + i * i)));
  const quantity = {
    name: 'x',
    mean: 0.1,
    mcseMean: 0.02,
    standardDeviation: 0.75,
    mcseStandardDeviation: 0.03,
    quantiles: [{ probability: 0.25, value: -0.7, effectiveDraws: 4000 }],
  };

  it('divides by both Monte Carlo errors, and quantiles by those of the indicator', () => {
    const { statistics } = comparePosterior({ x: chains }, [quantity]);
    const all = chains.flatMap((chain) => [...chain]);
    const mean = all.reduce((a, b) => a + b) / all.length;
    const sd = Math.sqrt(all.reduce((total, x) => total + (x - mean) ** 2, 0) / (all.length - 1));
    const below = chains.map((chain) => chain.map((x) => +(x <= -0.7)));
    const share = all.filter((x) => x <= -0.7).length / all.length;
    expect(statistics.map(({ z }) => z)).toEqual([
      expect.closeTo((mean - 0.1) / Math.sqrt(mcseMean(chains) ** 2 + 0.02 ** 2), 10),
      expect.closeTo((sd - 0.75) / Math.sqrt(mcseSd(chains) ** 2 + 0.03 ** 2), 10),
      expect.closeTo((share - 0.25) / Math.sqrt(0.25 * 0.75 * (1 / essMean(below) + 1 / 4000)), 10),
    ]);
  });

  it('rejects what cannot be compared: NaN, draws that never change, all draws on one side of a quantile', () => {
    const of = (x: number) =>
      comparePosterior({ x: chains.map((chain) => chain.map(() => x)) }, [quantity]).rejected.map(({ kind }) => kind);
    expect(of(Number.NaN)).toEqual(['mean', 'standard deviation', 'quantile']);
    expect(of(0.1)).toContain('quantile');
    const above = comparePosterior({ x: chains.map((chain) => chain.map((x) => x + 5)) }, [quantity]);
    expect(above.rejected.map(({ kind }) => kind)).toContain('quantile');
    expect(above.statistics[2]?.z).toBeLessThan(-10);
  });

  it('says what was not drawn, and what a reference lacks', () => {
    expect(() => comparePosterior({ y: chains }, [quantity])).toThrow(/'x' of the reference was not drawn \(there are y\)/);
    expect(() => referenceQuantities({ mu: { mean: 1, sd: 1 } })).toThrow(/'mu' has no number 'mcse_mean'/);
    expect(() => referenceQuantities([])).toThrow(expect.objectContaining({ code: 'CONFIG' }));
  });
});

describe('checkPosterior', () => {
  const reference = referenceQuantities(readReference('arK-arK').summary);
  const stored = readDraws('arK-arK');
  /** The first draws of the reference as a sampler's. */
  const draws = (length: number, chains: number, divergent = 0): Draws => ({
    chains,
    length,
    variables: Object.keys(stored).map((name) => ({ name, shape: [], kind: 'parameter' })),
    values: Object.fromEntries(
      Object.entries(stored).map(([name, all]) => [
        name,
        Float64Array.from({ length: chains * length }, (_, k) => all[Math.floor(k / length)]![k % length]!),
      ]),
    ),
    statistics: { divergent: Float64Array.from({ length: chains * length }, (_, k) => +(k < divergent)) },
    unconstrained: new Float64Array(0),
    interrupted: false,
    provenance: {},
  });

  it('runs longer until every quantity has enough effective draws', async () => {
    const lengths: number[] = [];
    const { problems, comparison } = await checkPosterior({
      reference,
      draws: 100,
      collect: async (length) => {
        lengths.push(length);
        return draws(length, 4);
      },
    });
    expect(lengths).toEqual([100, 200, 400]);
    expect(problems).toEqual([]);
    expect(comparison.minimumBulkEss).toBeGreaterThan(1000);
  });

  it('judges no run that was stopped', async () => {
    const stopped = checkPosterior({ reference, collect: async (length) => ({ ...draws(length, 4), interrupted: true }) });
    await expect(stopped).rejects.toThrow(expect.objectContaining({ code: 'INTERRUPTED' }));
  });

  it('says so when they are not enough at last, and when too many diverge', async () => {
    const few = await checkPosterior({ reference, draws: 100, maximumDraws: 150, collect: async (length) => draws(length, 4) });
    expect(few.problems).toEqual([expect.stringMatching(/^effective sample size \d+, expected 1000$/)]);
    const diverging = await checkPosterior({ reference, collect: async (length) => draws(length, 4, 10) });
    expect(diverging.divergent).toBe(0.0025);
    expect(diverging.problems).toEqual([expect.stringMatching(/^0\.25 % of the draws diverged/)]);
  });
});
