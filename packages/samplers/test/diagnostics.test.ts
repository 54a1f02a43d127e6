import {
  divergences,
  ebfmi,
  essBulk,
  essMean,
  essQuantile,
  essSd,
  essTail,
  mcseMean,
  mcseQuantile,
  mcseSd,
  nestedRhat,
  rhat,
  treeDepthHits,
} from '@bpc/samplers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { meanAutocovariance } from '../src/diagnostics/autocovariance.js';
import { fourierTransform } from '../src/diagnostics/fft.js';
import { autoregressive, testDraws, testNormals } from './draws-helpers.js';

const all = {
  rhat,
  essBulk,
  essTail,
  essMean,
  essSd,
  essMedian: (chains: readonly Float64Array[]) => essQuantile(chains, 0.5),
  mcseMean,
  mcseSd,
  mcseMedian: (chains: readonly Float64Array[]) => mcseQuantile(chains, 0.5),
};
const good = autoregressive(1, 4, 50, 0.3);

describe.each(Object.entries(all))('%s', (name, diagnostic) => {
  it('is NaN for a quantity that never changes, for what is not finite and for too few draws', () => {
    expect(diagnostic(good)).toBeGreaterThan(0);
    expect(diagnostic([new Float64Array(50).fill(0.1), new Float64Array(50).fill(0.1)])).toBeNaN();
    for (const odd of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      expect(diagnostic(good.map((chain, c) => (c === 2 ? chain.map((x, n) => (n === 7 ? odd : x)) : chain)))).toBeNaN();
    }
    expect(diagnostic(good.map((chain) => chain.subarray(0, 3)))).toBeNaN();
    expect(diagnostic(good.map((chain) => chain.subarray(0, 4)))).not.toBeNaN();
  });

  it.each([undefined, 3, 'draws', {}, [1, 2], [Float64Array.of(1), null]])('refuses %s, which are no chains', (chains) => {
    expect(() => diagnostic(chains as never)).toThrow(expect.objectContaining({ code: 'CONFIG' }));
    expect(() => diagnostic(chains as never)).toThrow(/chains is .*expected one array of draws per chain.*series\(draws\)/);
  });

  it('refuses no chains and chains of unequal lengths', () => {
    expect(() => diagnostic([])).toThrow(expect.objectContaining({ code: 'SHAPE' }));
    expect(() => diagnostic([good[0]!, good[1]!.subarray(1)])).toThrow(/chain 1 has 49 draws and chain 0 has 50/);
  });

  it('leaves its input alone', () => {
    const before = good.map((chain) => [...chain]);
    diagnostic(good);
    expect(good.map((chain) => [...chain])).toEqual(before);
  });

  it('does not depend on unit and origin, standard errors scale with the unit', () => {
    fc.assert(
      fc.property(fc.double({ min: -30, max: 30, noNaN: true }), fc.double({ min: -2, max: 2, noNaN: true }), (exponent, origin) => {
        const unit = 10 ** exponent;
        const moved = diagnostic(good.map((chain) => chain.map((x) => unit * (x + origin))));
        const expected = diagnostic(good) * (name.startsWith('mcse') ? unit : 1);
        // The two draws next to the median are as far from it as each other: rounding decides whether they tie when folded.
        expect(Math.abs(moved / expected - 1)).toBeLessThan(diagnostic === rhat ? 2e-3 : 1e-9);
      }),
      { numRuns: 20 },
    );
  });
});

describe('effective sample sizes of autoregressive chains', () => {
  // For x_t = ρ x_{t−1} + √(1 − ρ²) ε the integrated autocorrelation time is (1 + ρ)/(1 − ρ).
  it.each([-0.6, 0, 0.5, 0.9])('ρ = %d: S(1 − ρ)/(1 + ρ), as an estimate from 4 × 20 000 draws can tell', (rho) => {
    const chains = autoregressive(5, 4, 20_000, rho);
    const expected = (80_000 * (1 - rho)) / (1 + rho);
    expect(Math.abs(essMean(chains) / expected - 1)).toBeLessThan(0.08);
    expect(Math.abs(essBulk(chains) / expected - 1)).toBeLessThan(0.08);
    expect(Math.abs(mcseMean(chains) / Math.sqrt(1 / expected) - 1)).toBeLessThan(0.06);
    // Squares decay as ρ²; Var(x²) = 2.
    const ofSquares = (80_000 * (1 - rho * rho)) / (1 + rho * rho);
    expect(Math.abs(mcseSd(chains) / Math.sqrt(1 / (2 * ofSquares)) - 1)).toBeLessThan(0.06);
    expect(rhat(chains)).toBeLessThan(1.01);
  });

  it('chains that stand still apart have infinite R-hat and hardly any draws', () => {
    const apart = [0, 1, 2].map((level) => new Float64Array(100).fill(level));
    expect(rhat(apart)).toBe(Number.POSITIVE_INFINITY);
    expect(essBulk(apart)).toBeLessThan(10);
  });

  it('one chain is compared with itself: a trend raises R-hat', () => {
    const [chain = new Float64Array(0)] = autoregressive(7, 1, 400, 0);
    expect(rhat([chain])).toBeLessThan(1.02);
    expect(rhat([chain.map((x, n) => x + n / 100)])).toBeGreaterThan(1.5);
  });

  it('R-hat sees chains of unequal spread, which agree in the mean', () => {
    const [a, b] = autoregressive(8, 2, 400, 0);
    expect(rhat([a!, b!.map((x) => 3 * x)])).toBeGreaterThan(1.05);
  });

  it('quantiles with ties: an indicator that is always true counts every draw', () => {
    const coin = good.map((chain) => chain.map((x) => (x > 0 ? 1 : 0)));
    expect(essQuantile(coin, 0.95)).toBe(200);
    expect(() => essQuantile(coin, 1)).toThrow(expect.objectContaining({ code: 'CONFIG' }));
    expect(() => mcseQuantile(coin, 0)).toThrow(expect.objectContaining({ code: 'CONFIG' }));
  });
});

describe('autocovariances', () => {
  it('are the same by one Fourier transform as lag by lag', () => {
    const table = { values: Float64Array.from(autoregressive(9, 3, 301, 0.8).flatMap((chain) => [...chain])), chains: 3, length: 301 };
    const of = meanAutocovariance(table);
    for (const lag of [0, 1, 64, 65, 130, 300]) {
      let sum = 0;
      for (let c = 0; c < 3; c++) for (let t = 0; t + lag < 301; t++) sum += table.values[c * 301 + t]! * table.values[c * 301 + t + lag]!;
      expect(Math.abs(of(lag) - sum / 903)).toBeLessThan(1e-14);
    }
  });

  it('the transform is the sum that defines it', () => {
    const normal = testNormals(10);
    const [real, imaginary] = [Float64Array.from({ length: 16 }, normal), Float64Array.from({ length: 16 }, normal)];
    const [re, im] = [real.slice(), imaginary.slice()];
    fourierTransform(re, im);
    for (let k = 0; k < 16; k++) {
      let [a, b] = [0, 0];
      for (let t = 0; t < 16; t++) {
        const angle = (-2 * Math.PI * k * t) / 16;
        a += real[t]! * Math.cos(angle) - imaginary[t]! * Math.sin(angle);
        b += real[t]! * Math.sin(angle) + imaginary[t]! * Math.cos(angle);
      }
      expect([re[k], im[k]]).toEqual([expect.closeTo(a, 12), expect.closeTo(b, 12)]);
    }
  });
});

describe('nested R-hat', () => {
  it('is √(1 + B/W) with B and W by hand', () => {
    // Superchain means 1.5 and 6: B = 10.125. Chain means 1, 2 and 5, 7: variances 0.5 and 2; within: 2, 2 and 0.5, 8.
    const superchains = [
      [Float64Array.of(0, 2), Float64Array.of(1, 3)],
      [Float64Array.of(4.5, 5.5), Float64Array.of(5, 9)],
    ];
    const within = (0.5 + (2 + 2) / 2 + (2 + (0.5 + 8) / 2)) / 2;
    expect(nestedRhat(superchains)).toBeCloseTo(Math.sqrt(1 + 10.125 / within), 14);
  });

  it('takes one draw per chain, and one chain per superchain', () => {
    const one = [
      [Float64Array.of(0), Float64Array.of(2)],
      [Float64Array.of(4), Float64Array.of(8)],
    ];
    // Means 1 and 6, B = 12.5; chain means vary by 2 and 8.
    expect(nestedRhat(one)).toBeCloseTo(Math.sqrt(1 + 12.5 / 5), 14);
    expect(nestedRhat([[Float64Array.of(0, 2)], [Float64Array.of(4, 8)]])).toBeCloseTo(Math.sqrt(1 + 12.5 / 5), 14);
  });

  it('tends to 1 for chains of one law and refuses what has no between or within', () => {
    const chains = autoregressive(11, 64, 5, 0.2);
    expect(nestedRhat(Array.from({ length: 8 }, (_, k) => chains.slice(8 * k, 8 * k + 8)))).toBeLessThan(1.1);
    expect(() => nestedRhat([chains])).toThrow(/1 superchains/);
    expect(() => nestedRhat([[Float64Array.of(1)], [Float64Array.of(2)]])).toThrow(/one draw only/);
    expect(() => nestedRhat([chains.slice(0, 2), chains.slice(0, 3)])).toThrow(/2, 3 chains/);
    expect(nestedRhat([[Float64Array.of(1, 1)], [Float64Array.of(1, 1)]])).toBeNaN();
    expect(nestedRhat([[Float64Array.of(1, Number.NaN)], [Float64Array.of(1, 1)]])).toBeNaN();
  });
});

describe('E-BFMI', () => {
  it('is the ratio of squared changes to squared deviations', () => {
    expect(ebfmi([Float64Array.of(1, 4, 2, 5)])).toEqual([(9 + 4 + 9) / (4 + 1 + 1 + 4)]);
    expect(ebfmi([Float64Array.of(3, 3, 3), Float64Array.of(0, 1, Number.NaN)])).toEqual([Number.NaN, Number.NaN]);
  });

  it('is 2(1 − ρ) for autoregressive energies', () => {
    for (const [value] of [0, 0.9].map((rho) => [ebfmi(autoregressive(12, 1, 50_000, rho))[0]! / (2 * (1 - rho))])) {
      expect(Math.abs(value! - 1)).toBeLessThan(0.05);
    }
  });
});

describe('divergences and tree-depth hits', () => {
  const base = testDraws(13, 2, 200);
  // A funnel: transitions diverge where the second component of tau is in its lowest twentieth.
  const tau = base.values['group/tau']!;
  const divergent = Float64Array.from({ length: 400 }, (_, i) => (tau[3 * i + 1]! < -1.645 ? 1 : 0));
  const draws = {
    ...base,
    statistics: { ...base.statistics, divergent, maxDepthReached: divergent.map((_, i) => (i % 100 === 0 ? 1 : 0)) },
  };

  it('are counted per chain and located', () => {
    const found = divergences(draws);
    const expected = [...divergent.keys()].filter((i) => divergent[i] === 1);
    expect(found.count).toBe(expected.length);
    expect(found.share).toBe(expected.length / 400);
    expect(found.perChain).toEqual([expected.filter((i) => i < 200).length, expected.filter((i) => i >= 200).length]);
    expect(found.locations.map(({ chain, draw }) => 200 * chain + draw)).toEqual(expected);
    const [i = 0] = expected;
    expect(found.locations[0]!.values['covariance[1,2]']).toBe(base.values['covariance']![6 * i + 5]);
    expect(treeDepthHits(draws)).toEqual({ count: 4, share: 0.01, perChain: [2, 2] });
  });

  it('name the quantity that tells where they are, with the medians there and elsewhere', () => {
    const [first, second] = divergences(draws).contrasts;
    expect(first).toMatchObject({ name: 'group/tau[1]' });
    expect(first!.divergent).toBeLessThan(-1.645);
    expect(first!.others).toBeGreaterThan(-0.3);
    expect(first!.rank).toBeLessThan(0.05);
    expect(Math.abs(second!.rank - 0.5)).toBeLessThan(0.25);
  });

  it('are none for samplers that do not report them', () => {
    const silent = { ...draws, statistics: {} };
    expect(divergences(silent)).toEqual({ count: 0, share: 0, perChain: [], locations: [], contrasts: [] });
    expect(treeDepthHits(silent).count).toBe(0);
  });
});
