import { psis, psisLoo } from '@bpc/samplers';
import { describe, expect, it } from 'vitest';
import { loadFixture } from '../../../tooling/fixtures/load.js';
import { posteriorData, posteriorDraws } from './posteriordb-draws.js';

const fixture = loadFixture<{ readonly cases: number; readonly reff: number }>('diagnostics');
const cases = Array.from({ length: fixture.cases['psis']!.cases }, (_, i) => i);

describe('Pareto smoothing', () => {
  const found = cases.map((i) =>
    psis(Float64Array.from(fixture.values(`psis/${i}/log_weights`)), { relativeEfficiency: fixture.cases['psis']!.reff }),
  );

  it.each(cases)('case %i has the reference weights to 1e-8', (i) => {
    const expected = fixture.values(`psis/${i}/smoothed`);
    expected.forEach((value, s) => {
      expect(Math.abs(found[i]!.logWeights[s]! - value)).toBeLessThan(1e-8 * Math.max(1, Math.abs(value)));
    });
    fixture.expectClose(`psis/${i}/smoothed`, found[i]!.logWeights, 'f64');
  });

  it('has the reference tail shapes to 1e-8', () => {
    const shapes = found.map(({ paretoK }) => paretoK);
    expect(Math.max(...shapes.map((k, i) => Math.abs(k - fixture.values('psis/khat')[i]!)))).toBeLessThan(1e-8);
    fixture.expectClose('psis/khat', shapes, 'f64');
  });

  it('finds the tail index of ratios that have one', () => {
    // Quantiles of a Pareto distribution: P(w > x) = x^{−1/k}.
    for (const k of [0.3, 0.6, 1.2]) {
      const logWeights = Float64Array.from({ length: 20_000 }, (_, i) => -k * Math.log1p(-(i + 0.5) / 20_000));
      expect(Math.abs(psis(logWeights).paretoK - k)).toBeLessThan(0.03);
    }
  });

  it('leaves equal weights equal and says that there is no tail', () => {
    const { logWeights, paretoK } = psis(new Float64Array(100).fill(-7));
    expect(paretoK).toBe(Number.NEGATIVE_INFINITY);
    expect([...logWeights]).toEqual(Array.from({ length: 100 }, () => expect.closeTo(-Math.log(100), 14)));
  });

  it('cannot fit the tail of very few draws', () => {
    expect(psis(Float64Array.of(0, 1, 2, 3)).paretoK).toBe(Number.POSITIVE_INFINITY);
  });

  it('takes zero weights and an input that it does not change, and refuses NaN, infinite and no weight', () => {
    const input = Float64Array.from({ length: 200 }, (_, i) => (i % 10 === 0 ? Number.NEGATIVE_INFINITY : Math.sin(i)));
    const before = [...input];
    const { logWeights } = psis(input);
    expect([...input]).toEqual(before);
    expect(logWeights[0]).toBe(Number.NEGATIVE_INFINITY);
    expect(logWeights.reduce((sum, value) => sum + Math.exp(value), 0)).toBeCloseTo(1, 14);
    for (const bad of [[0, Number.NaN], [0, Number.POSITIVE_INFINITY], [Number.NEGATIVE_INFINITY], []]) {
      expect(() => psis(Float64Array.from(bad))).toThrow(expect.objectContaining({ code: 'CONFIG' }));
    }
    expect(() => psis(input, { relativeEfficiency: 0 })).toThrow(/relativeEfficiency is 0/);
  });
});

const logNormal = (x: number, mean: number, sd: number) => -0.5 * ((x - mean) / sd) ** 2 - Math.log(sd) - 0.5 * Math.log(2 * Math.PI);
const column = (name: string, quantity: string, draws: number) =>
  posteriorDraws(name)
    .chains[quantity]!.flatMap((chain) => [...chain])
    .slice(0, draws);

/** log N(y_j | θ_j, σ_j) at the first 2000 reference draws. */
function eightSchools(): Float64Array {
  const name = 'eight_schools-eight_schools_noncentered';
  const { y, sigma } = posteriorData(name) as { readonly y: number[]; readonly sigma: number[] };
  const theta = y.map((_, j) => column(name, `theta[${j + 1}]`, 2000));
  return Float64Array.from({ length: 16_000 }, (_, i) => logNormal(y[i % 8]!, theta[i % 8]![Math.floor(i / 8)]!, sigma[i % 8]!));
}

describe('leave-one-out cross-validation', () => {
  // ArviZ 0.23.4: az.loo(az.from_dict(log_likelihood={"y": ll[None]}, …), reff=r, pointwise=True) of the same likelihoods.
  it.each([
    {
      relativeEfficiency: 1,
      elpd: -30.70989909125686,
      standardError: 1.3718667408544734,
      effectiveParameters: 0.8619041078398801,
      pointwise: [
        -4.908170335821417, -3.4216699706359472, -3.8524043727564177, -3.4498077035232653, -3.457899598915051, -3.4830061865159863,
        -4.2022548566466735, -3.9346860664421026,
      ],
      paretoK: [
        0.5333158799062772, 0.5062495771567881, 0.36750997653926903, 0.4633575047500364, 0.5177387090838061, 0.5065299438984331,
        0.4217054866697365, 0.3840234139790726,
      ],
    },
    {
      relativeEfficiency: 0.4,
      elpd: -30.712420590763067,
      standardError: 1.370579797105833,
      effectiveParameters: 0.8644256073460852,
      pointwise: [
        -4.907529698948129, -3.423536272828435, -3.8523786812857956, -3.4505835499712134, -3.4578615817666263, -3.4833485250676404,
        -4.202565390645717, -3.9346168902495107,
      ],
      paretoK: [
        0.47002123629844766, 0.5748774656342442, 0.336935711229487, 0.5289456568461447, 0.5026776279094973, 0.51760290252976,
        0.47753504796758817, 0.347612882545083,
      ],
    },
  ])('of eight schools agrees with ArviZ at relative efficiency $relativeEfficiency', (expected) => {
    const found = psisLoo(eightSchools(), { points: 8, relativeEfficiency: expected.relativeEfficiency });
    expect(found.elpd).toBeCloseTo(expected.elpd, 9);
    // ArviZ divides by n, the paper and this by n − 1.
    expect(found.standardError * Math.sqrt(7 / 8)).toBeCloseTo(expected.standardError, 9);
    expect(found.effectiveParameters).toBeCloseTo(expected.effectiveParameters, 9);
    expected.pointwise.forEach((value, j) => expect(found.pointwise.elpd[j]).toBeCloseTo(value, 9));
    expected.paretoK.forEach((value, j) => expect(found.pointwise.paretoK[j]).toBeCloseTo(value, 9));
    expect(found.threshold).toBeCloseTo(0.6970642492453765, 14);
    expect(found.warning).toBeUndefined();
  });

  it('of a regression of 434 children agrees with ArviZ', () => {
    const name = 'kidiq-kidscore_interaction';
    const data = posteriorData(name) as { readonly mom_hs: number[]; readonly mom_iq: number[]; readonly kid_score: number[] };
    const [intercept, hs, iq, both, sigma] = ['beta[1]', 'beta[2]', 'beta[3]', 'beta[4]', 'sigma'].map((q) => column(name, q, 1000));
    const logLikelihood = Float64Array.from({ length: 434_000 }, (_, i) => {
      const [s, n] = [Math.floor(i / 434), i % 434];
      const [h, q] = [data.mom_hs[n]!, data.mom_iq[n]!];
      return logNormal(data.kid_score[n]!, intercept![s]! + hs![s]! * h + iq![s]! * q + both![s]! * h * q, sigma![s]!);
    });
    const found = psisLoo(logLikelihood, { points: 434 });
    expect(found.elpd).toBeCloseTo(-1872.5203738945024, 8);
    expect(found.standardError * Math.sqrt(433 / 434)).toBeCloseTo(14.422427125974611, 8);
    expect(found.effectiveParameters).toBeCloseTo(4.875692527771662, 8);
    expect(Math.max(...found.pointwise.paretoK)).toBeCloseTo(0.3369341380639071, 8);
    expect(found.pointwise.paretoK.indexOf(Math.max(...found.pointwise.paretoK))).toBe(58);
    expect(Math.min(...found.pointwise.paretoK)).toBeCloseTo(-0.2872263726442501, 8);
  });

  it('warns of points that the posterior depends on too much', () => {
    // Ratios 1/p = u^{−1.1} of uniform u: a Pareto tail with k = 1.1.
    const heavy = Float64Array.from({ length: 5000 }, (_, i) => {
      const u = (Math.floor(i / 5) + 0.5) / 1000;
      return i % 5 === 4 ? Math.log(u) * 1.1 : -1;
    });
    expect(psisLoo(heavy, { points: 5 }).warning?.message).toMatch(/^k̂ is above 0\.67 for 1 of 5 points/);
  });

  it('never takes a k̂ above 0.7 for reliable, however many draws there are', () => {
    // 1 − 1/log₁₀ S is 0.7 at 2154 draws.
    expect(psisLoo(new Float64Array(1000), { points: 1 }).threshold).toBeCloseTo(2 / 3, 12);
    expect(psisLoo(new Float64Array(10_000), { points: 1 }).threshold).toBe(0.7);
  });

  it('refuses lengths that do not fit and likelihoods that are not finite, naming draw and point', () => {
    expect(() => psisLoo(new Float64Array(7), { points: 3 })).toThrow(expect.objectContaining({ code: 'SHAPE' }));
    expect(() => psisLoo(new Float64Array(0), { points: 3 })).toThrow(expect.objectContaining({ code: 'SHAPE' }));
    const odd = new Float64Array(6);
    odd[4] = Number.NEGATIVE_INFINITY;
    expect(() => psisLoo(odd, { points: 3 })).toThrow(/point 1 at draw 1 is -Infinity/);
  });
});
