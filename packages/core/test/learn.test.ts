import '@tensorflow/tfjs-backend-cpu';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clipByValue, memory, scalar, tensor1d, tensor2d } from '@tensorflow/tfjs-core';
import {
  adam, CheckpointError, ConfigError, disposeTree, eagerRuntime, InterruptedError, iterate, key, learn, loadTree, memoryStore, NonFiniteError,
  readMetadata, sgd, ShapeError, StorageError,
} from '@bpc/core';
import type { CheckpointStore, Coreset, LearnOptions, Progress, Tree } from '@bpc/core';
import { fileStore } from '@bpc/core/node';
import { afterAll, describe, expect, it } from 'vitest';
import { noisyPull } from './support/quadratic.js';

const runtime = eagerRuntime();
const coreset: Coreset = { x: tensor2d([[1, -1, 0], [3, 2, 1]]), y: tensor2d([[1, 0], [0, 1]]), weights: tensor1d([1, 2]) };
const folder = mkdtempSync(join(tmpdir(), 'bpc-learn-'));
afterAll(() => rmSync(folder, { recursive: true }));

const options = (more: object = {}): LearnOptions<Tree> => ({
  objective: noisyPull() as never,
  coreset,
  optimizer: adam({ learningRate: 0.05 }),
  runtime,
  steps: 20,
  key: key(3),
  learnable: { x: true, weights: true },
  ...more,
});
const bits = async (c: Coreset) => [...await c.x.data(), ...await c.y.data(), ...await c.weights.data()];
const finalBits = async (more: object = {}) => {
  const result = await learn(options(more)).collect();
  const out = await bits(result);
  disposeTree(result);
  return out;
};

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
    for await (const { step, value, coreset: { x } } of learn(options({ steps: 3 }))) seen.push([step, Number.isFinite(value) && !x.isDisposed]);
    expect(seen).toEqual([[1, true], [2, true], [3, true]]);
    expect(await bits(coreset)).toEqual(before);
  });

  it('applies the projection to every coreset', async () => {
    const project = (c: Coreset): Coreset => ({ ...c, x: clipByValue(c.x, 0, 1) });
    for await (const { coreset: { x } } of learn(options({ project, steps: 5 }))) {
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

const stores: [string, () => CheckpointStore][] = [['memory', memoryStore], ['file', () => fileStore(join(folder, String(Math.random())))]];

describe.each(stores)('resuming from a %s store', (_, makeStore) => {
  it('ends with the bits of an uninterrupted run, wherever it was left', async () => {
    const expected = await finalBits();
    for (const [every, leaveAfter] of [[1, 7], [5, 12], [4, 19]] as const) {
      const checkpoint = { store: makeStore(), every };
      for await (const { step } of learn(options({ checkpoint }))) if (step === leaveAfter) break;
      const steps: number[] = [];
      let last: Coreset | undefined;
      const run = learn(options({ checkpoint, onProgress: (p: Progress<unknown>) => steps.push(p.step), progressInterval: 0 }));
      last = await run.collect();
      expect(steps[0]).toBe(Math.floor(leaveAfter / every) * every + 1);
      expect(await bits(last)).toEqual(expected);
    }
  });

  it('writes the same file as an uninterrupted run, and does no step when all are done', async () => {
    const [whole, parts] = [makeStore(), makeStore()];
    await finalBits({ checkpoint: { store: whole, every: 5 } });
    for await (const { step } of learn(options({ checkpoint: { store: parts, every: 3 } }))) if (step === 8) break;
    await finalBits({ checkpoint: { store: parts, every: 5 } });
    expect(await parts.read('checkpoint.safetensors')).toEqual(await whole.read('checkpoint.safetensors'));
    let steps = 0;
    await finalBits({ checkpoint: { store: whole }, onProgress: () => steps++ });
    expect(steps).toBe(0);
  });

  it('saves when aborted, says at which step, and resumes to the same bits', async () => {
    const checkpoint = { store: makeStore(), every: 1000 };
    const controller = new AbortController();
    const aborted = learn(options({ checkpoint, signal: controller.signal, onProgress: ({ step }: Progress<unknown>) => step === 6 && controller.abort(), progressInterval: 0 }));
    const error = await aborted.collect().catch((e: unknown) => e);
    expect(error).toBeInstanceOf(InterruptedError);
    expect((error as InterruptedError).step).toBe(6);
    expect(readMetadata(await checkpoint.store.read('checkpoint.safetensors') as Uint8Array)['step']).toBe(6);
    expect(await finalBits({ checkpoint })).toEqual(await finalBits());
  });
});

describe('resuming is refused', () => {
  const saved = async (config = {}) => {
    const store = memoryStore();
    await finalBits({ steps: 4, checkpoint: { store, config } });
    return store;
  };

  it.each([
    ['with another configuration', { checkpoint: { config: { ipc: 10 } } }, /settings\.ipc: saved 1, now 10/],
    ['with other learnable parts', { learnable: { x: true } }, /unexpected tensor|learnable/],
    ['with another key', { key: key(9) }, /another key/],
    ['with another optimiser state', { optimizer: sgd({ learningRate: 0.1 }) }, /unexpected tensor/],
    ['with another coreset size', { coreset: { ...coreset, x: tensor2d([[1, 2], [3, 4]]) } }, /is F32\[2,3\], expected F32\[2,2\]/],
    ['with fewer steps', { steps: 3 }, /after step 4, but only 3/],
  ])('%s', async (_, more: { checkpoint?: object }, message) => {
    const store = await saved({ ipc: 1 });
    const run = learn(options({ steps: 8, ...more, checkpoint: { store, config: { ipc: 1 }, ...more.checkpoint } }));
    const before = memory().numTensors;
    const error = await run.collect().catch((e: unknown) => e);
    expect(error).toBeInstanceOf(CheckpointError);
    expect((error as Error).message).toMatch(message);
    expect(memory().numTensors).toBe(before);
  });

  it('in another environment, unless inexact results are allowed', async () => {
    const store = await saved();
    const other = { ...runtime, describe: () => ({ ...runtime.describe(), threads: 7 }) };
    await expect(finalBits({ runtime: other, checkpoint: { store, config: {} } })).rejects.toThrow(/threads: saved nothing, now 7.*allow-inexact/);
    await finalBits({ runtime: other, checkpoint: { store, config: {}, allowInexact: true } });
  });

  it('from a damaged file', async () => {
    const store = await saved();
    const bytes = await store.read('checkpoint.safetensors') as Uint8Array;
    await store.write('checkpoint.safetensors', bytes.subarray(0, bytes.length - 3));
    await expect(finalBits({ checkpoint: { store, config: {} } })).rejects.toThrow(CheckpointError);
  });
});

describe('a run that goes wrong', () => {
  it('stops with NonFiniteError when the learning rate diverges; the last good state is shown and saved', async () => {
    const store = memoryStore();
    const start = memory().numTensors;
    let shown: [string, number, boolean] | undefined;
    const onStop = async (reason: string, c: Coreset, step: number) => { shown = [reason, step, (await bits(c)).every(Number.isFinite)]; };
    const error = await finalBits({ optimizer: sgd({ learningRate: 1e30 }), checkpoint: { store }, onStop }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(NonFiniteError);
    const { step } = error as NonFiniteError;
    expect(shown).toEqual(['non-finite', step, true]);
    expect(readMetadata(await store.read('checkpoint.safetensors') as Uint8Array)['step']).toBe(step);
    expect(memory().numTensors).toBe(start);
  });

  it('saves what it has when a step throws', async () => {
    const store = memoryStore();
    await expect(finalBits({ objective: noisyPull({ failAt: 7 }), checkpoint: { store } })).rejects.toThrow('experts is gone');
    expect(readMetadata(await store.read('checkpoint.safetensors') as Uint8Array)['step']).toBe(7);
    expect(await finalBits({ checkpoint: { store } })).toEqual(await finalBits());
  });

  it('ends with StorageError when the store is full, leaving no tensors behind', async () => {
    const inner = memoryStore();
    let writes = 0;
    const store: CheckpointStore = { ...inner, write: async (name, bytes) => {
      if (++writes > 2) throw new StorageError('cannot write: ENOSPC', 'free disk space');
      await inner.write(name, bytes);
    } };
    const start = memory().numTensors;
    await expect(finalBits({ checkpoint: { store, every: 4 } })).rejects.toThrow(StorageError);
    expect(memory().numTensors).toBe(start);
    expect(readMetadata(await inner.read('checkpoint.safetensors') as Uint8Array)['step']).toBe(8);
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
    const objective = { ...noisyPull(), prepare: async () => ({ step: async () => ({ grad: { x: scalar(1) }, state: [] }), dispose: async () => undefined }) };
    await expect(finalBits({ objective, learnable: { x: true } })).rejects.toThrow(/the gradient has float32\[\] at 'x', expected float32\[2,3\]/);
  });
});

describe('iterate', () => {
  it('reports the first step, the last, and at most one per interval between', async () => {
    const reports: Progress<number>[] = [];
    const run = iterate({ init: () => [] as const, step: async (_, state, i) => ({ state, info: i }), steps: 5000, key: key(0), onProgress: (p) => reports.push(p), progressInterval: 1000 });
    for await (const _ of run);
    expect(reports.map(({ step }) => step)).toEqual([1, 5000]);
    expect(reports[1]).toMatchObject({ total: 5000, info: 4999, eta: 0 });
    expect(reports[0]?.eta).toBeGreaterThan(0);
  });

  it('gives checkpoints that can be loaded as a tree', async () => {
    const store = memoryStore();
    const run = iterate({ init: () => ({ x: scalar(0) }), step: async (_, __, i) => ({ state: { x: scalar(i) }, info: 0 }), steps: 3, key: key(0), checkpoint: { store, name: 'mine' } });
    for await (const _ of run);
    const { tree, metadata } = loadTree(await store.read('mine') as Uint8Array, { x: scalar(0) });
    expect((await tree.x.data())[0]).toBe(2);
    expect(metadata).toMatchObject({ kind: 'run', step: 3 });
  });
});
