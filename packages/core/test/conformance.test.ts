import './support/backend.js';
import type { Algorithm, Optimizer } from '@bpc/core';
import {
  adam,
  adamw,
  applyUpdates,
  chain,
  clipByGlobalNorm,
  cosineSchedule,
  gradientNormalisedAdam,
  lamb,
  normal,
  sgd,
  treeMap,
} from '@bpc/core';
import { algorithmConformance, optimizerConformance } from '@bpc/core/testing';
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
