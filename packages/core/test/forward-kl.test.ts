import './support/backend.js';
import { topologicalOrder, trace } from '@bpc/compiler';
import type { Coreset, Divergence, DivergenceInput, ExpertSource, ForwardKlOptions, Key, PosteriorDraws, Runtime, Tree } from '@bpc/core';
import {
  algorithmDraws,
  ConfigError,
  contrastiveDivergence,
  crossEntropyEnergy,
  descentDraws,
  disposeTree,
  foldIn,
  forwardKl,
  forwardKlEstimate,
  gaussianPrior,
  key,
  langevinDraws,
  learn,
  memoryStore,
  normal,
  sampled,
  sgd,
  supervised,
  treeLeaves,
  treeMap,
} from '@bpc/core';
import { divergenceConformance, relativeDeviation } from '@bpc/core/testing';
import { mlp } from '@bpc/models';
import { hmc } from '@bpc/samplers';
import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import { add, concat, memory, mul, profile, slice, stack, tensor1d, tensor2d } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runtimes } from './support/runtimes.js';

const network = mlp({ inputShape: [6], outputs: 3, hidden: [5], activation: 'tanh' });
const model = supervised({ network, energy: crossEntropyEnergy(), prior: gaussianPrior({ precision: 0.5 }) });
type Params = ReturnType<typeof network.init>;
type Input = DivergenceInput<Params>;
// Two points of one class and soft labels, weights that differ.
const makeInput = (): Input => ({
  model,
  coreset: {
    x: normal(key(1), [4, 6]),
    y: tensor2d([
      [1, 0, 0],
      [1, 0, 0],
      [0, 0, 1],
      [0.2, 0.3, 0.5],
    ]),
    weights: tensor1d([1, 2, 0.5, 1]),
  },
  learnable: { x: true, y: true, weights: true },
  expert: network.init(key(0)),
  start: network.init(key(5)),
});
const posteriors: readonly (readonly [string, PosteriorDraws])[] = [
  ['descent', descentDraws({ steps: 3, stepSize: 0.1, sigma: 0.05 })],
  ['Langevin steps', langevinDraws({ steps: 3, stepSize: 0.05, temperature: 1e-2, sigma: 0.05 })],
  ['Langevin steps from the start', langevinDraws({ steps: 2, from: 'start', reduction: 'sum', temperature: 1 })],
  ['HMC', algorithmDraws({ algorithm: (logDensity) => hmc({ logDensity, stepSize: 0.1, leapfrogSteps: 3 }), steps: 2, thinning: 2 })],
];

for (const [what, posterior] of posteriors) {
  const divergence = forwardKl({ draws: 3, sigma: 0.05, posterior });
  describe(`conformance with draws by ${what}`, () => divergenceConformance({ divergence, input: makeInput, it }));
}
describe('conformance of a persistent chain', () => {
  divergenceConformance({ divergence: contrastiveDivergence({ steps: 2, temperature: 1e-3, persistent: true }), input: makeInput, it });
});

const withX = (given: Input, x: Tensor): Input => ({ ...given, coreset: { ...given.coreset, x } });

describe.each(runtimes)('on %s', (_, makeRuntime) => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await makeRuntime();
  });
  afterAll(() => runtime.dispose());

  const compared = async (divergence: Divergence, given: Input) => {
    const estimate = (k: Key, x: Tensor) => divergence.estimate(k, withX(given, x)) as unknown as Tree;
    const program = runtime.compile(estimate);
    const [found, expected] = [await program(key(4), given.coreset.x), estimate(key(4), given.coreset.x)];
    treeLeaves(expected).forEach((leaf, i) => expect(relativeDeviation(treeLeaves(found)[i] as Tensor, leaf)).toBeLessThan(5e-5));
    disposeTree([found, expected]);
    await program.dispose();
  };

  it.each(posteriors)('a forward KL with draws by %s gives what eager code gives', (_, posterior) =>
    compared(forwardKl({ draws: 3, sigma: 0.05, posterior, pointsAtOnce: 3 }), makeInput()),
  );

  it('a persistent chain gives what eager code gives, its state included', async () => {
    const divergence = contrastiveDivergence({ steps: 3, stepSize: 0.05, temperature: 1e-2, persistent: true });
    await compared(divergence, { ...makeInput(), state: divergence.init?.(key(6), model) as Tree });
  });

  it.each<[string, Divergence]>([
    ['forward KL', forwardKl({ draws: 2, sigma: 0.05, posterior: descentDraws({ steps: 2 }) })],
    ['a persistent chain', contrastiveDivergence({ steps: 2, temperature: 1e-3, persistent: true })],
  ])('%s learns, and resumes to the same bits', async (_, divergence) => {
    const experts: ExpertSource<Params> = { count: 3, epochs: 3, load: async (e, t) => network.init(foldIn(key(e), t)) };
    const { coreset } = makeInput();
    const objective = sampled(divergence, { model, experts, expertEpochs: 1 });
    const options = { objective, coreset, optimizer: sgd({ learningRate: 0.2 }), runtime, steps: 8, key: key(5) };
    const whole = Array.from(await (await learn(options).collect()).x.data());
    const checkpoint = { store: memoryStore(), every: 3 };
    for await (const { step } of learn({ ...options, checkpoint })) if (step === 5) break;
    expect(Array.from(await (await learn({ ...options, checkpoint }).collect()).x.data())).toEqual(whole);
    expect(whole).not.toEqual(Array.from(coreset.x.dataSync()));
  });
});

describe('forwardKl', () => {
  const options: ForwardKlOptions = { draws: 3, sigma: 0.05, posterior: descentDraws({ steps: 3, sigma: 0.02 }) };

  it('requires a start if its draws begin there, and no other', () => {
    expect(posteriors.map(([, posterior]) => forwardKl({ posterior }).requires.start)).toEqual([true, false, true, false]);
    expect(forwardKl().requires).toEqual({ real: false, start: true, synthetic: true, order: 1 });
  });

  it('averages its pairs: the estimate is that with all draws given', () => {
    const input = makeInput();
    const row = (tree: Params, k: number) =>
      treeMap((leaf) => slice(leaf, [k, ...leaf.shape.slice(1).map(() => 0)], [1, ...leaf.shape.slice(1)]), tree);
    const noise = treeMap((leaf) => normal(key(7), [4, ...leaf.shape]), input.expert);
    const negative = treeMap((leaf) => normal(key(8), [4, ...leaf.shape]), input.expert);
    const together = forwardKlEstimate(input, { expert: noise, negative }, { sigma: 0.3 });
    const each = [0, 1, 2, 3].map((k) => forwardKlEstimate(input, { expert: row(noise, k), negative: row(negative, k) }, { sigma: 0.3 }));
    const mean = mul(
      each.map(({ grad }) => grad.x as Tensor).reduce((a, b) => add(a, b)),
      1 / 4,
    );
    expect(relativeDeviation(together.grad.x as Tensor, mean)).toBeLessThan(1e-5);
    expect(relativeDeviation(together.energiesPlus, concat(each.map(({ energiesPlus }) => energiesPlus)))).toBeLessThan(1e-5);
    // Two draws at different parameters are not one.
    expect(relativeDeviation(each[0]?.grad.x as Tensor, mean)).toBeGreaterThan(1e-2);
  });

  it('with one pair and Langevin draws from θ⁺ itself is contrastive divergence', () => {
    const input = makeInput();
    const chain = { steps: 4, stepSize: 0.1, temperature: 0, sigma: 0 } as const;
    const augment = (x: Tensor, draw: Scalar) => mul(x, add(mul(draw, 0.2), 1));
    for (const given of [input, { ...input, augment }]) {
      const one = forwardKl({ draws: 1, sigma: 0, posterior: langevinDraws(chain) }).estimate(key(0), given);
      const other = contrastiveDivergence(chain).estimate(key(0), given);
      expect(relativeDeviation(one.grad.x as Tensor, other.grad.x as Tensor)).toBeLessThan(1e-6);
    }
  });

  it('shows pair k augmentation k in both of its terms, and inner step t augmentation K + t of the coreset itself', () => {
    const seen: { readonly draw: number; readonly first: number }[] = [];
    const augment = (x: Tensor, draw: Scalar) => {
      seen.push({ draw: draw.dataSync()[0] ?? Number.NaN, first: x.dataSync()[0] ?? Number.NaN });
      return add(x, draw);
    };
    const input = { ...makeInput(), augment };
    forwardKl(options).estimate(key(0), input);
    expect(seen.map(({ draw }) => draw)).toEqual([3, 4, 5, 0, 0, 1, 1, 2, 2]);
    expect(new Set(seen.map(({ first }) => first))).toEqual(new Set([input.coreset.x.dataSync()[0]]));
    seen.length = 0;
    const algorithm = algorithmDraws({ algorithm: (logDensity) => hmc({ logDensity, stepSize: 0.01, leapfrogSteps: 2 }), steps: 2 });
    forwardKl({ ...options, posterior: algorithm }).estimate(key(0), input);
    // One law for the whole chain: that of the first inner step's augmentation.
    const inner = seen.map(({ draw }) => draw).filter((draw) => draw > 2);
    expect(new Set(inner)).toEqual(new Set([3]));
    expect(inner.length).toBeGreaterThan(5);
  });

  it('is one loop over pairs in a program, as large for 40 as for 2', () => {
    const input = makeInput();
    const operations = (draws: number, posterior: PosteriorDraws) => {
      const estimate = (k: Key, expert: Params) =>
        forwardKl({ draws, sigma: 0.05, posterior }).estimate(k, { ...input, expert }).grad as Tree;
      return topologicalOrder(trace(estimate, [key(0), input.expert]).graph.outputs)
        .map(({ op }) => op)
        .filter((op) => op !== 'Const');
    };
    // Constants are left out, of which 1/K may equal another.
    for (const [, posterior] of posteriors) expect(operations(40, posterior)).toEqual(operations(2, posterior));
  });

  it('keeps memory flat in the number of pairs, which stacked draws do not', async () => {
    const wide = supervised({ network: mlp({ inputShape: [6], outputs: 3, hidden: [64, 64] }), energy: crossEntropyEnergy() });
    const input = { ...makeInput(), model: wide, expert: wide.init(key(0)), start: wide.init(key(1)) } as Input;
    const peak = async (draws: number, posterior: PosteriorDraws) => {
      const before = memory().numBytes;
      const run = () => disposeTree(forwardKl({ draws, sigma: 0.05, posterior }).estimate(key(0), input) as unknown as Tree);
      const { peakBytes } = await profile(() => run() as never);
      return peakBytes - before;
    };
    const flat = descentDraws({ steps: 2 });
    const { independent: _, ...stacked } = flat;
    const parameters = 4 * wide.init(key(0))['hidden1']!.kernel.size;
    await peak(2, flat);
    expect((await peak(22, flat)) - (await peak(2, flat))).toBeLessThan(parameters);
    expect((await peak(22, stacked)) - (await peak(2, stacked))).toBeGreaterThan(20 * parameters);
  });

  it('draws what the posterior draws: those one at a time have the law of the stacked ones', () => {
    const input = makeInput();
    const posterior = descentDraws({ steps: 3, sigma: 0.02 });
    const drawn = posterior.draw(key(3), input, 200);
    const next = posterior.independent?.(key(3), input);
    const single = Array.from({ length: 200 }, (_, i) => next?.(foldIn(key(9), i)) as Params);
    const spread = (values: readonly number[]) => {
      const mean = values.reduce((a, b) => a + b, 0) / values.length;
      return [mean, Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length)] as const;
    };
    const first = (stackedLeaf: Tensor) => Array.from(slice(stackedLeaf, [0, 0, 0], [200, 1, 1]).dataSync());
    const [meanA, sdA] = spread(first(drawn['dense']?.kernel as Tensor));
    const [meanB, sdB] = spread(first(stack(single.map((draw) => draw['dense']?.kernel as Tensor))));
    // Standard errors of 200 draws: 0.02/√200 of the mean, 1/√400 of the standard deviation.
    expect(Math.abs(meanA - meanB)).toBeLessThan((5 * 0.02 * Math.SQRT2) / Math.sqrt(200));
    for (const sd of [sdA, sdB]) expect(Math.abs(sd / 0.02 - 1)).toBeLessThan(5 / Math.sqrt(400));
  });
});

describe('coresets whose classes differ in points and weights', () => {
  const divergences: readonly (readonly [string, Divergence])[] = [
    [
      'forward KL',
      forwardKl({ draws: 2, sigma: 0.05, reduction: 'sum', posterior: descentDraws({ steps: 3, stepSize: 0.02, reduction: 'sum' }) }),
    ],
    ['contrastive divergence', contrastiveDivergence({ steps: 3, stepSize: 0.02, temperature: 1e-3, reduction: 'sum' })],
  ];
  const points = fc.array(
    fc.record({ label: fc.nat(2), weight: fc.double({ min: 0.05, max: 4, noNaN: true }), copies: fc.integer({ min: 1, max: 3 }) }),
    {
      minLength: 1,
      maxLength: 6,
    },
  );
  type Point = { readonly label: number; readonly weight: number; readonly copies: number };
  const coresetOf = (parts: readonly (Point & { readonly image: number })[], weightOf: (point: Point) => number): Coreset => ({
    x: tensor2d(parts.map(({ image }) => Array.from({ length: 6 }, (_, i) => Math.sin(7 * image + 3 * i)))),
    y: tensor2d(parts.map(({ label }) => [0, 1, 2].map((c) => (c === label ? 1 : 0)))),
    weights: tensor1d(parts.map(weightOf)),
  });

  it.each(divergences)('%s: a point of weight w is w/n of n copies, whatever the classes', (_, divergence) => {
    fc.assert(
      fc.property(points, (drawn) => {
        const numbered = drawn.map((point, image) => ({ ...point, image }));
        const repeated = numbered.flatMap((point) => Array.from({ length: point.copies }, () => point));
        const input = makeInput();
        const run = (coreset: Coreset) => divergence.estimate(key(2), { ...input, coreset });
        const once = run(coresetOf(numbered, ({ weight }) => weight));
        const copied = run(coresetOf(repeated, ({ weight, copies }) => weight / copies));
        const summed = Array.from({ length: 6 * numbered.length }, () => 0);
        const values = copied.grad.x?.dataSync() ?? [];
        repeated.forEach(({ image }, row) => {
          for (let i = 0; i < 6; i++) summed[6 * image + i]! += values[6 * row + i] ?? Number.NaN;
        });
        const found = Array.from(once.grad.x?.dataSync() ?? []);
        const largest = Math.max(...found.map(Math.abs), 1e-3);
        found.forEach((value, i) => expect(Math.abs(value - (summed[i] ?? Number.NaN)) / largest).toBeLessThan(1e-3));
        for (const leaf of treeLeaves(once.grad as Tree)) expect(leaf.dataSync().every(Number.isFinite)).toBe(true);
        disposeTree([once, copied] as unknown as Tree);
      }),
      { numRuns: 15, seed: 6 },
    );
  });
});

describe('bad input', () => {
  const algorithm: Parameters<typeof algorithmDraws>[0]['algorithm'] = (logDensity) => hmc({ logDensity, stepSize: 0.1, leapfrogSteps: 2 });
  it.each<[string, () => unknown]>([
    ['draws', () => forwardKl({ draws: 0 })],
    ['draws', () => forwardKl({ draws: 1.5 })],
    ['draws', () => forwardKl({ draws: Number.NaN })],
    ['sigma', () => forwardKl({ sigma: -0.1 })],
    ['sigma', () => forwardKl({ sigma: Number.POSITIVE_INFINITY })],
    ['reduction', () => forwardKl({ reduction: 'max' as never })],
    ['pointsAtOnce', () => forwardKl({ pointsAtOnce: 0 })],
    ['persistent', () => contrastiveDivergence({ persistent: 'yes' as never })],
    ['steps', () => descentDraws({ steps: -1 })],
    ['stepSize', () => descentDraws({ stepSize: 0 })],
    ['sigma', () => descentDraws({ sigma: Number.NaN })],
    ['from', () => descentDraws({ from: 'end' as never })],
    ['steps', () => langevinDraws({ steps: 0.5 })],
    ['temperature', () => langevinDraws({ temperature: -1 })],
    ['sigma', () => langevinDraws({ sigma: -1 })],
    ['steps', () => algorithmDraws({ algorithm, steps: -1 })],
    ['thinning', () => algorithmDraws({ algorithm, thinning: 0 })],
    ['from', () => algorithmDraws({ algorithm, from: 'end' as never })],
    ['count', () => descentDraws().draw(key(0), makeInput(), 0)],
    ['count', () => algorithmDraws({ algorithm }).draw(key(0), makeInput(), 0)],
  ])('refuses a bad %s by name (%#)', (name, make) => {
    expect(make).toThrow(ConfigError);
    expect(make).toThrow(new RegExp(`^${name} is`));
  });

  it('names start, and expertEpochs as the way to it, where draws begin there', () => {
    const { start: _, ...without } = makeInput();
    expect(() => forwardKl().estimate(key(0), without)).toThrow(/^start is not given.*expertEpochs/);
    expect(() => descentDraws().draw(key(0), without, 1)).toThrow(ConfigError);
    const { numTensors } = memory();
    expect(() => forwardKl().estimate(key(0), without)).toThrow(ConfigError);
    expect(memory().numTensors).toBe(numTensors);
  });

  it('names the state of a persistent chain', () => {
    expect(() => contrastiveDivergence({ persistent: true }).estimate(key(0), makeInput())).toThrow(/^state is not given/);
  });
});
