import '@tensorflow/tfjs-backend-cpu';
import { BpcError, ConfigError, memoryStore, NonFiniteError, ShapeError } from '@bpc/core';
import {
  add,
  div,
  greater,
  mul,
  neg,
  type Scalar,
  scalar,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  tensor1d,
  where,
} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { denseMetric, diagonalMetric, hmc, interval, key, positive, real, sample, simplex, target, ula } from '../src/index.js';
import { gaussian } from './support/sampling-models.js';

const good = { ...gaussian, key: key(1), chains: 2, warmup: 20, draws: 10 };

/** Plain JavaScript passes anything. */
const anything = (options: object) => sample(options as typeof good);

const errorOf = async (options: object): Promise<unknown> => {
  try {
    await anything(options).collect();
  } catch (error) {
    return error;
  }
  return undefined;
};

describe('bad options are refused at once, by name, with what to do', () => {
  const hmcFactory = ({ logDensity }: { logDensity: () => Scalar }) => hmc({ logDensity, stepSize: 0.1, leapfrogSteps: 3 });
  it.each<[string, object, RegExp]>([
    ['no draws', { draws: 0 }, /draws is 0, expected an integer ≥ 1/],
    ['negative draws', { draws: -5 }, /draws is -5/],
    ['fractional draws', { draws: 10.5 }, /draws is 10.5/],
    ['draws as text', { draws: '10' }, /draws is '10', expected a number/],
    ['no chains', { chains: 0 }, /chains is 0/],
    ['too many chains', { chains: 1e9 }, /chains is 1000000000, expected at most/],
    ['no transitions per draw', { thin: 0 }, /thin is 0/],
    ['a negative warm-up', { warmup: -1 }, /warmup is -1/],
    ['more transitions than there are keys', { draws: 2 ** 52 }, /expected less than 2\^52/],
    ['no key', { key: undefined }, /key is undefined, expected a key/],
    ['a number as key', { key: 3 }, /key is 3, expected a key.*key\(1\)/],
    ['a negative step size', { stepSize: -0.1 }, /stepSize is -0.1/],
    ['an infinite step size', { stepSize: Number.POSITIVE_INFINITY }, /stepSize is Infinity/],
    ['no temperature', { temperature: 0 }, /temperature is 0/],
    ['an acceptance of 1', { targetAcceptance: 1 }, /targetAcceptance is 1, expected a number in \(0, 1\)/],
    ['no doublings', { maxDepth: 0 }, /maxDepth is 0/],
    ['too many doublings', { maxDepth: 50 }, /maxDepth is 50, expected at most 20/],
    ['an unknown metric', { metric: 'full' }, /metric is 'full', expected 'unit', 'diagonal', 'dense'/],
    ['an algorithm in other letters', { algorithm: 'NUTS2' }, /algorithm is 'NUTS2'; only 'nuts' has a name \(write 'nuts'/],
    ['a tensor algorithm by name', { algorithm: 'HMC' }, /write \(\{ logDensity \}\) => hmc\(/],
    ['an algorithm that is none', { algorithm: 3 }, /algorithm is 3/],
    ['an export without a module', { algorithm: { export: 'mine' } }, /there is no module/],
    ['a step size for hmc', { algorithm: hmcFactory, stepSize: 1 }, /stepSize is given, which only nuts has/],
    ['mini-batches for nuts', { minibatch: { size: 3 } }, /minibatch is given, but nuts has none/],
    ['an option in other letters', { warmUp: 10 }, /'warmUp' is no option of sample \(write warmup\)/],
    ['an option of another library', { num_samples: 10 }, /'num_samples' is no option of sample \(write draws\)/],
    ['an interval that is no number', { progressInterval: Object.create(null) }, /progressInterval is an object, expected a number/],
    ['a shape that is no list of numbers', { data: { data: new Float64Array(1), shape: [1n] } }, /data.shape is \[1\], expected whole/],
    ['a signal that is none', { signal: new AbortController() }, /expected an AbortSignal/],
    ['progress that is no function', { onProgress: 'yes' }, /onProgress is 'yes', expected a function/],
    ['a runtime that is a promise', { runtime: Promise.resolve() }, /runtime is a promise, expected a Runtime \(await it first\)/],
    ['a runtime that is none', { runtime: {} }, /runtime is object, expected a Runtime/],
    ['a store that is none', { checkpoint: { store: 'folder' } }, /checkpoint.store is 'folder'/],
    ['a name that is no file', { checkpoint: { store: memoryStore(), name: '../x' } }, /is no checkpoint name/],
    ['saves every 0 transitions', { checkpoint: { store: memoryStore(), every: 0 } }, /every is 0/],
    [
      'workers without a module',
      { workers: { open: () => undefined } },
      /workers are given, but no model.*export the target from a module/,
    ],
    ['workers that are none', { workers: 3 }, /workers is 3, expected a pool/],
    [
      'a module of a relative path',
      { logDensity: undefined, model: { module: './model.js' } },
      /model.module is '\.\/model.js', expected a URL/,
    ],
    ['two targets', { model: { module: 'data:,' } }, /more than one of/],
    ['no log density', { logDensity: undefined }, /logDensity is undefined, expected a function/],
    ['no parameters', { parameters: undefined }, /parameters are missing/],
    ['numbers as parameters', { parameters: { x: 3, y: real() } }, /the parameter 'x' is 3, expected a parameter/],
    ['a parameter that is not called', { parameters: { x: real } }, /the parameter 'x' is the function 'real'.*real\(\)/],
    ['an integer tensor as parameters', { parameters: { x: tensor1d([1, 2], 'int32') } }, /the parameter 'x' is a tensor/],
    ['tensors as data', { data: { x: scalar(1) } }, /data.x is a tensor, which is float32 already/],
    ['text as data', { data: { x: [1, 'two'] } }, /data.x\[1\] is string|is string, expected a number/],
    ['other arrays as data', { data: { x: new BigInt64Array(3) } }, /data.x is a BigInt64Array, expected numbers/],
    ['a map as data', { data: new Map([['x', 1]]) }, /data is a Map, expected numbers/],
    ['ragged data', { data: { x: [[1, 2], [3]] } }, /shape/],
    [
      'data that contain themselves',
      (() => {
        const data: Record<string, unknown> = {};
        data['self'] = data;
        return { data };
      })(),
      /nested too deeply/,
    ],
  ])('%s', (_, changes, message) => {
    let error: unknown;
    try {
      anything({ ...good, ...changes });
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(BpcError);
    expect((error as BpcError).message).toMatch(message);
    expect((error as BpcError).remedy.length).toBeGreaterThan(3);
  });

  it.each([undefined, null, 3, 'nuts', []])('options that are %s', (options) => {
    expect(() => anything(options as unknown as object)).toThrow(ConfigError);
  });
});

describe('what the target is asked is refused before the first transition', () => {
  const cases: [string, object, new (...args: never) => BpcError, RegExp][] = [
    [
      'a log density of several numbers',
      { logDensity: ({ x }: { x: Scalar }) => mul(tensor1d([1, 2]), x) },
      ShapeError,
      /logDensity returned shape \[2\], expected a scalar/,
    ],
    [
      'a log density that is a promise',
      { logDensity: async ({ x }: { x: Scalar }) => neg(square(x)) },
      ConfigError,
      /logDensity returned a promise/,
    ],
    ['a log density that is a number', { logDensity: () => 3 }, ConfigError, /logDensity returned number, expected a scalar tensor/],
    ['a derived quantity that is a number', { derived: () => ({ a: 3 }) }, ConfigError, /no tensor for 'a'/],
    [
      'a start off its support',
      { parameters: { x: positive(), y: real() }, start: { x: -1, y: 0 } },
      ConfigError,
      /parameter 'x'.*outside of the support 'positive'/,
    ],
    ['a start of another shape', { start: { x: [1, 2], y: 0 } }, ShapeError, /parameter 'x'.*shape \[2\], expected \[\]/],
    ['a start that lacks a parameter', { start: { x: 1 } }, ConfigError, /lack the parameter 'y'/],
    ['a start with a name too many', { start: { x: 1, y: 0, z: 0 } }, ConfigError, /'z', which is no parameter/],
    ['a start of text', { start: { x: 'a', y: 0 } }, BpcError, /x/],
    ['a start that is NaN', { start: { x: Number.NaN, y: 0 } }, ConfigError, /NaN/],
    ['starts for another number of chains', { start: [{ x: 1, y: 0 }] }, ConfigError, /values for 1 chains, expected 2/],
    [
      'no start that is a simplex',
      { parameters: { x: real(), y: real(), s: simplex(2) }, start: { x: 0, y: 0, s: [0.5, 0.6] } },
      ConfigError,
      /'s'/,
    ],
    ['a metric of another size', { metric: diagonalMetric([1, 1, 1]) }, ShapeError, /metric is for 3 unconstrained parameters, expected 2/],
    ['a dense metric of another size', { metric: denseMetric([1], 1) }, ShapeError, /metric is for 1 unconstrained parameters, expected 2/],
    [
      'a dense metric for hmc',
      {
        metric: 'dense',
        algorithm: ({ logDensity }: { logDensity: () => Scalar }) => hmc({ logDensity, stepSize: 0.1, leapfrogSteps: 3 }),
      },
      ConfigError,
      /metric is dense, which only nuts learns/,
    ],
    ['a factory that makes no algorithm', { algorithm: () => ({}) }, ConfigError, /the algorithm has no init and step/],
    [
      'an algorithm of a density of its own, which knows no supports',
      { algorithm: () => ula({ logDensity: ({ x }: { x: Tensor }) => neg(sum(square(x))) as Scalar, stepSize: 0.1 }) },
      ConfigError,
      /never asks for the log density that its factory got/,
    ],
    [
      'mini-batches without data',
      {
        minibatch: { size: 3 },
        algorithm: ({ logDensity }: { logDensity: () => Scalar }) => hmc({ logDensity, stepSize: 0.1, leapfrogSteps: 3 }),
      },
      ConfigError,
      /minibatch is given, but no data/,
    ],
    [
      'more rows than there are',
      {
        data: { a: [1, 2] },
        minibatch: { size: 3 },
        algorithm: ({ logDensity }: { logDensity: () => Scalar }) => hmc({ logDensity, stepSize: 0.1, leapfrogSteps: 3 }),
      },
      ConfigError,
      /minibatch.size is 3, but the data have 2 rows/,
    ],
    ['more draws than memory', { draws: 1e15, chains: 1 }, ConfigError, /GiB, more than there is/],
  ];
  it.each(cases)('%s', async (_, changes, type, message) => {
    const error = await errorOf({ ...good, ...changes });
    expect(error).toBeInstanceOf(type);
    expect((error as BpcError).message).toMatch(message);
  });
});

describe('a start', () => {
  const model = (logDensity: (p: { x: Scalar; s: Scalar }) => unknown) => ({
    ...good,
    parameters: { x: real(), s: interval(0, 1, [2]) },
    logDensity,
  });

  it('that is not found names what is NaN, after 100 tries', async () => {
    const error = await errorOf(model(({ x, s }) => add(sum(sqrt(neg(s))), square(x))));
    expect(error).toBeInstanceOf(NonFiniteError);
    expect((error as Error).message).toMatch(
      /chain 0 found no start in 100 tries.*log density is NaN; its gradient is not finite for 's' \(2 of 2, the first NaN\); it is evaluated at x = -?[\d.]+, s = \[0/,
    );
    expect((error as Error).message).not.toMatch(/for 'x'/);
    expect((error as NonFiniteError).remedy).toMatch(/start:/);
  });

  it('names a gradient that is infinite where the value is finite', async () => {
    const error = await errorOf({ ...model(({ x, s }) => add(sum(s), sqrt(sub(x, 1)))), start: { x: 1, s: [0.5, 0.5] } });
    expect((error as Error).message).toMatch(/chain 0 cannot start where it is told: its gradient is not finite for 'x' \(infinite\)/);
  });

  it('is found beyond a region of density zero, within few tries', async () => {
    const outside = target({
      parameters: { x: real() },
      logDensity: ({ x }) => where(greater(x, 1), neg(square(x)), Number.NEGATIVE_INFINITY) as Scalar,
    });
    const draws = await sample({ ...outside, key: key(1), chains: 4, warmup: 300, draws: 300 }).collect();
    expect(draws.values['x']!.every((x) => x > 1)).toBe(true);
    const tries = (draws.provenance['chains'] as readonly { startTries: number }[]).map((chain) => chain.startTries);
    // P(x > 1) = 1/4 for a draw of U(−2, 2).
    expect(Math.max(...tries)).toBeGreaterThan(1);
    expect(Math.max(...tries)).toBeLessThan(60);
  });

  it('of a chain that gets lost ends the run with the transition', async () => {
    const algorithm = ({ logDensity }: { logDensity: (position: object) => Scalar }) => ({
      init: (position: object) => ({ position, t: scalar(0) }),
      step: (_: unknown, { position, t }: { position: { x: Scalar; y: Scalar }; t: Scalar }) => {
        const next = { x: div(position.x, sub(25, t)), y: position.y };
        return [{ position: next, t: add(t, 1) }, { logDensity: logDensity(position) }];
      },
    });
    const error = await errorOf({ ...good, draws: 100, algorithm });
    expect(error).toBeInstanceOf(NonFiniteError);
    expect((error as Error).message).toMatch(/chain 0 lost 'x' in transition 26/);
    expect((error as NonFiniteError).step).toBe(25);
  });
});

describe('fuzzed options', () => {
  const odd = fc.oneof(
    fc.constantFrom(
      undefined,
      null,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      -1,
      0,
      1,
      2,
      3,
      0.5,
      1e-300,
      1e300,
      2 ** 53,
      '',
      'nuts',
      'dense',
      [],
      {},
      true,
      false,
    ),
    fc.double(),
    fc.string(),
    fc.anything({
      maxDepth: 2,
      withTypedArray: true,
      withMap: true,
      withSet: true,
      withNullPrototype: true,
      withBigInt: true,
      withDate: true,
    }),
  );
  const names = [
    'chains',
    'warmup',
    'draws',
    'thin',
    'key',
    'algorithm',
    'runtime',
    'workers',
    'signal',
    'onProgress',
    'progressInterval',
    'start',
    'targetAcceptance',
    'metric',
    'maxDepth',
    'stepSize',
    'temperature',
    'keepWarmup',
    'checkpoint',
    'minibatch',
    'blockSize',
    'parameters',
    'logDensity',
    'data',
    'derived',
    'model',
    'prepared',
  ];

  it('end in draws or in a typed error with a remedy, and never hang', async () => {
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.constantFrom(...names), odd, { maxKeys: 4 }), async (changes) => {
        // What is right is kept short: a run of a million draws would be no bug.
        const { draws, chains, warmup, thin } = { ...good, thin: 1, ...changes } as Record<string, unknown>;
        fc.pre([draws, chains, warmup, thin].every((n) => typeof n !== 'number' || !(n > 50) || n >= 2 ** 53));
        const error = await errorOf({ ...good, ...changes });
        if (error === undefined) return;
        expect(error).toBeInstanceOf(BpcError);
        expect((error as BpcError).remedy).not.toBe('');
      }),
      { numRuns: 400 },
    );
  });
});
