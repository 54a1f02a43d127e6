import { topologicalOrder, trace } from '@bpc/compiler';
import type { ContrastiveDivergenceOptions, DivergenceInput, Key, Tree } from '@bpc/core';
import {
  ConfigError,
  contrastiveDivergence,
  contrastiveEstimate,
  crossEntropyEnergy,
  disposeTree,
  foldIn,
  fromSurrogate,
  gaussianPrior,
  grad,
  key,
  normal,
  normalLike,
  perturbExpert,
  reduceEnergy,
  scope,
  split,
  supervised,
  treeLeaves,
  treeMap,
} from '@bpc/core';
import { divergenceConformance, relativeDeviation } from '@bpc/core/testing';
import { mlp } from '@bpc/models';
import type { Scalar, Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import { add, memory, mul, profile, setBackend, sub, sum, tensor1d, tensor2d, zeros } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { testBackend } from './support/backend.js';
import { stepNoise } from './support/chain-noise.js';

beforeAll(async () => {
  await setBackend(testBackend);
});

const network = mlp({ inputShape: [6], outputs: 3, hidden: [5], activation: 'tanh' });
const model = supervised({ network, energy: crossEntropyEnergy() });
const makeInput = () => ({
  model,
  coreset: {
    x: normal(key(1), [4, 6]),
    y: tensor2d([
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
      [0.2, 0.3, 0.5],
    ]),
    weights: tensor1d([1, 2, 0.5, 1]),
  },
  learnable: { x: true, y: true, weights: true },
  expert: network.init(key(0)),
});
type Params = ReturnType<typeof network.init>;
type Input = DivergenceInput<Params>;
const options: ContrastiveDivergenceOptions = { steps: 4, stepSize: 0.05, temperature: 1e-3, sigma: 0.01 };

for (const divergence of [
  contrastiveDivergence(options),
  contrastiveDivergence({ ...options, temperature: 0, sigma: 0, reduction: 'sum' }),
  fromSurrogate(
    'expert-energy',
    { real: false, synthetic: true, order: 1 },
    (_, { model: m, coreset, expert }) => mul(-1, sum(mul(coreset.weights, m.logLikelihood(expert, coreset)))) as Scalar,
  ),
]) {
  describe(`conformance of ${divergence.name}`, () => divergenceConformance({ divergence, input: makeInput, it }));
}

describe('contrastiveDivergence', () => {
  it('draws its noise as documented: the keyed estimate equals the explicit one', () => {
    const input = makeInput();
    const [expertKey, chainKey] = split(key(7), 2);
    const keyed = contrastiveDivergence(options).estimate(key(7), input);
    const explicit = contrastiveEstimate(
      input,
      { expert: normalLike(expertKey, input.expert), chain: stepNoise((t) => normalLike(foldIn(chainKey, t), input.expert), 4) },
      options,
    );
    expect(Array.from(keyed.grad.x?.dataSync() ?? [])).toEqual(Array.from(explicit.grad.x?.dataSync() ?? [0]));
  });

  it('compiles to one loop: the traced program is as large for 100 steps as for 2', () => {
    const input = makeInput();
    const operations = (steps: number) => {
      const estimate = (k: Key, expert: Params) =>
        contrastiveDivergence({ ...options, steps }).estimate(k, { ...input, expert }).grad as Tree;
      return topologicalOrder(trace(estimate, [key(0), input.expert]).graph.outputs).map(({ op }) => op);
    };
    expect(operations(100)).toEqual(operations(2));
    expect(operations(100).filter((op) => op === 'Scan')).toHaveLength(1);
  });

  it('differs between keys', () => {
    const [a, b] = [1, 2].map((seed) => contrastiveDivergence(options).estimate(key(seed), makeInput()).grad.x);
    expect(relativeDeviation(a as Tensor, b as Tensor)).toBeGreaterThan(1e-3);
  });

  it('has value E(S, θ⁺) − E(S, θ⁻), which plain gradient descent makes positive', () => {
    const { value, energyPlus, energyMinus, chainEnergies } = contrastiveEstimate(
      makeInput(),
      { expert: undefined, chain: undefined },
      { ...options, temperature: 0 },
    );
    const read = (x: Tensor | undefined) => x?.dataSync()[0] ?? Number.NaN;
    expect(read(value)).toBeCloseTo(read(energyPlus) - read(energyMinus), 6);
    expect(read(value)).toBeGreaterThan(0);
    expect(read(chainEnergies)).toBeCloseTo(read(energyPlus), 6);
    expect(chainEnergies.shape).toEqual([4]);
  });

  it('lets the prior act on the chain: a strong one pulls θ⁻ to zero', () => {
    const end = (precision: number | undefined) => {
      const input: Input = {
        ...makeInput(),
        ...(precision !== undefined && {
          model: supervised({ network, energy: crossEntropyEnergy(), prior: gaussianPrior({ precision }) }),
        }),
      };
      const { negative } = contrastiveEstimate(
        input,
        { expert: undefined, chain: undefined },
        { ...options, temperature: 0, reduction: 'sum', steps: 20 },
      );
      return treeLeaves(negative).reduce((total, leaf) => total + (sum(mul(leaf, leaf)).dataSync()[0] ?? 0), 0);
    };
    expect(end(5)).toBeLessThan(0.2 * end(undefined));
  });

  it.each([
    ['sum', 1],
    ['mean', 4],
  ] as const)('weighs the prior like the likelihood under %s: one posterior, its potential divided by %i points', (reduction, divisor) => {
    // Without a likelihood, a step shrinks every weight by 1 − λ·precision/divisor.
    const silent = { ...model, logPrior: gaussianPrior({ precision: 3 }), logLikelihood: () => zeros([4]) as Tensor1D };
    const input = { ...makeInput(), model: silent, learnable: { x: false, y: false, weights: true } };
    const noise = { expert: undefined, chain: undefined };
    const { negative } = contrastiveEstimate(input, noise, { steps: 2, stepSize: 0.1, temperature: 0, sigma: 0, reduction });
    const shrunk = treeMap((theta) => mul(theta, (1 - 0.3 / divisor) ** 2), input.expert);
    treeLeaves(negative).forEach((leaf, i) =>
      expect(relativeDeviation(leaf.dataSync(), (treeLeaves(shrunk)[i] as Tensor).dataSync())).toBeLessThan(1e-5),
    );
  });
});

describe('augmentation', () => {
  const seen: { draw: number; first: number }[] = [];
  const augment = (x: Tensor, draw: Scalar) => {
    seen.push({ draw: draw.dataSync()[0] ?? Number.NaN, first: x.dataSync()[0] ?? Number.NaN });
    return add(x, add(draw, 1));
  };

  it('sees the coreset itself at every inner step, and one draw in both loss terms', () => {
    seen.length = 0;
    const input = { ...makeInput(), augment };
    contrastiveEstimate(input, { expert: undefined, chain: undefined }, { ...options, temperature: 0, steps: 3 });
    expect(seen.map(({ draw }) => draw)).toEqual([1, 2, 3, 0, 0]);
    expect(new Set(seen.map(({ first }) => first))).toEqual(new Set([input.coreset.x.dataSync()[0]]));
  });

  it('is differentiated: a gain of 3 in the augmentation triples the gradient of the images it produces', () => {
    const base = makeInput();
    const tripled = contrastiveEstimate(
      { ...base, augment: (x) => mul(x, 3) },
      { expert: undefined, chain: undefined },
      { ...options, temperature: 0 },
    );
    const outside = contrastiveEstimate(
      { ...base, coreset: { ...base.coreset, x: mul(base.coreset.x, 3) } },
      { expert: undefined, chain: undefined },
      { ...options, temperature: 0 },
    );
    expect(relativeDeviation(tripled.grad.x as Tensor, mul(outside.grad.x as Tensor, 3))).toBeLessThan(1e-5);
  });
});

describe('the stop-gradient on θ⁻', () => {
  const wide = supervised({ network: mlp({ inputShape: [6], outputs: 3, hidden: [64, 64] }), energy: crossEntropyEnergy() });
  const input = (): DivergenceInput<never> => ({ ...makeInput(), model: wide as never, expert: wide.init(key(0)) as never });
  const peak = async (f: () => Tree) => {
    const before = memory().numBytes;
    const { peakBytes } = await profile(() => disposeTree(f()) as never);
    return peakBytes - before;
  };
  const stopped = (steps: number) => () =>
    contrastiveEstimate(input(), { expert: undefined, chain: undefined }, { ...options, temperature: 0, steps }) as unknown as Tree;
  /** The known mistake: the chain is part of the function that is differentiated. */
  const unrolled = (steps: number) => () =>
    scope(() => {
      const { model: m, coreset, expert } = input();
      return grad((x: Tensor) => {
        const energy = (params: Params) =>
          reduceEnergy(mul(-1, m.logLikelihood(params as never, { x, y: coreset.y })), coreset.weights, 'mean');
        let theta = expert as Params;
        for (let i = 0; i < steps; i++) theta = treeMap((p, g) => sub(p, mul(g, 0.05)), theta, grad(energy)(theta));
        return sub(energy(expert as Params), energy(theta));
      })(coreset.x);
    });

  it('keeps memory flat in the number of steps, which an unrolled chain does not', async () => {
    await peak(stopped(1));
    const [few, many] = [await peak(stopped(2)), await peak(stopped(20))];
    // One scalar per step is kept, the energy before it, with its bookkeeping.
    expect(many - few).toBeLessThan(18 * 64);
    const [fewUnrolled, manyUnrolled] = [await peak(unrolled(2)), await peak(unrolled(20))];
    expect(manyUnrolled - fewUnrolled).toBeGreaterThan(18 * 64 * 100);
  });

  it('gives another gradient than the unrolled chain', () => {
    const [a, b] = [
      contrastiveEstimate(input(), { expert: undefined, chain: undefined }, { ...options, temperature: 0, sigma: 0, steps: 20 }).grad.x,
      unrolled(20)(),
    ];
    expect(relativeDeviation(a as Tensor, b as Tensor)).toBeGreaterThan(1e-2);
  });

  it('holds inside an outer gradient, too', () => {
    const base = makeInput();
    const outer = grad((x: Tensor) => {
      const { value } = contrastiveEstimate(
        { ...base, coreset: { ...base.coreset, x } },
        { expert: undefined, chain: undefined },
        { ...options, temperature: 0 },
      );
      return value;
    })(base.coreset.x);
    const own = contrastiveEstimate(base, { expert: undefined, chain: undefined }, { ...options, temperature: 0 }).grad.x;
    expect(relativeDeviation(outer, own as Tensor)).toBeLessThan(1e-5);
  });
});

describe('bad input', () => {
  it.each([
    ['steps', { steps: 0 }],
    ['steps', { steps: 1.5 }],
    ['stepSize', { stepSize: 0 }],
    ['stepSize', { stepSize: Number.NaN }],
    ['stepSize', { stepSize: -0.1 }],
    ['temperature', { temperature: -1 }],
    ['temperature', { temperature: Number.POSITIVE_INFINITY }],
    ['sigma', { sigma: -1 }],
    ['reduction', { reduction: 'max' as never }],
  ])('refuses a bad %s by name, before any work', (name, bad) => {
    expect(() => contrastiveDivergence(bad)).toThrow(ConfigError);
    expect(() => contrastiveDivergence(bad)).toThrow(new RegExp(`^${name} is`));
  });

  it('refuses a coreset of which nothing is learned', () => {
    const input = { ...makeInput(), learnable: { x: false, y: false, weights: false } };
    expect(() => contrastiveDivergence(options).estimate(key(0), input)).toThrow(ConfigError);
  });

  it('moves the expert by σ times its noise', () => {
    const moved = perturbExpert(tensor1d([1, 2]) as Tensor, tensor1d([1, -2]) as Tensor1D, 0.5);
    expect(Array.from(moved.dataSync())).toEqual([1.5, 1]);
  });
});
