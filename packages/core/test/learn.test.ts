import './support/backend.js';
import type { CheckpointStore, Coreset, Key, Objective, Progress, Tree } from '@bpc/core';
import {
  ConfigError,
  disposeTree,
  foldIn,
  InterruptedError,
  iterate,
  key,
  keyToString,
  learn,
  loadTree,
  memoryStore,
  NonFiniteError,
  readMetadata,
  ShapeError,
  StorageError,
  sgd,
} from '@bpc/core';
import { clipByValue, memory, mul, scalar, tensor1d } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { bits, coreset, finalBits, options } from './support/learning.js';
import { noisyPull } from './support/quadratic.js';

describe('learn', () => {
  it('moves only the learnable parts, towards the optimum', async () => {
    const result = await learn(options({ steps: 300, learnable: { x: true } })).collect();
    for (const v of await result.x.data()) expect(Math.abs(v - 2)).toBeLessThan(0.2);
    expect(await result.y.data()).toEqual(await coreset.y.data());
    expect(await result.weights.data()).toEqual(await coreset.weights.data());
  });

  it('gives the same bits for the same key, others for another', async () => {
    const first = await finalBits();
    expect(await finalBits()).toEqual(first);
    expect(await finalBits({ key: key(4) })).not.toEqual(first);
  });

  it('yields each step with its value, and leaves the initial coreset alone', async () => {
    const before = await bits(coreset);
    const seen: [number, boolean][] = [];
    for await (const {
      step,
      value,
      coreset: { x },
    } of learn(options({ steps: 3 })))
      seen.push([step, Number.isFinite(value) && !x.isDisposed]);
    expect(seen).toEqual([
      [1, true],
      [2, true],
      [3, true],
    ]);
    expect(await bits(coreset)).toEqual(before);
  });

  it('applies the projection to every coreset', async () => {
    const project = (c: Coreset): Coreset => ({ ...c, x: clipByValue(c.x, 0, 1) });
    for await (const {
      coreset: { x },
    } of learn(options({ project, steps: 5 }))) {
      for (const v of await x.data()) expect(v >= 0 && v <= 1).toBe(true);
    }
  });

  it('keeps the number of tensors flat over steps, and leaves none behind', async () => {
    const start = memory().numTensors;
    const counts: number[] = [];
    for await (const _ of learn(options({ checkpoint: { store: memoryStore(), every: 2 } }))) counts.push(memory().numTensors);
    expect(new Set(counts).size).toBe(1);
    expect(memory().numTensors).toBe(start);
    for await (const { step } of learn(options())) if (step === 3) break;
    expect(memory().numTensors).toBe(start);
    disposeTree(await learn(options()).collect());
    expect(memory().numTensors).toBe(start);
  });
});

describe('a run that goes wrong', () => {
  it('stops with NonFiniteError when the learning rate diverges; the last good state is shown and saved', async () => {
    const store = memoryStore();
    const start = memory().numTensors;
    let shown: [string, number, boolean] | undefined;
    const onStop = async (reason: string, c: Coreset, step: number) => {
      shown = [reason, step, (await bits(c)).every(Number.isFinite)];
    };
    const error = await finalBits({ optimizer: sgd({ learningRate: 1e30 }), checkpoint: { store }, onStop }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(NonFiniteError);
    const { step } = error as NonFiniteError;
    expect(shown).toEqual(['non-finite', step, true]);
    expect(readMetadata((await store.read('checkpoint.safetensors')) as Uint8Array)['step']).toBe(step);
    expect(memory().numTensors).toBe(start);
  });

  it('notices a coreset that diverges although its objective has no value, or one that stays finite', async () => {
    for (const value of [undefined, () => scalar(1)]) {
      const objective: Objective<readonly Tree[]> = {
        name: 'doubles',
        init: () => [],
        prepare: async () => ({
          step: async (_, { x }) => ({ grad: { x: mul(x, -1) }, ...(value && { value: value() }), state: [] }),
          dispose: async () => undefined,
        }),
      };
      const error = await finalBits({ objective, learnable: { x: true }, optimizer: sgd({ learningRate: 1e15 }) }).catch((e: unknown) => e);
      expect(error).toBeInstanceOf(NonFiniteError);
      expect((error as Error).message).toMatch(/the sum of absolute values of the coreset is Infinity in step 3 of 20/);
    }
  });

  it('saves what it has when a step throws', async () => {
    const store = memoryStore();
    await expect(finalBits({ objective: noisyPull({ failAt: 7 }), checkpoint: { store } })).rejects.toThrow('experts is gone');
    expect(readMetadata((await store.read('checkpoint.safetensors')) as Uint8Array)['step']).toBe(7);
    expect(await finalBits({ checkpoint: { store } })).toEqual(await finalBits());
  });

  it('ends with StorageError when the store is full, leaving no tensors behind', async () => {
    const inner = memoryStore();
    let writes = 0;
    const store: CheckpointStore = {
      ...inner,
      write: async (name, bytes) => {
        if (++writes > 2) throw new StorageError('cannot write: ENOSPC', 'free disk space');
        await inner.write(name, bytes);
      },
    };
    const start = memory().numTensors;
    await expect(finalBits({ checkpoint: { store, every: 4 } })).rejects.toThrow(StorageError);
    expect(memory().numTensors).toBe(start);
    expect(readMetadata((await inner.read('checkpoint.safetensors')) as Uint8Array)['step']).toBe(8);
    expect(await finalBits({ checkpoint: { store: inner, every: 4 } })).toEqual(await finalBits());
  });
});

describe('bad options are refused before any work', () => {
  it.each([
    [{ learnable: { x: false } }, ConfigError, /no part/],
    [{ steps: -1 }, ConfigError, /steps is -1/],
    [{ steps: 1.5 }, ConfigError, /steps is 1.5/],
    [{ checkpoint: { store: memoryStore(), every: 0 } }, ConfigError, /checkpoint.every is 0/],
    [{ coreset: { ...coreset, weights: tensor1d([1]) } }, ShapeError, /weights \[1\]/],
  ])('%#', async (more, type, message) => {
    const attempt = async () => finalBits(more);
    await expect(attempt()).rejects.toThrow(type);
    await expect(attempt()).rejects.toThrow(message);
  });

  it('including a gradient of the wrong shape', async () => {
    const objective = {
      ...noisyPull(),
      prepare: async () => ({ step: async () => ({ grad: { x: scalar(1) }, state: [] }), dispose: async () => undefined }),
    };
    await expect(finalBits({ objective, learnable: { x: true } })).rejects.toThrow(
      /the gradient has float32\[\] at 'x', expected float32\[2,3\]/,
    );
  });
});

describe('iterate', () => {
  it('reports the first step, the last, and at most one per interval between', async () => {
    const reports: Progress<number>[] = [];
    const run = iterate({
      init: () => [] as const,
      step: async (_, state, i) => ({ state, info: i }),
      steps: 5000,
      key: key(0),
      onProgress: (p) => reports.push(p),
      progressInterval: 1000,
    });
    for await (const _ of run);
    expect(reports.map(({ step }) => step)).toEqual([1, 5000]);
    expect(reports[1]).toMatchObject({ total: 5000, info: 4999, eta: 0 });
    expect(reports[0]?.eta).toBeGreaterThan(0);
  });

  it('lets timers and signals in although no step ever leaves the event loop', async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 20);
    const run = iterate({
      init: () => [] as const,
      step: async (_, state, i) => {
        const end = performance.now() + 1;
        while (performance.now() < end);
        return { state, info: i };
      },
      steps: 3000,
      key: key(0),
      signal: controller.signal,
    });
    const error = await (async () => {
      for await (const _ of run);
    })().catch((e: unknown) => e);
    expect(error).toBeInstanceOf(InterruptedError);
    expect((error as InterruptedError).step).toBeLessThan(2000);
  });

  it('gives step i the key foldIn(key, i), on resume too', async () => {
    const keys: string[] = [];
    const step = async (k: Key, state: readonly [], i: number) => {
      keys[i] = keyToString(k);
      return { state, info: i };
    };
    const options = { init: () => [] as const, step, steps: 20, key: key(8), checkpoint: { store: memoryStore(), every: 5 } };
    for await (const { step: done } of iterate(options)) if (done === 12) break;
    keys.length = 0;
    for await (const _ of iterate(options));
    expect(keys.slice(10)).toEqual(Array.from({ length: 10 }, (_, i) => keyToString(foldIn(key(8), 10 + i))));
    expect(keys.findIndex((k) => k !== undefined)).toBe(10);
  });

  it('gives checkpoints that can be loaded as a tree', async () => {
    const store = memoryStore();
    const run = iterate({
      init: () => ({ x: scalar(0) }),
      step: async (_, __, i) => ({ state: { x: scalar(i) }, info: 0 }),
      steps: 3,
      key: key(0),
      checkpoint: { store, name: 'mine' },
    });
    for await (const _ of run);
    const { tree, metadata } = loadTree((await store.read('mine')) as Uint8Array, { x: scalar(0) });
    expect((await tree.x.data())[0]).toBe(2);
    expect(metadata).toMatchObject({ kind: 'run', step: 3 });
  });
});
