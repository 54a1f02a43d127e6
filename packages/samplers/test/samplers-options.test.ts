import './support/backend.js';
import { jsRuntime } from '@bpc/compiler';
import {
  type Algorithm,
  BpcError,
  ConfigError,
  disposeTree,
  foldIn,
  hostNormal,
  type Key,
  key,
  ShapeError,
  scope,
  type Tree,
  treeLeaves,
} from '@bpc/core';
import { hmc, mala, polynomialSchedule, psgld, sghmc, sgld, ula, underdampedLangevin } from '@bpc/samplers';
import {
  add,
  memory,
  mul,
  neg,
  type Scalar,
  scalar,
  square,
  sub,
  sum,
  type Tensor,
  tensor1d,
  tensor2d,
  zeros,
} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

type Loose = Algorithm<Tree, Tree & { readonly position: Tree }, Tree>;
/** The factories as untyped callers see them. */
type Factory = (options: Readonly<Record<string, unknown>>) => Loose;

const normal = (x: Tensor): Scalar => mul(sum(square(x)), -0.5);
const table: readonly (readonly [string, Factory, Readonly<Record<string, unknown>>])[] = [
  ['ula', ula as unknown as Factory, {}],
  ['sgld', sgld as unknown as Factory, {}],
  ['psgld', psgld as unknown as Factory, {}],
  ['mala', mala as unknown as Factory, {}],
  ['hmc', hmc as unknown as Factory, { leapfrogSteps: 3 }],
  ['sghmc', sghmc as unknown as Factory, {}],
  ['underdampedLangevin', underdampedLangevin as unknown as Factory, {}],
];
const adjusted = (name: string) => name === 'mala' || name === 'hmc';
const withMass = (name: string) => adjusted(name) || name === 'underdampedLangevin';
const values = (tree: Tree) => treeLeaves(tree).flatMap((leaf) => [...leaf.dataSync()]);

describe.each(table)('%s', (name, factory, extra) => {
  const make = (options: Readonly<Record<string, unknown>>) => factory({ logDensity: normal, stepSize: 0.1, ...extra, ...options });

  it.each([0, -0.1, Number.NaN, Number.POSITIVE_INFINITY, '0.1', undefined])('refuses the step size %s', (stepSize) => {
    expect(() => make({ stepSize })).toThrow(ConfigError);
    expect(() => make({ stepSize })).toThrow(/stepSize is/);
  });

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY, ...(adjusted(name) ? [0] : [])])('refuses the temperature %s', (temperature) => {
    expect(() => make({ temperature })).toThrow(ConfigError);
    expect(() => make({ temperature })).toThrow(/temperature is/);
  });

  it('refuses a log density that is no function', () => {
    expect(() => make({ logDensity: 1 })).toThrow(/logDensity is 1, expected a function/);
  });

  it('refuses a log density that is no scalar, and one that is no tensor, and leaks nothing', () => {
    const position = tensor1d([1, 2]);
    const before = memory().numTensors;
    for (const [logDensity, message] of [
      [(x: Tensor) => square(x), /logDensity returned shape \[2\], expected a scalar/],
      [() => 3, /returned 3, expected a scalar tensor/],
      [async (x: Tensor) => sum(x), /promise/],
    ] as const) {
      const run = () => {
        const { init, step } = make({ logDensity });
        const state = init(position, key(0));
        try {
          step(key(1), state);
        } finally {
          disposeTree(state);
        }
      };
      expect(run).toThrow(BpcError);
      expect(run).toThrow(message);
    }
    expect(memory().numTensors - before).toBe(0);
  });

  it('refuses integers in the position, naming them', () => {
    const position = { a: tensor1d([1, 2]), n: tensor1d([1], 'int32') };
    expect(() => make({}).init(position, key(0))).toThrow(ShapeError);
    expect(() => make({}).init(position, key(0))).toThrow(/int32 at 'n', expected float32/);
    expect(() => make({}).init({}, key(0))).toThrow(ShapeError);
  });

  if (withMass(name)) {
    it('refuses a mass of another shape', () => {
      for (const inverseMass of [tensor1d([1, 2, 3]), tensor2d([[1, 2]]), { a: tensor1d([1, 2]) }, tensor1d([1, 2], 'int32')]) {
        expect(() => make({ inverseMass }).init(tensor1d([1, 2]), key(0))).toThrow(ShapeError);
        expect(() => make({ inverseMass }).init(tensor1d([1, 2]), key(0))).toThrow(/inverseMass has .*expected/);
      }
    });

    it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('refuses %s as an inverse mass, naming where', (variance) => {
      const bad = { a: tensor1d([1, 1]), b: tensor1d([2, variance]) };
      const logDensity = ({ a, b }: { readonly a: Tensor; readonly b: Tensor }) => add(normal(a), normal(b));
      const { init } = make({ logDensity, inverseMass: bad });
      const position = { a: tensor1d([1, 2]), b: tensor1d([1, 2]) };
      expect(() => init(position, key(0))).toThrow(ConfigError);
      expect(() => init(position, key(0))).toThrow(
        new RegExp(`inverseMass 'b' is ${variance} at \\[1\\], expected positive finite variances`),
      );
    });

    it('refuses a dense mass that is not positive definite, in programs too', async () => {
      const inverseMass = tensor2d([
        [1, 2],
        [2, 1],
      ]);
      const { init } = make({ inverseMass });
      expect(() => init(tensor1d([1, 2]), key(0))).toThrow(/inverseMass is a matrix that is not positive definite/);
      const program = jsRuntime().compile(init);
      await expect(program(tensor1d([1, 2]), key(0))).rejects.toThrow(ConfigError);
    });

    it('takes an inverse mass that a program computes', async () => {
      const program = jsRuntime().compile((variances: Tensor, own: Key) => {
        const { init, step } = make({ inverseMass: mul(variances, 2) });
        return step(own, init(mul(variances, 0), own))[0];
      });
      expect(values(await program(tensor1d([1, 2]), key(0))).every(Number.isFinite)).toBe(true);
    });

    it('takes a dense mass for one vector, and only then', () => {
      const inverseMass = tensor2d([
        [1, 0.5],
        [0.5, 2],
      ]);
      const { init, step } = make({ inverseMass });
      expect(values(step(key(1), init(tensor1d([1, 2]), key(0)))[0]).every(Number.isFinite)).toBe(true);
      const tree = { a: tensor1d([1, 2]) };
      const logDensity = ({ a }: { readonly a: Tensor }) => normal(a);
      expect(() => make({ logDensity, inverseMass: { a: inverseMass } }).init(tree, key(0))).toThrow(ShapeError);
    });
  }

  if (!adjusted(name)) {
    it('climbs without noise at temperature 0', () => {
      const { init, step } = make({ temperature: 0 });
      const state = init(tensor1d([1, -2]), key(0));
      const [a, b] = [1, 2].map((seed) => values(step(key(seed), state)[0].position));
      expect(a).toEqual(b);
      if (name !== 'psgld') expect(Math.hypot(...(a ?? []))).toBeLessThanOrEqual(Math.hypot(1, 2));
    });

    it('follows a schedule of step sizes and temperatures, counted from 0, eagerly and compiled', async () => {
      const settings = {
        stepSize: polynomialSchedule({ a: 0.1, b: 1, gamma: 0.5 }),
        temperature: (step: Scalar) => mul(step, 0.25) as Scalar,
      };
      const { init, step } = make(settings);
      const runtime = jsRuntime();
      const program = runtime.compile((k: Parameters<typeof step>[0], s: ReturnType<typeof init>) => step(k, s));
      let [eager, compiled] = [init(tensor1d([1, -2]), key(0)), init(tensor1d([1, -2]), key(0))];
      for (let i = 0; i < 4; i++) {
        const [next, info] = step(foldIn(key(4), i), eager);
        const [after, other] = await program(foldIn(key(4), i), compiled);
        for (const found of [info, other] as { readonly stepSize: Tensor; readonly temperature: Tensor }[]) {
          expect(found.stepSize.dataSync()[0]).toBeCloseTo(0.1 / Math.sqrt(i + 1), 6);
          expect(found.temperature.dataSync()[0]).toBeCloseTo(i / 4, 6);
        }
        [eager, compiled] = [next, after];
      }
      values(eager).forEach((value, i) => expect(values(compiled)[i]).toBeCloseTo(value, 5));
      await runtime.dispose();
    });
  }

  it('uses the noise of its key bit for bit, compiled and eagerly', async () => {
    // A flat density and settings that make the step, or the momentum, the noise itself.
    const alone: Readonly<Record<string, object>> = {
      psgld: { stepSize: 0.5, decay: 1, floor: 1 },
      hmc: { stepSize: 1, leapfrogSteps: 1 },
      sghmc: { stepSize: 1, momentumDecay: 1, temperature: 0.5 },
      underdampedLangevin: { stepSize: 2, friction: 1e30 },
    };
    const flat = (x: Tensor) => mul(sum(x), 0);
    const { init, step } = make({ logDensity: flat, stepSize: 0.5, ...alone[name] });
    const runtime = jsRuntime();
    const program = runtime.compile((k: Parameters<typeof step>[0], s: ReturnType<typeof init>) => step(k, s));
    const start = zeros([100]);
    const state = scope(() => {
      const made = init(start, key(0)) as { readonly momentum?: Tensor; readonly position: Tensor };
      // What is left of an old momentum must not be added.
      return ('momentum' in made ? { ...made, momentum: zeros([100]) } : made) as ReturnType<typeof init>;
    });
    const own = adjusted(name) ? foldIn(key(8), 0) : key(8);
    const expected = [...hostNormal(foldIn(own, 0), 100)];
    expect(values(step(key(8), state)[0].position)).toEqual(expected);
    expect(values((await program(key(8), state))[0].position)).toEqual(expected);
    await runtime.dispose();
  });

  it('survives every option: a typed error, or a step that keeps the shapes', () => {
    const anything = fc.oneof(
      fc.double(),
      fc.constantFrom(0, 1, -1, 0.5, null, undefined, 'x', {}, true),
      fc.double({ min: 1e-6, max: 1 }),
    );
    const integers = fc.oneof(
      fc.integer({ min: -2, max: 6 }),
      fc.constantFrom(0.5, null, 'x', []),
      fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 6 })),
    );
    const options = fc.record(
      {
        stepSize: anything,
        temperature: anything,
        friction: anything,
        momentumDecay: anything,
        gradientNoise: anything,
        decay: anything,
        floor: anything,
        size: fc.oneof(integers, anything),
        correction: fc.constantFrom('none', 'exact', 'other', null),
        leapfrogSteps: integers,
        stepSizeJitter: anything,
        divergenceThreshold: anything,
      },
      { requiredKeys: [] },
    );
    let accepted = 0;
    fc.assert(
      fc.property(options, (given) => {
        const before = memory().numTensors;
        try {
          const { init, step } = make(given);
          scope(() => {
            const [next] = step(key(1), init(tensor1d([0.5, -0.5]), key(0)));
            expect(treeLeaves(next.position).map(({ shape }) => shape)).toEqual([[2]]);
            accepted++;
            return undefined;
          });
        } catch (error) {
          if (!(error instanceof BpcError)) throw error;
        }
        expect(memory().numTensors - before).toBe(0);
      }),
      { numRuns: 150 },
    );
    expect(accepted).toBeGreaterThan(0);
  });
});

it('a log density may give its data a type of its own, eagerly and in init', () => {
  type Data = { readonly x: Tensor; readonly y: Tensor };
  const logDensity = ({ w }: { readonly w: Tensor }, { x, y }: Data) => neg(sum(square(sub(mul(x, w), y))));
  const data = { x: tensor1d([1, 2]), y: tensor1d([2, 4]) };
  const { init, step } = hmc({ logDensity, stepSize: 0.1, leapfrogSteps: 2 });
  const state = init({ w: scalar(1) }, key(0), data);
  expect(state.logDensity.dataSync()[0]).toBe(-5);
  expect(step(key(1), state, data)[0].position.w.shape).toEqual([]);
  const { init: start, step: walk } = sgld({ logDensity, stepSize: 0.01 });
  expect(walk(key(1), start({ w: scalar(1) }, key(0)), data)[1].logDensity.dataSync()[0]).toBe(-5);
});

describe('options of one sampler', () => {
  const options = { logDensity: normal, stepSize: 0.1 };
  it.each([0, -1, 2.5, Number.NaN, [3, 2], [0, 2], [1], [1, 2, 3], [1, 2.5]])('hmc refuses %s leapfrog steps', (leapfrogSteps) => {
    expect(() => hmc({ ...options, leapfrogSteps: leapfrogSteps as number })).toThrow(/leapfrogSteps.* is /);
  });
  it('hmc refuses a jitter that could reverse time, and a threshold that is not positive', () => {
    for (const stepSizeJitter of [1, -0.1, Number.NaN])
      expect(() => hmc({ ...options, leapfrogSteps: 2, stepSizeJitter })).toThrow(ConfigError);
    expect(() => hmc({ ...options, leapfrogSteps: 2, divergenceThreshold: 0 })).toThrow(/divergenceThreshold is 0/);
  });
  it('sghmc refuses a momentum decay outside (0, 1], and gradient noise beyond it', () => {
    for (const momentumDecay of [0, 1.1, -1]) expect(() => sghmc({ ...options, momentumDecay })).toThrow(/momentumDecay is/);
    expect(() => sghmc({ ...options, momentumDecay: 0.1, gradientNoise: 0.2 })).toThrow(
      /gradientNoise is 0.2, expected at most momentumDecay/,
    );
  });
  it('psgld refuses other corrections, a decay beyond 1 and a floor of 0', () => {
    expect(() => psgld({ ...options, correction: 'half' as 'none' })).toThrow(/correction is 'half'/);
    expect(() => psgld({ ...options, decay: 1.5 })).toThrow(/decay is 1.5/);
    expect(() => psgld({ ...options, floor: 0 })).toThrow(/floor is 0/);
  });
});
