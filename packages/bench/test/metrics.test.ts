import {
  accuracy,
  bmaProbabilities,
  chainDisagreement,
  ece,
  evaluatePredictions,
  fitTemperature,
  legacyEce,
  legacyNll,
  meanSingleModelNll,
  nll,
  oodDetection,
  reliabilityBins,
} from '@bpc/bench';
import { ConfigError, hostNormal, hostUniform, key, ShapeError, split } from '@bpc/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

/** Labels drawn from the predicted probabilities themselves: calibrated by construction. */
function calibrated(points: number, classes: number, seed: number) {
  const [a, b] = split(key(seed), 2);
  const logits = hostNormal(a, points * classes).map((z) => 2 * z);
  const probabilities = bmaProbabilities([logits], classes);
  const labels = Array.from(hostUniform(b, points), (u, i) => {
    let label = 0;
    let mass = probabilities[i * classes] ?? 0;
    while (u > mass && label < classes - 1) mass += probabilities[i * classes + ++label] ?? 0;
    return label;
  });
  return { logits, probabilities, labels };
}

/** Models scattered about common logits. */
function ensemble(size: number, points: number, classes: number, seed: number, spread = 2) {
  const { logits, labels } = calibrated(points, classes, seed);
  const models = Array.from({ length: size }, (_, k) => {
    const noise = hostNormal(split(key(seed + 1000), size + 1)[k] ?? key(0), logits.length);
    return logits.map((z, i) => z + spread * (noise[i] ?? 0));
  });
  return { models, labels };
}

describe('calibration error of a calibrated predictor (10 000 points)', () => {
  const { probabilities, labels } = calibrated(10_000, 10, 7);

  it('is below 0.03 over the whole set', () => {
    expect(ece(probabilities, labels)).toBeLessThan(0.03);
  });

  it('is about 0.14 with the batch-wise legacy estimator', () => {
    expect(legacyEce(probabilities, labels)).toBeGreaterThan(0.12);
    expect(legacyEce(probabilities, labels)).toBeLessThan(0.16);
  });

  it('is large for the same predictor made overconfident', () => {
    const sharp = bmaProbabilities([calibrated(10_000, 10, 7).logits.map((z) => 3 * z)], 10);
    expect(ece(sharp, labels)).toBeGreaterThan(0.1);
  });
});

describe('negative log-likelihood', () => {
  it('of the averaged prediction is at most the mean single NLL and the legacy NLL', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 6 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 0, max: 1000 }),
        (size, points, seed) => {
          const { models, labels } = ensemble(size, points, 5, seed);
          const averaged = nll(models, labels);
          expect(averaged).toBeLessThanOrEqual(meanSingleModelNll(models, labels) + 1e-12);
          expect(averaged).toBeLessThanOrEqual(legacyNll(models, labels, 16) + 1e-12);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('by the legacy estimator hides most of what averaging gains', () => {
    const { models, labels } = ensemble(50, 2000, 10, 3);
    const [averaged, legacy, single] = [nll(models, labels), legacyNll(models, labels), meanSingleModelNll(models, labels)];
    expect(averaged).toBeLessThan(single - 0.3);
    expect(single - legacy).toBeLessThan(0.1 * (single - averaged));
  });

  it('is finite and exact where the probability underflows', () => {
    expect(nll([Float64Array.of(0, 2000)], [0])).toBeCloseTo(2000, 9);
  });
});

describe('bins, temperature and chains', () => {
  it('put an edge into the bin below it, for every edge of 15 bins', () => {
    for (let k = 8; k <= 15; k++) {
      const edge = k / 15;
      const bins = reliabilityBins(Float64Array.of(edge, 1 - edge), [0], 15);
      expect(bins.findIndex((bin) => bin.count === 1)).toBe(k - 1);
    }
  });

  it('find the temperature of the closed form: confidence = share of correct points', () => {
    const { temperature, nll: best } = fitTemperature(Float64Array.of(4, 0, 4, 0, 4, 0, 4, 0), [0, 0, 0, 1]);
    expect(temperature).toBeCloseTo(4 / Math.log(3), 10);
    expect(best).toBeCloseTo(-0.75 * Math.log(0.75) - 0.25 * Math.log(0.25), 10);
  });

  it('undo a known sharpening', () => {
    const { logits, labels } = calibrated(10_000, 10, 11);
    const sharp = fitTemperature(
      logits.map((z) => 3 * z),
      labels,
    ).temperature;
    expect(sharp / fitTemperature(logits, labels).temperature).toBeCloseTo(3, 6);
    expect(fitTemperature(logits, labels).temperature).toBeCloseTo(1, 1);
  });

  it('count disagreeing pairs as a loop over pairs does', () => {
    const { models } = ensemble(6, 50, 4, 5);
    const chains = [models.slice(0, 3), models.slice(3, 5), models.slice(5)];
    const top = chains.map((draws) =>
      draws.map((draw) =>
        Array.from({ length: 50 }, (_, i) => {
          const row = Array.from(draw.subarray(i * 4, i * 4 + 4));
          return row.indexOf(Math.max(...row));
        }),
      ),
    );
    const rates = { within: [] as number[], between: [] as number[] };
    const flat = top.flatMap((draws, chain) => draws.map((classes) => ({ chain, classes })));
    flat.forEach((a, i) => {
      for (const b of flat.slice(i + 1)) {
        const differ = a.classes.filter((c, j) => c !== b.classes[j]).length / 50;
        rates[a.chain === b.chain ? 'within' : 'between'].push(differ);
      }
    });
    const average = (values: number[]) => values.reduce((x, y) => x + y, 0) / values.length;
    const found = chainDisagreement(chains, 4);
    expect(found.within).toBeCloseTo(average(rates.within), 12);
    expect(found.between).toBeCloseTo(average(rates.between), 12);
  });

  it('have no within-chain disagreement with one draw per chain, and no between with one chain', () => {
    const { models } = ensemble(2, 5, 3, 5);
    expect(
      chainDisagreement(
        models.map((model) => [model]),
        3,
      ).within,
    ).toBeUndefined();
    expect(chainDisagreement([models], 3).between).toBeUndefined();
  });
});

describe('bad input', () => {
  const one = Float32Array.of(0.5, 0.5);
  it.each([
    ['a label outside the classes', () => accuracy(one, [2]), ConfigError, /label 2 .* 0 … 1/],
    ['a fractional label', () => nll([one], [0.5]), ConfigError, /label 0.5/],
    ['labels that do not divide the table', () => accuracy(Float32Array.of(1, 0, 0), [0, 1]), ShapeError, /3 values for 2 labels/],
    ['models of different length', () => bmaProbabilities([one, Float32Array.of(1, 2, 3, 4)], 2), ShapeError, /4 logits/],
    ['no model', () => evaluatePredictions([], [0]), ConfigError, /no model/],
    ['a NaN logit', () => nll([Float32Array.of(Number.NaN, 0)], [0]), ConfigError, /NaN/],
    ['no bins', () => ece(one, [0], { bins: 0 }), ConfigError, /bins is 0/],
    ['scores of one kind only', () => oodDetection([1], []), ConfigError, /0 positives/],
  ])('%s is a typed error', (_, run, type, message) => {
    expect(run).toThrow(type);
    expect(run).toThrow(message);
  });
});
