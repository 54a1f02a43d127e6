import './support/backend.js';
import { jsRuntime } from '@bpc/compiler';
import type { Coreset, Divergence, DivergenceInput, Key, Model, PosteriorDraws, Tree } from '@bpc/core';
import {
  algorithmDraws,
  contrastiveDivergence,
  descentDraws,
  disposeTree,
  foldIn,
  forwardKl,
  fromSurrogate,
  grad,
  key,
  langevinDraws,
  laplaceDraws,
  normal,
  reduceEnergy,
  treeMap,
} from '@bpc/core';
import { hmc } from '@bpc/samplers';
import type { Scalar, Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import { add, expandDims, mul, neg, square, squaredDifference, sub, sum, tensor1d, tensor2d, zeros } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { agreement } from './support/replicates.js';

/**
 * x ~ N(θ, I), θ ~ N(0, I/τ): π_S = N(m, vI) with 1/v = τ + Σw and m = v Σ w x. With θ⁺ ~ N(μ, σ²I) the forward KL has
 *
 *   ∇x_m = w_m (m − μ),  ∇w_m = ½(‖x_m − μ‖² + 2σ²) − ½(‖x_m − m‖² + 2v),
 *
 * so that the gradient of the inputs feels the means of both phases and that of the weights their spreads, too.
 */
const points = [
  [1.2, 0.4],
  [-0.3, 1.9],
  [2.2, -0.6],
  [0.5, 1.1],
];
const weights = [1, 2, 0.5, 1.5];
const [tau, sigma, mu] = [1, 0.3, [-0.7, 0.25]];
const precision = tau + weights.reduce((a, b) => a + b, 0);
const mode = [0, 1].map((d) => points.reduce((total, point, m) => total + (weights[m] ?? 0) * (point[d] ?? 0), 0) / precision);

/** The gradient of inputs and weights for negative draws of this mean and variance. */
const gradientFor = (mean: readonly number[], variance: number): number[] => {
  const half = (point: readonly number[], centre: readonly number[], spread: number) =>
    0.5 * (point.reduce((total, value, d) => total + (value - (centre[d] ?? 0)) ** 2, 0) + 2 * spread);
  return [
    ...points.flatMap((_, m) => mean.map((value, d) => (weights[m] ?? 0) * (value - (mu[d] ?? 0)))),
    ...points.map((point) => half(point, mu, sigma ** 2) - half(point, mean, variance)),
  ];
};
const exact = gradientFor(mode, 1 / precision);
const learnable = { x: true, y: false, weights: true };
const coreset = (): Coreset => ({ x: tensor2d(points), y: zeros([4, 1]), weights: tensor1d(weights) });

type Params = { readonly theta: Tensor };
const model: Model<Params> = {
  init: (k) => ({ theta: normal(k, [2]) }),
  logPrior: ({ theta }) => mul(sum(square(theta)), -tau / 2),
  logLikelihood: ({ theta }, { x }) => mul(-0.5, sum(squaredDifference(x, theta), 1)) as Tensor1D,
};
const input = (): DivergenceInput<Params> => ({
  model,
  coreset: coreset(),
  learnable,
  expert: { theta: tensor1d(mu) },
  start: { theta: tensor1d([3, -4]) },
});

/** Gradients of a divergence for `count` keys, compiled once. */
async function replicates(divergence: Divergence, count: number, seed = 1): Promise<number[][]> {
  const runtime = jsRuntime();
  const given = input();
  const program = runtime.compile((k: Key) => divergence.estimate(k, given).grad as Tree);
  const found: number[][] = [];
  for (let i = 0; i < count; i++) {
    const { x, weights: w } = (await program(foldIn(key(seed), i))) as { readonly x: Tensor; readonly weights: Tensor };
    found.push([...Array.from(await x.data()), ...Array.from(await w.data())]);
    disposeTree([x, w]);
  }
  await runtime.dispose();
  return found;
}

/** Twelve scores, t-distributed with 39 degrees of freedom: all below 5 but for 1 in 5000 seeds. */
const [count, threshold] = [40, 5];
const withPosterior = (posterior: PosteriorDraws) => forwardKl({ draws: 64, sigma, posterior, reduction: 'sum' });
const descent = (spread: number) => descentDraws({ steps: 60, stepSize: 0.05, sigma: spread, reduction: 'sum' });

const [langevinStep, langevinSteps, langevinSigma] = [0.02, 30, 0.2];
/** The law of k Langevin steps from N(μ, σ₀²I), a linear recursion: exactly what its draws stand for. */
function langevinLaw(): readonly [mean: number[], variance: number] {
  const a = 1 - langevinStep * precision;
  let [mean, variance] = [[...mu], langevinSigma ** 2];
  for (let t = 0; t < langevinSteps; t++) {
    mean = mean.map((value, d) => (mode[d] ?? 0) + a * (value - (mode[d] ?? 0)));
    variance = a * a * variance + 2 * langevinStep;
  }
  return [mean, variance];
}

describe('on a conjugate Gaussian, the mean of forward-KL estimates is the exact gradient', () => {
  it.each<[string, PosteriorDraws, readonly number[]]>([
    ['descent with the spread of the posterior', descent(Math.sqrt(1 / precision)), exact],
    [
      'full HMC',
      algorithmDraws({ algorithm: (logDensity) => hmc({ logDensity, stepSize: 0.2, leapfrogSteps: 3 }), steps: 20, thinning: 2 }),
      exact,
    ],
    ['a Laplace approximation', laplaceDraws({ steps: 3 }), exact],
    [
      'the k-step Langevin law',
      langevinDraws({ steps: langevinSteps, stepSize: langevinStep, temperature: 1, sigma: langevinSigma, reduction: 'sum' }),
      gradientFor(...langevinLaw()),
    ],
  ])('with draws by %s', async (_, posterior, expected) => {
    const { worst, largestError } = agreement(await replicates(withPosterior(posterior), count), expected);
    expect(worst).toBeLessThan(threshold);
    // Sharp enough to mean something.
    expect(largestError).toBeLessThan(1e-2);
  });

  it.each<[string, Divergence]>([
    ['draws of twice the spread', withPosterior(descent(2 * Math.sqrt(1 / precision)))],
    ['draws without spread', withPosterior(descent(0))],
    ['draws from the expert', withPosterior(langevinDraws({ steps: 0, sigma: 0.3, reduction: 'sum' }))],
    ['θ⁺ without spread', forwardKl({ draws: 64, sigma: 0, posterior: descent(Math.sqrt(1 / precision)), reduction: 'sum' })],
    ['the mean energy in place of the sum', forwardKl({ draws: 64, sigma, posterior: descent(Math.sqrt(1 / precision)) })],
  ])('and fails the same check with %s', async (_, divergence) => {
    expect(agreement(await replicates(divergence, count), exact).worst).toBeGreaterThan(3 * threshold);
  });

  it('and fails it with the phases swapped', async () => {
    const right = await replicates(withPosterior(descent(Math.sqrt(1 / precision))), count);
    const swapped = right.map((g) => g.map((value) => -value));
    expect(agreement(swapped, exact).worst).toBeGreaterThan(3 * threshold);
  });

  it('and fails it without the stop-gradient: a descent that is differentiated feels the prior', async () => {
    const energy = ({ theta }: Params, c: Coreset) => reduceEnergy(neg(model.logLikelihood({ theta }, c)), c.weights, 'sum');
    const through = (stopped: boolean) =>
      fromSurrogate('through-descent', { real: false, start: true, synthetic: true, order: 1 }, (k, given) => {
        const { expert, start, coreset: c } = given as unknown as DivergenceInput<Params>;
        const inner = stopped ? coreset() : c;
        const descend = (p: Params) => sub(energy(p, inner), model.logPrior(p));
        let theta = start ?? expert;
        for (let t = 0; t < 40; t++) theta = treeMap((p, g) => sub(p, mul(g, 0.05)), theta, grad(descend)(theta));
        const moved = (p: Params, spread: number, n: number) => ({ theta: add(p.theta, mul(normal(foldIn(k, n), [2]), spread)) });
        return sub(energy(moved(expert, sigma, 0), c), energy(moved(theta, Math.sqrt(1 / precision), 1), c)) as Scalar;
      });
    expect(agreement(await replicates(through(true), 20 * count), exact).worst).toBeLessThan(threshold);
    expect(agreement(await replicates(through(false), 20 * count), exact).worst).toBeGreaterThan(2 * threshold);
  });
});

describe('a persistent chain', () => {
  const chains = 500;
  /** Chains side by side; the likelihood sums over them, which leaves every chain's own gradient as it is. */
  const wide: Model<Params> = {
    // Far from everything: who does not leave it has another gradient.
    init: (k) => ({ theta: add(normal(k, [chains, 2]), 5) }),
    logPrior: ({ theta }) => mul(sum(square(theta)), -tau / 2),
    logLikelihood: ({ theta }, { x }) => mul(-0.5, sum(squaredDifference(expandDims(x, 1), expandDims(theta, 0)), [1, 2])) as Tensor1D,
  };
  const steps = 5;
  const a = 1 - langevinStep * precision;
  /** Langevin steps of this size leave N(m, 2λ/(1 − a²)) invariant, which is π_S but for a variance that is 6 % larger. */
  const stationary = gradientFor(mode, (2 * langevinStep) / (1 - a * a));

  async function last(persistent: boolean, persisted: boolean): Promise<number[][]> {
    const divergence = contrastiveDivergence({ steps, stepSize: langevinStep, temperature: 1, reduction: 'sum', sigma, persistent });
    const runtime = jsRuntime();
    const expert = { theta: add(zeros([chains, 2]), tensor1d(mu)) };
    const given = { model: wide, coreset: coreset(), learnable, expert };
    const program = runtime.compile((k: Key, state: readonly Tree[]) => {
      const [first] = state;
      const { state: next, grad: made } = divergence.estimate(k, first === undefined ? given : { ...given, state: first });
      return { grad: made as Tree, ...(next !== undefined && { state: next }) } as unknown as Tree;
    });
    const found: number[][] = [];
    for (let r = 0; r < 20; r++) {
      const first = divergence.init?.(foldIn(key(7), r), wide);
      let state: readonly Tree[] = first === undefined ? [] : [first];
      for (let i = 0; i < 25; i++) {
        const made = (await program(foldIn(foldIn(key(8), r), i), state)) as unknown as {
          grad: { x: Tensor; weights: Tensor };
          state?: Tree;
        };
        if (persisted && made.state !== undefined) state = [made.state];
        if (i === 24) {
          const values = [...Array.from(await made.grad.x.data()), ...Array.from(await made.grad.weights.data())];
          found.push(values.map((value) => value / chains));
        }
      }
    }
    await runtime.dispose();
    return found;
  }

  it('gives the gradient of the forward KL with few steps per estimate, once it has forgotten where it began', async () => {
    const { worst, largestError } = agreement(await last(true, true), stationary);
    expect(worst).toBeLessThan(threshold);
    expect(largestError).toBeLessThan(1e-2);
  });

  it('fails the same check when its state is thrown away, and when chains start at the expert instead', async () => {
    expect(agreement(await last(true, false), stationary).worst).toBeGreaterThan(3 * threshold);
    expect(agreement(await last(false, false), stationary).worst).toBeGreaterThan(3 * threshold);
  });

  it('begins at a fresh initialisation of the model, whatever the experts', () => {
    const { init } = contrastiveDivergence({ persistent: true });
    const state = init?.(key(3), model) as Params;
    expect(Array.from(state.theta.dataSync())).toEqual(Array.from(model.init(key(3)).theta.dataSync()));
  });
});
