import { foldIn, key } from '@bpc/core';
import { denseMetric, diagonalMetric, type Metric, nutsKernel, randomStream, unitMetric } from '@bpc/samplers';
import { describe, expect, it } from 'vitest';
import { funnel, gaussian, type HandWritten, logExponential } from './support/flat-densities.js';
import { type Known, marginal, scores } from './support/invariance.js';
import { type Faults, recursiveNuts } from './support/recursive-nuts.js';

type Target = {
  readonly density: HandWritten;
  /** Coarse: energy errors must matter, or wrong weights would not. */
  readonly stepSize: number;
  readonly metric: Metric;
  readonly known: readonly Known[];
  /** One exact draw. */
  readonly exact: (normal: () => number, uniform: () => number) => Float64Array;
};

const STANDARD = [
  [0.05, -1.6448536269514722],
  [0.25, -0.6744897501960817],
  [0.5, 0],
  [0.9, 1.2815515655446004],
  [0.99, 2.3263478740408408],
] as const;
const normal = (mean: number, sd: number) => STANDARD.map(([p, z]) => [p, mean + sd * z] as const);

// Covariance [[1, 1.2], [1.2, 2]] with determinant 0.56.
const correlated = gaussian([2 / 0.56, -1.2 / 0.56, -1.2 / 0.56, 1 / 0.56], [1, -2]);
const bivariate: Omit<Target, 'metric' | 'stepSize'> = {
  density: correlated,
  known: [
    ...marginal('x', (q) => q[0]!, { mean: 1, variance: 1 }, normal(1, 1)),
    ...marginal('y', (q) => q[1]!, { mean: -2, variance: 2 }, normal(-2, Math.SQRT2)),
    { name: 'covariance', of: (q) => (q[0]! - 1) * (q[1]! + 2), mean: 1.2 },
  ],
  exact: (draw) => {
    const [a, b] = [draw(), draw()];
    return Float64Array.of(1 + a, -2 + 1.2 * a + Math.sqrt(0.56) * b);
  },
};

const EULER = 0.5772156649015329;
const skewed: Omit<Target, 'metric' | 'stepSize'> = {
  density: logExponential,
  known: marginal(
    'log x',
    (q) => q[0]!,
    { mean: -EULER, variance: Math.PI ** 2 / 6 },
    [0.01, 0.1, 0.5, 0.9, 0.99].map((p) => [p, Math.log(-Math.log(1 - p))] as const),
  ),
  exact: (_, uniform) => Float64Array.of(Math.log(-Math.log(1 - uniform()))),
};

const funnelled: Omit<Target, 'metric' | 'stepSize'> = {
  density: funnel,
  known: [
    ...marginal('v', (q) => q[0]!, { mean: 0, variance: 1 }, normal(0, 1)),
    ...marginal('x / exp(v/2)', (q) => q[1]! * Math.exp(-q[0]! / 2), { mean: 0, variance: 1 }, normal(0, 1)),
    { name: 'mean square of x', of: (q) => q[1]! ** 2, mean: Math.exp(0.5) },
  ],
  exact: (draw) => {
    const v = draw();
    return Float64Array.of(v, draw() * Math.exp(v / 2));
  },
};

const targets: [string, Target][] = [
  ['a correlated Gaussian, unit metric', { ...bivariate, stepSize: 0.7, metric: unitMetric(2) }],
  ['a correlated Gaussian, dense metric', { ...bivariate, stepSize: 1.5, metric: denseMetric([1, 0.9, 0.9, 2], 2) }],
  ['a skewed density', { ...skewed, stepSize: 1.2, metric: diagonalMetric([1.6]) }],
  ['a funnel', { ...funnelled, stepSize: 0.7, metric: diagonalMetric([0.8, 1.6]) }],
];

const CHAINS = 4;
const DRAWS = 25_000;

/** Chains of `move` from exact draws. */
function chainsOf({ exact }: Target, move: (q: Float64Array, seed: number) => Float64Array): Float64Array[][] {
  return Array.from({ length: CHAINS }, (_, chain) => {
    const stream = randomStream(foldIn(key(20), chain));
    let q = exact(stream.normal, stream.uniform);
    return Array.from({ length: DRAWS }, (__, i) => (q = move(q, chain * DRAWS + i)));
  });
}

function kernelMove({ density, stepSize, metric }: Target): (q: Float64Array, seed: number) => Float64Array {
  const kernel = nutsKernel({ density });
  kernel.stepSize = stepSize;
  kernel.metric = metric;
  return (q, seed) => {
    kernel.start(q);
    kernel.transition(foldIn(key(21), seed));
    return kernel.position.slice();
  };
}

/** Exact draws, each moved once: independent of one another, so that small errors show. */
function movedOnce({ exact, known }: Target, move: (q: Float64Array, seed: number) => ArrayLike<number>, count: number): number[] {
  const stream = randomStream(key(22));
  const sums = known.map(() => [0, 0] as [number, number]);
  for (let i = 0; i < count; i++) {
    const q = move(exact(stream.normal, stream.uniform), i);
    known.forEach(({ of, mean }, k) => {
      const difference = of(q) - mean;
      sums[k]![0] += difference;
      sums[k]![1] += difference ** 2;
    });
  }
  return sums.map(([sum, squares]) => sum / Math.sqrt(squares));
}

describe('nutsKernel', () => {
  it.each(targets)('has the moments and quantiles of %s', (_, target) => {
    for (const { name, z, ess } of scores(chainsOf(target, kernelMove(target)), target.known)) {
      expect(ess, name).toBeGreaterThan(10_000);
      expect(Math.abs(z), name).toBeLessThan(4);
    }
  });

  it.each(targets)('leaves exact draws of %s exact', (_, target) => {
    movedOnce(target, kernelMove(target), 100_000).forEach((z) => expect(Math.abs(z)).toBeLessThan(4));
  });

  it('at temperature T has T times the variance on a Gaussian', () => {
    const temperature = 0.3;
    const kernel = nutsKernel({ density: correlated, temperature });
    kernel.stepSize = 0.4;
    kernel.start(Float64Array.of(1, -2));
    const draws = Array.from({ length: 50_000 }, (_, i) => {
      kernel.transition(foldIn(key(23), i));
      return kernel.position.slice();
    });
    const known = [
      ...marginal('x', (q) => q[0]!, { mean: 1, variance: temperature }, normal(1, Math.sqrt(temperature))),
      ...marginal('y', (q) => q[1]!, { mean: -2, variance: 2 * temperature }, normal(-2, Math.sqrt(2 * temperature))),
    ];
    for (const { name, z, ess } of scores([draws], known)) {
      expect(ess, name).toBeGreaterThan(10_000);
      expect(Math.abs(z), name).toBeLessThan(4);
    }
  });
});

// The textbook draws what the kernel draws (nuts-reference.test.ts); its mistakes are the controls.
describe('the test of invariance', () => {
  const target = targets.find(([name]) => name === 'a skewed density')![1];
  const worst = (faults: Faults) => {
    const move = recursiveNuts(target.density, { stepSize: target.stepSize, variances: [...target.metric.inverseMass] }, faults);
    const stream = randomStream(key(0));
    const zs = movedOnce(
      target,
      (q, seed) => {
        stream.seed(foldIn(key(21), seed));
        return move([...q], stream).position;
      },
      40_000,
    );
    return Math.max(...zs.map(Math.abs));
  };

  it('accepts the textbook without a mistake', () => expect(worst({})).toBeLessThan(4));

  it.each<[string, Faults]>([
    ['momenta 10 % too large', { momentumScale: 1.1 }],
    ['momenta 10 % too small', { momentumScale: 0.9 }],
    ['points chosen regardless of their weights', { equalWeights: true }],
    ['proposals from subtrees that turned', { keepInvalid: true }],
    ['the new half always taken', { alwaysNew: true }],
  ])('rejects %s', (_, faults) => expect(worst(faults)).toBeGreaterThan(6));
});
