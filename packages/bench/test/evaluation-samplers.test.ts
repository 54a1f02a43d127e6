import { jsRuntime } from '@bpc/compiler';
import {
  crossEntropy,
  foldIn,
  grad,
  hostUniform,
  InterruptedError,
  type Key,
  key,
  langevinStep,
  type Network,
  normal,
  normalLike,
  reduceEnergy,
  type Tree,
  treeLeaves,
  treeMap,
} from '@bpc/core';
import '@tensorflow/tfjs-backend-cpu';
import {
  add,
  env,
  matMul,
  memory,
  mul,
  reshape,
  type Scalar,
  scalar,
  sub,
  type Tensor,
  type Tensor2D,
  tensor,
  tensor1d,
  zeros,
} from '@tensorflow/tfjs-core';
import { afterAll, describe, expect, it } from 'vitest';
import { checkEvaluation, type EvaluationConfig, evaluationBase, evaluationFor } from '../src/config/index.js';
import { makeSplit } from '../src/data/dataset.js';
import { chainPrograms } from '../src/evaluation/chain-programs.js';
import type { HostCoreset } from '../src/evaluation/host-coreset.js';
import { samplerStepSize } from '../src/evaluation/posterior-sampler.js';
import { predictFromCoreset } from '../src/evaluation/predict-from-coreset.js';
import { splitBatches } from '../src/evaluation/split-batches.js';
import { logSumExp } from '../src/metrics/predictions.js';

env().set('PROD', true);

/** Two logits that are linear in one pixel: a posterior of two parameters, whose predictive a grid integrates. */
const network: Network<Tree> = {
  init: (own) => ({ w: normal(own, [1, 2]) }),
  apply: (params, x) => matMul(reshape(x, [-1, 1]) as Tensor2D, treeLeaves(params)[0] as Tensor2D),
  parameterCount: 2,
  inputShape: [1, 1, 1],
  outputs: 2,
};
const pixels = [1.5, -0.5, 2, 0.25];
const classes = [0, 1, 1, 0];
const weights = [2, 1, 0.5, 1];
const coreset: HostCoreset = {
  x: Float32Array.from(pixels),
  inputShape: [1, 1, 1],
  y: Float32Array.from(classes.flatMap((c) => (c === 0 ? [1, 0] : [0, 1]))),
  classes: 2,
  weights: Float32Array.from(weights),
};
// Bytes 0, 1, 2, 3 become −1, 0.5, 2, 3.5.
const normalisation = { scale: 1, mean: [2 / 3], std: [2 / 3] };
const inputs = [-1, 0.5, 2, 3.5];
const split = makeSplit(
  'test',
  { images: Uint8Array.of(0, 1, 2, 3), labels: Uint8Array.of(0, 1, 0, 1) },
  { shape: [1, 1, 1], classes: 2, indices: [0, 1, 2, 3] },
);

const precision = 0.4;
const temperature = 0.6;

/** U of `Σ w ℓ`, or a quarter of it, with two parameters. */
function energy([a, b]: readonly [number, number], scale: number): number {
  const loss = pixels.reduce((sum, x, m) => {
    const z = [a * x, b * x];
    const own = z[classes[m] ?? 0] ?? 0;
    return sum + (weights[m] ?? 0) * (Math.log(Math.exp(z[0] ?? 0) + Math.exp(z[1] ?? 0)) - own);
  }, 0);
  return scale * loss + (precision / 2) * (a * a + b * b);
}

const probability = ([a, b]: readonly [number, number], x: number): number => 1 / (1 + Math.exp((b - a) * x));

/** Of one draw: its entropy, averaged over the inputs, nats. */
function entropy(draw: readonly [number, number]): number {
  const term = (p: number) => (p > 0 ? -p * Math.log(p) : 0);
  const each = inputs.map((x) => probability(draw, x)).map((p) => term(p) + term(1 - p));
  return each.reduce((sum, h) => sum + h, 0) / inputs.length;
}

/** What is compared: p(class 0 | x) of every input, and the expected entropy, which feels the spread of the draws. */
interface Predictive {
  readonly probabilities: readonly number[];
  readonly expectedEntropy: number;
}

/** A weighted average over draws. */
function averageOf(draws: Iterable<readonly [draw: readonly [number, number], weight: number]>): Predictive {
  const sums = inputs.map(() => 0);
  let [total, entropies] = [0, 0];
  for (const [draw, weight] of draws) {
    total += weight;
    entropies += weight * entropy(draw);
    inputs.forEach((x, i) => {
      sums[i] = (sums[i] ?? 0) + weight * probability(draw, x);
    });
  }
  return { probabilities: sums.map((sum) => sum / total), expectedEntropy: entropies / total };
}

/** Under exp(−U/T), by the midpoint rule on a grid, which converges geometrically for such densities. */
function quadrature(scale: number, heat = temperature): Predictive {
  const grid = Array.from({ length: 180 }, (_, i) => -9 + 0.1 * (i + 0.5));
  return averageOf(grid.flatMap((a) => grid.map((b) => [[a, b], Math.exp(-energy([a, b], scale) / heat)] as const)));
}

const runtime = jsRuntime();
const made = { mean: chainPrograms({ network, runtime, reduction: 'mean' }), sum: chainPrograms({ network, runtime, reduction: 'sum' }) };
afterAll(async () => {
  await made.mean.dispose();
  await made.sum.dispose();
});

const common: EvaluationConfig = {
  ...evaluationBase,
  chains: 4,
  steps: 5,
  stepSize: 0.05,
  momentum: 0.5,
  decay: 'constant',
  temperature,
  priorPrecision: precision,
  augment: 'none',
  draws: 1000,
};

async function predict(settings: EvaluationConfig, seed = 1, programs = made[settings.reduction]) {
  const batches = splitBatches({ split, normalisation, batch: 3 });
  return predictFromCoreset({
    network,
    programs,
    coreset,
    settings,
    key: key(seed),
    batches,
    labels: split.labels,
    shape: [1, 1, 1],
  });
}

/** Largest difference of any figure. */
const distance = (found: Predictive, expected: Predictive): number =>
  Math.max(
    Math.abs(found.expectedEntropy - expected.expectedEntropy),
    ...found.probabilities.map((p, i) => Math.abs(p - (expected.probabilities[i] ?? Number.NaN))),
  );

// Draws of these figures have a standard deviation of about 0.2 at most, and each sampler at least 1000 effective ones: a
// standard error of 0.006. Of SGLD and SGHMC the bias of the step size comes on top.
const tolerance = 0.02;

const samplers: readonly (readonly [name: EvaluationConfig['sampler'], settings: Partial<EvaluationConfig>])[] = [
  ['hmc', { burnIn: 60, thinning: 2, leapfrogSteps: 5 }],
  ['sghmc', { burnIn: 60, thinning: 20, samplerStepSize: 0.15, momentumDecay: 0.1 }],
  ['sgld', { burnIn: 60, thinning: 20, samplerStepSize: 0.06 }],
];

describe.each(['sum', 'mean'] as const)('the predictive of a posterior of two parameters, energy: %s', (reduction) => {
  const scale = reduction === 'sum' ? 1 : 1 / pixels.length;
  const exact = quadrature(scale);

  it.each(samplers)('%s agrees with quadrature', async (sampler, settings) => {
    const { logProbabilities, expectedEntropy, acceptance, inference } = await predict({ ...common, ...settings, sampler, reduction });
    const probabilities = inputs.map((_, i) => Math.exp(logProbabilities[2 * i] ?? Number.NaN));
    expect(distance({ probabilities, expectedEntropy }, exact)).toBeLessThan(tolerance);
    expect(inference).toBe('posterior');
    if (sampler !== 'hmc') return expect(acceptance).toBeUndefined();
    expect(acceptance).toBeGreaterThan(0.6);
    expect(acceptance).toBeLessThan(0.99);
  });

  it('differs by far more than that from the predictive at another temperature', () => {
    expect(distance(quadrature(scale, 3 * temperature), exact)).toBeGreaterThan(2 * tolerance);
    expect(distance(quadrature(scale, temperature / 3), exact)).toBeGreaterThan(2 * tolerance);
  });

  it.each([
    ['the right', 1, (d: number) => expect(d).toBeLessThan(tolerance)],
    ['the wrong', -1, (d: number) => expect(d).toBeGreaterThan(2 * tolerance)],
  ] as const)(
    'is told from draws of an accept step with %s sign of the kinetic energy, as Kim et al. 2022 released it',
    (_, sign, check) => {
      check(distance(averageOf(hostHmc(scale, sign)), exact));
    },
  );
});

/** Plain Hamiltonian Monte Carlo on the host; `sign` −1 takes the kinetic difference the wrong way round. */
function* hostHmc(scale: number, sign: 1 | -1): Generator<readonly [readonly [number, number], number]> {
  const random = Float64Array.from(hostUniform(key(99), 3 * 12_000));
  const slope = ([a, b]: readonly [number, number]): [number, number] => {
    const h = 1e-4;
    return [
      (energy([a + h, b], scale) - energy([a - h, b], scale)) / (2 * h),
      (energy([a, b + h], scale) - energy([a, b - h], scale)) / (2 * h),
    ];
  };
  const epsilon = 0.8;
  let at: [number, number] = [0, 0];
  for (let t = 0; t < 12_000; t++) {
    const [u = 0, v = 0, accept = 0] = random.subarray(3 * t, 3 * t + 3);
    const radius = Math.sqrt(-2 * temperature * Math.log(1 - u));
    const start: [number, number] = [radius * Math.cos(2 * Math.PI * v), radius * Math.sin(2 * Math.PI * v)];
    let momentum = start;
    let point = at;
    let g = slope(point);
    for (let step = 0; step < 5; step++) {
      momentum = [momentum[0] - (epsilon / 2) * g[0], momentum[1] - (epsilon / 2) * g[1]];
      point = [point[0] + epsilon * momentum[0], point[1] + epsilon * momentum[1]];
      g = slope(point);
      momentum = [momentum[0] - (epsilon / 2) * g[0], momentum[1] - (epsilon / 2) * g[1]];
    }
    const kinetic = (p: readonly [number, number]) => (p[0] ** 2 + p[1] ** 2) / 2;
    const logRatio = energy(at, scale) - energy(point, scale) + sign * (kinetic(start) - kinetic(momentum));
    if (Math.log(accept) < logRatio / temperature) at = point;
    yield [at, 1];
  }
}

describe('sgld', () => {
  it('draws bit for bit what core’s Langevin step gives with the same keys, after descent with momentum', async () => {
    const settings = { ...common, chains: 2, steps: 7, draws: 3, thinning: 4, reduction: 'sum' } as const;
    const { logProbabilities } = await predict({ ...settings, decay: 'cosine' });
    // Everything by hand, from the definitions; only the compiled runtime is shared.
    type State = { readonly params: Tree; readonly velocity: Tree };
    const data = { x: tensor(pixels, [4, 1, 1, 1]), y: tensor(coreset.y, [4, 2]), weights: tensor1d(weights) };
    const energyGradient = (params: Tree) =>
      treeMap(
        (g, p) => add(g, mul(scalar(precision), p as Tensor)),
        grad((p: Tree) => reduceEnergy(crossEntropy(network.apply(p, data.x), data.y), data.weights, 'sum'))(params),
        params,
      );
    const descend = runtime.compile(({ params, velocity }: State, rate: Scalar): State => {
      const next = treeMap((v, g) => add(mul(v, scalar(0.5)), g as Tensor), velocity, energyGradient(params));
      return { params: treeMap((p, v) => sub(p, mul(rate, v as Tensor)), params, next), velocity: next };
    });
    const move = runtime.compile(
      (own: Key, params: Tree, stepSize: Scalar, heat: Scalar): Tree =>
        langevinStep(params, energyGradient(params), normalLike(own, params), { stepSize, temperature: heat }),
    );
    const total = new Float64Array(8);
    for (let c = 0; c < 2; c++) {
      const own = foldIn(key(1), c);
      const start = network.init(foldIn(own, 0));
      let state: State = { params: start, velocity: treeMap((leaf) => zeros(leaf.shape), start) };
      for (let i = 0; i < 7; i++) state = await descend(state, scalar((0.05 / 2) * (1 + Math.cos((Math.PI * i) / 7))));
      let { params } = state;
      for (let t = 7; t < 7 + 12; t++) {
        params = await move(foldIn(foldIn(own, 1), t), params, scalar(0.05), scalar(temperature));
        if ((t - 7) % 4 !== 3) continue;
        const logits = await (await made.sum.logits(params, tensor(inputs, [4, 1, 1, 1]))).data();
        for (let i = 0; i < 8; i += 2) {
          const normaliser = logSumExp(Float32Array.from(logits), i, 2);
          for (const k of [i, i + 1]) total[k] = (total[k] ?? 0) + Math.exp((logits[k] ?? 0) - normaliser);
        }
      }
    }
    expect(logProbabilities).toEqual(total.map((value) => Math.log(value / 6)));
    await descend.dispose();
    await move.dispose();
  });
});

describe('every sampler', () => {
  it.each(samplers)('%s repeats itself for a seed, differs for another, and leaks no tensor', async (sampler, settings) => {
    const short = { ...common, ...settings, sampler, draws: 3, burnIn: 4, thinning: 6, chains: 2 };
    const first = await predict(short);
    const { numTensors } = memory();
    expect((await predict(short)).logProbabilities).toEqual(first.logProbabilities);
    expect((await predict(short, 2)).logProbabilities).not.toEqual(first.logProbabilities);
    expect(memory().numTensors).toBe(numTensors);
  });

  it.each(samplers)('%s stops at an abort', async (sampler, settings) => {
    const stop = new AbortController();
    const { numTensors } = memory();
    const stopped = predictFromCoreset({
      network,
      programs: made.sum,
      coreset,
      settings: { ...common, ...settings, sampler, reduction: 'sum' },
      key: key(0),
      batches: splitBatches({ split, normalisation, batch: 3 }),
      labels: split.labels,
      shape: [1, 1, 1],
      signal: stop.signal,
      onProgress: (done) => done > 100 && stop.abort(),
    });
    await expect(stopped).rejects.toBeInstanceOf(InterruptedError);
    expect(memory().numTensors).toBe(numTensors);
  });
});

describe('points in chunks', () => {
  it.each(samplers)('change the draws of %s by rounding only', async (sampler, settings) => {
    const short = { ...common, ...settings, sampler, reduction: 'sum', draws: 2, burnIn: 4, thinning: 3, chains: 1 } as const;
    const chunked = chainPrograms({ network, runtime, reduction: 'sum', pointsAtOnce: 3 });
    const [whole, parts] = [await predict(short), await predict(short, 1, chunked)];
    parts.logProbabilities.forEach((value, i) => expect(value).toBeCloseTo(whole.logProbabilities[i] ?? Number.NaN, 4));
    await chunked.dispose();
  });
});

describe('samplerStepSize', () => {
  const sizes = { stepSize: 0.08 } as const;
  it('is λ of the training for sgld, and the ε of a step as long for the others, unless it is set', () => {
    expect(samplerStepSize({ ...common, ...sizes, sampler: 'sgld' })).toBe(0.08);
    expect(samplerStepSize({ ...common, ...sizes, sampler: 'sghmc' }) ** 2).toBeCloseTo(0.08, 12);
    expect(samplerStepSize({ ...common, ...sizes, sampler: 'hmc' }) ** 2 / 2).toBeCloseTo(0.08, 12);
    expect(samplerStepSize({ ...common, ...sizes, sampler: 'hmc', samplerStepSize: 0.3 })).toBe(0.3);
  });
});

describe('the settings of another sampler or protocol', () => {
  const tuned = { ...evaluationBase, temperature: 0, draws: 1 };
  it('leave those of sgld as they are', () => {
    expect(evaluationFor(tuned, {}, 'none')).toEqual(tuned);
    expect(evaluationFor(tuned, { protocol: 'posterior', sampler: 'sgld' }, 'none')).toEqual(tuned);
  });

  it.each([{}, { protocol: 'point-estimate' }, { sampler: 'hmc' }, { sampler: 'sghmc' }])('are valid together: %o', (wanted) => {
    expect(() => checkEvaluation(evaluationFor(tuned, wanted, 'none'))).not.toThrow();
  });

  it('are those of the released code for point estimates', () => {
    expect(evaluationFor(tuned, { protocol: 'point-estimate' }, 'color_crop')).toMatchObject({
      ...{ chains: 5, steps: 1001, momentum: 0.9, priorPrecision: 5e-4, batch: 256, decay: 'halfway', stepSize: 0.01 },
      ...{ augment: 'color_crop', reduction: 'mean', temperature: 0, draws: 1 },
    });
  });
});
