import './support/backend.js';
import type { Divergence, DivergenceEstimate, DivergenceInput, Key, Tree } from '@bpc/core';
import { ConfigError, fromSurrogate, key, normal, scope } from '@bpc/core';
import { divergenceConformance } from '@bpc/core/testing';
import type { Scalar, Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import { add, clone, mul, ones, scalar, square, sub, sum, zeros } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';

type Params = { readonly theta: Tensor };
const input = (): DivergenceInput<Params> => ({
  model: {
    init: (k) => ({ theta: normal(k, [2]) }),
    logPrior: () => scalar(0),
    logLikelihood: ({ theta }, { x }) => mul(-0.5, sum(square(sub(x, theta)), 1)) as Tensor1D,
  },
  coreset: { x: normal(key(1), [3, 2]), y: zeros([3, 1]), weights: ones([3]) as Tensor1D },
  learnable: { x: true, y: false, weights: false },
  expert: { theta: normal(key(2), [2]) },
  start: { theta: normal(key(3), [2]) },
});

type Given = { readonly key: Key; readonly coreset: Tensor; readonly state: Tensor; readonly start: Tensor };
type State = { readonly mean: Tensor };

/** Pulls the coreset to its start and averages random numbers in its state: the protocol, and one place to break it. */
function divergenceWith(
  change: (made: DivergenceEstimate, given: Given) => DivergenceEstimate,
  more: Partial<Divergence> = {},
): Divergence {
  return {
    name: 'pull',
    requires: { real: false, start: true, synthetic: true, order: 1 },
    init: (k) => ({ mean: normal(k, [2]) }),
    estimate: (k, { coreset, learnable, start, state }) => {
      if (start === undefined) throw new ConfigError('start is not given', 'pass start');
      if (state === undefined) throw new ConfigError('state is not given', 'pass state');
      const before = (state as State).mean;
      const { theta } = start as unknown as Params;
      const made = scope(() => ({
        grad: {
          ...(learnable.x && { x: sub(coreset.x, theta) }),
          ...(learnable.y && { y: clone(coreset.y) }),
          ...(learnable.weights && { weights: clone(coreset.weights) as Tensor1D }),
        } as Tree,
        value: sum(coreset.x) as Scalar,
        state: { mean: mul(add(before, normal(k, [2])), 0.5) },
      }));
      return change(made as DivergenceEstimate, { key: k, coreset: coreset.x, state: before, start: theta });
    },
    ...more,
  };
}

function failures(divergence: Divergence): string[] {
  const failed: string[] = [];
  divergenceConformance({
    divergence,
    input,
    it: (name, body) => {
      try {
        body();
      } catch {
        failed.push(name);
      }
    },
  });
  return failed;
}

const withState = (made: DivergenceEstimate, state: Tree): DivergenceEstimate => ({ ...made, state });

describe('divergenceConformance', () => {
  divergenceConformance({ divergence: divergenceWith((made) => made), input, it });

  let hidden = 0;
  it.each<[string, Divergence, RegExp]>([
    ['returns no state though it has init', divergenceWith(({ state: _, ...made }) => made), /hands on a state/],
    ['returns the state it got', divergenceWith((made, { state }) => withState(made, { mean: state })), /caller's own/],
    ['hands out the start as its state', divergenceWith((made, { start }) => withState(made, { mean: start })), /caller's own/],
    ['hands out the coreset as its gradient', divergenceWith((made, { coreset }) => ({ ...made, grad: { x: coreset } })), /caller's own/],
    ['changes the shape of its state', divergenceWith((made) => withState(made, { mean: zeros([3]) })), /hands on a state/],
    ['renames its state', divergenceWith((made) => withState(made, { average: zeros([2]) })), /hands on a state/],
    ['hides a state of its own', divergenceWith((made) => withState(made, { mean: mul([1, 1], hidden++) })), /equal gradients/],
    [
      'disposes the state it got',
      divergenceWith((made, { state }) => {
        state.dispose();
        return made;
      }),
      /caller's own/,
    ],
    [
      'leaks beside its state',
      divergenceWith((made) => {
        scalar(1);
        return made;
      }),
      /nothing behind/,
    ],
    ['diverges with its state', divergenceWith((made) => withState(made, { mean: mul([1, 1], Number.NaN) })), /hands on a state/],
    ['leaks in init', divergenceWith((made) => made, { init: () => ({ mean: add(zeros([2]), 1) }) }), /begins with a state/],
    [
      'draws its first state from nowhere',
      divergenceWith((made) => made, { init: () => ({ mean: mul([1, 1], hidden++) }) }),
      /begins with a state/,
    ],
  ])('catches a divergence that %s', (_, divergence, test) => {
    expect(failures(divergence).some((name) => test.test(name))).toBe(true);
  });

  it('catches a divergence that returns a state without init', () => {
    const { init: _, ...stateless } = divergenceWith((made) => made);
    const failed = failures({
      ...stateless,
      estimate: (k, given) => stateless.estimate(k, { ...given, state: { mean: zeros([2]) } }),
    });
    expect(failed.some((name) => /returns no state/.test(name))).toBe(true);
  });

  it.each(['start', 'state'] as const)('catches a divergence that needs %s and does not say so', (needed) => {
    const careful = divergenceWith((made) => made);
    const substitute: Tree = needed === 'start' ? { theta: zeros([2]) } : { mean: zeros([2]) };
    const careless: Divergence = {
      ...careful,
      estimate: (k, given) => careful.estimate(k, { ...given, [needed]: given[needed] ?? substitute } as typeof given),
    };
    const crashing: Divergence = {
      ...careful,
      estimate: (k, given) => {
        if (given[needed] === undefined) throw new TypeError("cannot read properties of undefined (reading 'shape')");
        return careful.estimate(k, given);
      },
    };
    const test = new RegExp(`says by name that it needs .*${needed}`);
    for (const divergence of [careless, crashing]) expect(failures(divergence).some((name) => test.test(name))).toBe(true);
  });

  it('catches an input without what the divergence requires', () => {
    const real = fromSurrogate('real', { real: true, synthetic: true, order: 1 }, (_, { coreset }) => sum(coreset.x) as Scalar);
    expect(failures(real).some((name) => /says by name that it needs real/.test(name))).toBe(true);
  });
});

describe('fromSurrogate', () => {
  it.each(['start', 'real'] as const)('names %s when it is required and missing', (needed) => {
    const divergence = fromSurrogate(
      'surrogate',
      { real: needed === 'real', start: needed === 'start', synthetic: true, order: 1 },
      (_, { coreset }) => sum(coreset.x) as Scalar,
    );
    const { start: _, ...without } = input();
    expect(() => divergence.estimate(key(0), without)).toThrow(ConfigError);
    expect(() => divergence.estimate(key(0), without)).toThrow(new RegExp(`^${needed} is not given, which 'surrogate' requires`));
  });
});
