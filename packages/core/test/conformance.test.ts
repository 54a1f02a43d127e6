import './support/backend.js';
import type { Algorithm, HostAlgorithm, Optimizer } from '@bpc/core';
import {
  adam,
  adamw,
  applyUpdates,
  chain,
  clipByGlobalNorm,
  cosineSchedule,
  gradientNormalisedAdam,
  hostNormal,
  lamb,
  normal,
  sgd,
  treeMap,
} from '@bpc/core';
import { algorithmConformance, hostAlgorithmConformance, optimizerConformance } from '@bpc/core/testing';
import type { Tensor } from '@tensorflow/tfjs-core';
import { add, clone, mul, scalar, tensor1d } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';

type State = { readonly x: Tensor; readonly steps: Tensor };
const walk: Algorithm<Tensor, State, { readonly size: Tensor }> = {
  init: (x) => ({ x: clone(x), steps: scalar(0) }),
  step: (key, { x, steps }) => [{ x: add(x, normal(key, x.shape)), steps: add(steps, 1) }, { size: mul(x, x) }],
};
const position = () => tensor1d([1, 2]);

/** Names of the tests that an implementation fails. */
function failures(register: (it: (name: string, body: () => void) => void) => void): string[] {
  const failed: string[] = [];
  register((name, body) => {
    try {
      body();
    } catch {
      failed.push(name);
    }
  });
  return failed;
}

describe('algorithmConformance', () => {
  algorithmConformance({ name: 'random walk', algorithm: walk, position, it });

  let hidden = 0;
  it.each<[string, Partial<typeof walk>, RegExp]>([
    ['returns its argument', { step: (_, state) => [state, { size: scalar(0) }] }, /fresh tensors and leaves its arguments/],
    [
      'hides a state',
      { step: (_, { x, steps }) => [{ x: add(x, hidden++), steps: clone(steps) }, { size: scalar(0) }] },
      /nothing but its arguments/,
    ],
    [
      'ignores its key',
      { step: (_, { x, steps }) => [{ x: add(x, 1), steps: clone(steps) }, { size: scalar(0) }] },
      /nothing but its arguments/,
    ],
    [
      'changes shapes',
      { step: (key, { x, steps }) => [{ x: normal(key, [3]), steps: add(steps, x.shape[0] ?? 0) }, { size: scalar(0) }] },
      /keeps the structure/,
    ],
    [
      'disposes its argument',
      {
        step: (key, { x, steps }) => {
          const next = { x: add(x, normal(key, [2])), steps: add(steps, 1) };
          x.dispose();
          return [next, { size: scalar(0) }];
        },
      },
      /leaves its arguments/,
    ],
    ['lets init alias the position', { init: (x) => ({ x, steps: scalar(0) }) }, /init gives fresh/],
    ['leaks in init', { init: (x) => ({ x: add(mul(x, 1), 0), steps: scalar(0) }) }, /leaks nothing/],
  ])('catches an algorithm that %s', (_, change, test) => {
    const failed = failures((register) => algorithmConformance({ name: 'bad', algorithm: { ...walk, ...change }, position, it: register }));
    expect(failed.some((name) => test.test(name))).toBe(true);
  });
});

type HostState = { readonly x: Float64Array; readonly steps: number };
const hostWalk: HostAlgorithm<Float64Array, HostState, { readonly size: number }> = {
  init: (x) => ({ x: x.slice(), steps: 0 }),
  step: async (key, { x, steps }) => {
    const noise = hostNormal(key, x.length);
    await Promise.resolve();
    return [{ x: x.map((value, i) => value + noise[i]!), steps: steps + 1 }, { size: x.length }];
  },
};
const hostPosition = () => Float64Array.of(1, 2);

/** Names of the tests, whose bodies may return promises, that an implementation fails. */
async function asyncFailures(register: (it: (name: string, body: () => unknown) => void) => void): Promise<string[]> {
  const tests: [string, () => unknown][] = [];
  register((name, body) => tests.push([name, body]));
  const failed: string[] = [];
  for (const [name, body] of tests) {
    try {
      await body();
    } catch {
      failed.push(name);
    }
  }
  return failed;
}

describe('hostAlgorithmConformance', () => {
  hostAlgorithmConformance({ name: 'asynchronous walk', algorithm: hostWalk, position: hostPosition, it });
  hostAlgorithmConformance<Float64Array, HostState, { readonly sum: number }>({
    name: 'synchronous drift',
    algorithm: {
      init: (x) => ({ x: x.slice(), steps: 0 }),
      step: (_, { x, steps }) => [{ x: x.map((value) => value / 2), steps: steps + 1 }, { sum: x.length }],
    },
    position: hostPosition,
    random: false,
    it,
  });

  let hidden = 0;
  const reused = new Float64Array(2);
  let shared = new Float64Array(2);
  const noisy = (key: Parameters<typeof hostWalk.step>[0], x: Float64Array) => x.map((value, i) => value + hostNormal(key, 2)[i]!);
  it.each<[string, Partial<typeof hostWalk>, RegExp]>([
    ['returns its argument', { step: (_, state) => [state, { size: 2 }] }, /fresh arrays and leaves its arguments/],
    [
      'returns a view of its argument',
      { step: (key, { x, steps }) => [{ x: noisy(key, x), steps: steps + 1, view: x.subarray(1) } as HostState, { size: 2 }] },
      /fresh arrays and leaves its arguments/,
    ],
    [
      'writes to its argument',
      {
        step: (key, { x, steps }) => {
          const next = { x: noisy(key, x), steps: steps + 1 };
          x.fill(0);
          return [next, { size: 2 }];
        },
      },
      /leaves its arguments/,
    ],
    ['lets init alias the position', { init: (x) => ({ x, steps: 0 }) }, /init gives fresh/],
    [
      'writes to the position',
      {
        init: (x) => {
          const state = { x: x.slice(), steps: 0 };
          x.fill(0);
          return state;
        },
      },
      /init gives fresh/,
    ],
    [
      'reuses its buffer for results',
      {
        step: (key, { x, steps }) => {
          reused.set(noisy(key, x));
          return [{ x: reused, steps: steps + 1 }, { size: 2 }];
        },
      },
      /stay as they are/,
    ],
    [
      'hides a state',
      { step: (key, { x, steps }) => [{ x: noisy(key, x), steps: steps + hidden++ }, { size: 2 }] },
      /nothing but its arguments/,
    ],
    ['ignores its key', { step: (_, { x, steps }) => [{ x: x.slice(), steps: steps + 1 }, { size: 2 }] }, /nothing but its arguments/],
    [
      'changes lengths',
      { step: (key, { x, steps }) => [{ x: Float64Array.of(...noisy(key, x), 1), steps: steps + 1 }, { size: 2 }] },
      /keeps the structure/,
    ],
    [
      'changes types',
      { step: (key, { x, steps }) => [{ x: Float32Array.from(noisy(key, x)), steps: steps + 1 } as unknown as HostState, { size: 2 }] },
      /keeps the structure/,
    ],
    [
      'keeps a function in its state',
      {
        init: (x) => ({ x: x.slice(), steps: 0, next: () => 1 }),
        step: (key, state) => [{ ...state, x: noisy(key, state.x) }, { size: 2 }],
      },
      /saved state/,
    ],
    [
      'lets overlapping steps share a buffer',
      {
        step: async (key, { x, steps }) => {
          shared = x.slice();
          await Promise.resolve();
          shared = noisy(key, shared);
          await Promise.resolve();
          return [{ x: shared.slice(), steps: steps + 1 }, { size: 2 }];
        },
      },
      /overlapping steps/,
    ],
    [
      'leaks in step',
      {
        step: (key, { x, steps }) => {
          scalar(1);
          return [{ x: noisy(key, x), steps: steps + 1 }, { size: 2 }];
        },
      },
      /leaks nothing/,
    ],
  ])('catches an algorithm that %s', async (_, change, test) => {
    const algorithm = { ...hostWalk, ...change };
    const failed = await asyncFailures((register) =>
      hostAlgorithmConformance({ name: 'bad', algorithm, position: hostPosition, it: register }),
    );
    expect(failed.some((name) => test.test(name))).toBe(true);
  });
});

const schedule = cosineSchedule({ peak: 0.1, totalSteps: 400, warmupSteps: 5 });

describe('optimizerConformance', () => {
  optimizerConformance({ name: 'sgd', optimizer: sgd({ learningRate: 0.1 }), it });
  optimizerConformance({
    name: 'sgd with everything',
    optimizer: sgd({ learningRate: schedule, momentum: 0.5, nesterov: true, weightDecay: 1e-4 }),
    it,
  });
  optimizerConformance({ name: 'adam', optimizer: adam({ learningRate: 0.1 }), it });
  optimizerConformance({ name: 'adamw', optimizer: adamw({ learningRate: schedule, weightDecay: 1e-3 }), it });
  optimizerConformance({ name: 'lamb', optimizer: lamb({ learningRate: 0.02 }), it });
  optimizerConformance({ name: 'gradient-normalised adam', optimizer: gradientNormalisedAdam({ learningRate: 0.1 }), it });
  optimizerConformance({ name: 'a chain', optimizer: chain(clipByGlobalNorm({ maxNorm: 1 }), sgd({ learningRate: 0.1 })), it });

  const good = sgd({ learningRate: 0.1, momentum: 0.5 });
  const changed = (update: Optimizer['update']): Optimizer => ({ ...good, update });
  it.each<[string, Optimizer, RegExp]>([
    [
      'climbs',
      changed((g, s, p) =>
        good.update(
          treeMap((x) => mul(x, -1), g),
          s as never,
          p,
        ),
      ),
      /descends/,
    ],
    ['returns the old state', changed((g, s, p) => ({ ...good.update(g, s as never, p), state: s })), /fresh tensors/],
    [
      'is random',
      changed((g, s, p) => ({ ...good.update(g, s as never, p), updates: treeMap((x) => mul(x, Math.random()), p) })),
      /nothing but its arguments/,
    ],
    ['changes the structure of its state', changed((g, s, p) => ({ ...good.update(g, s as never, p), state: [] })), /keeps structures/],
    [
      'returns gradients for updates',
      changed((g, s, p) => ({ updates: applyUpdates(g, g), state: good.update(g, s as never, p).state })),
      /descends/,
    ],
  ])('catches an optimiser that %s', (_, optimizer, test) => {
    expect(failures((register) => optimizerConformance({ name: 'bad', optimizer, it: register })).some((name) => test.test(name))).toBe(
      true,
    );
  });
});
