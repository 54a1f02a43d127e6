import { foldIn, key } from '@bpc/core';
import { diagonalMetric, nutsKernel, randomStream } from '@bpc/samplers';
import { describe, expect, it } from 'vitest';
import { cliff, funnel, gaussian, type HandWritten, logExponential } from './support/flat-densities.js';
import { reasonableStepSize, recursiveNuts } from './support/recursive-nuts.js';

const cases: [string, HandWritten, { stepSize: number; variances: number[]; maxDepth?: number }][] = [
  ['a Gaussian', gaussian([2, 0.8, 0.8, 1], [1, -1]), { stepSize: 0.4, variances: [1, 1] }],
  ['a Gaussian in long trajectories', gaussian([4, 0, 0, 0.04], [0, 0]), { stepSize: 0.1, variances: [1, 1] }],
  ['a Gaussian in long trajectories, cut short', gaussian([4, 0, 0, 0.04], [0, 0]), { stepSize: 0.1, variances: [1, 1], maxDepth: 3 }],
  ['a skewed density', logExponential, { stepSize: 1.3, variances: [1.6] }],
  ['a funnel', funnel, { stepSize: 0.5, variances: [0.8, 1.7] }],
  ['a density with a cliff', cliff(1.2), { stepSize: 0.7, variances: [1] }],
];

describe('nutsKernel', () => {
  it.each(cases)('does on %s what recursive textbook NUTS does with the same random numbers', (_, density, options) => {
    const { stepSize, variances, maxDepth = 10 } = options;
    const kernel = nutsKernel({ density, maxDepth });
    kernel.stepSize = stepSize;
    kernel.metric = diagonalMetric(variances);
    const reference = recursiveNuts(density, options);
    const stream = randomStream(key(0));
    const start = Float64Array.from(variances, () => 0.3);
    kernel.start(start);
    const depths = new Set<number>();
    let [divergences, moved] = [0, 0];
    for (let i = 0; i < 400; i++) {
      const from = [...kernel.position];
      const turn = foldIn(key(11), i);
      stream.seed(turn);
      // From the kernel's own position each time: rounding errors do not pile up, and any difference shows at once.
      const expected = reference(from, stream);
      kernel.transition(turn);
      expected.position.forEach((x, j) => expect(Math.abs(kernel.position[j]! - x)).toBeLessThan(1e-9));
      const { info } = kernel;
      expect([info.depth, info.leapfrogSteps, info.divergent]).toEqual([expected.depth, expected.leapfrogSteps, expected.divergent]);
      expect(info.acceptance).toBeCloseTo(expected.acceptance, 8);
      expect(info.energy).toBeCloseTo(expected.energy, 8);
      expect(info.maxDepthReached).toBe(expected.depth === maxDepth);
      depths.add(info.depth);
      divergences += Number(info.divergent);
      moved += Number(kernel.position[0] !== from[0]);
    }
    // The comparison saw trees of several sizes, moves, and divergences where they cannot be avoided.
    expect(depths.size).toBeGreaterThanOrEqual(2);
    expect(moved).toBeGreaterThan(200);
    expect(divergences).toBeGreaterThan(density === cases[5]![1] ? 20 : -1);
  });

  it('agrees from starts so improbable that weights exceed all floating-point numbers', () => {
    const density = gaussian([1], [0]);
    const kernel = nutsKernel({ density });
    kernel.stepSize = 0.5;
    const reference = recursiveNuts(density, { stepSize: 0.5, variances: [1] });
    const stream = randomStream(key(0));
    let largest = 0;
    for (let i = 0; i < 100; i++) {
      const turn = foldIn(key(12), i);
      const start = 150 + 10 * i;
      stream.seed(turn);
      const { position, acceptance, divergent } = reference([start], stream);
      kernel.start(Float64Array.of(start));
      const before = -kernel.logDensity;
      kernel.transition(turn);
      expect(kernel.position[0]).toBeCloseTo(position[0]!, 6);
      expect(kernel.info.acceptance).toBeCloseTo(acceptance, 8);
      expect(kernel.info.divergent).toBe(divergent);
      largest = Math.max(largest, before - kernel.info.energy);
    }
    expect(largest).toBeGreaterThan(Math.log(Number.MAX_VALUE));
  });

  it('searches the step size of the textbook with the same random numbers', () => {
    const variances = [0.8, 1.7];
    const found = new Set<number>();
    for (const from of [1e-3, 0.3, 1, 50]) {
      for (let i = 0; i < 25; i++) {
        const kernel = nutsKernel({ density: funnel });
        kernel.metric = diagonalMetric(variances);
        kernel.stepSize = from;
        const start = [0.1 * (i - 12), 0.5];
        kernel.start(Float64Array.from(start));
        const stepSize = kernel.initialStepSize(foldIn(key(13), i));
        const expected = reasonableStepSize(funnel, variances, start, from, randomStream(foldIn(key(13), i)));
        expect(stepSize).toBe(expected);
        found.add(expected);
      }
    }
    expect(found.size).toBeGreaterThan(3);
  });

  it('is told apart from a textbook with a mistake', () => {
    const density = logExponential;
    const options = { stepSize: 1.3, variances: [1.6] };
    for (const fault of [{ momentumScale: 1.01 }, { equalWeights: true }, { keepInvalid: true }, { alwaysNew: true }]) {
      const kernel = nutsKernel({ density });
      kernel.stepSize = options.stepSize;
      kernel.metric = diagonalMetric(options.variances);
      kernel.start(Float64Array.of(0.3));
      const stream = randomStream(key(0));
      const wrong = recursiveNuts(density, options, fault);
      let differences = 0;
      for (let i = 0; i < 400; i++) {
        const turn = foldIn(key(11), i);
        stream.seed(turn);
        const expected = wrong([...kernel.position], stream);
        kernel.transition(turn);
        differences += Number(Math.abs(kernel.position[0]! - expected.position[0]!) > 1e-9);
      }
      expect(differences).toBeGreaterThan(0);
    }
  });
});
