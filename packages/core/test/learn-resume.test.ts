import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CheckpointStore, Progress } from '@bpc/core';
import { CheckpointError, InterruptedError, key, learn, memoryStore, readMetadata, sgd } from '@bpc/core';
import { fileStore } from '@bpc/core/node';
import { memory, tensor2d, version_core } from '@tensorflow/tfjs-core';
import { afterAll, describe, expect, it } from 'vitest';
import { testBackend } from './support/backend.js';
import { bits, coreset, finalBits, options, runtime } from './support/learning.js';

const folder = mkdtempSync(join(tmpdir(), 'bpc-learn-'));
afterAll(() => rmSync(folder, { recursive: true }));

const stores: [string, () => CheckpointStore][] = [
  ['memory', memoryStore],
  ['file', () => fileStore(join(folder, String(Math.random())))],
];

describe.each(stores)('resuming from a %s store', (_, makeStore) => {
  it('ends with the bits of an uninterrupted run, wherever it was left', async () => {
    const expected = await finalBits();
    for (const [every, leaveAfter] of [
      [1, 7],
      [5, 12],
      [4, 19],
    ] as const) {
      const checkpoint = { store: makeStore(), every };
      for await (const { step } of learn(options({ checkpoint }))) if (step === leaveAfter) break;
      const steps: number[] = [];
      const run = learn(options({ checkpoint, onProgress: (p: Progress<unknown>) => steps.push(p.step), progressInterval: 0 }));
      const last = await run.collect();
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
    const aborted = learn(
      options({
        checkpoint,
        signal: controller.signal,
        onProgress: ({ step }: Progress<unknown>) => step === 6 && controller.abort(),
        progressInterval: 0,
      }),
    );
    const error = await aborted.collect().catch((e: unknown) => e);
    expect(error).toBeInstanceOf(InterruptedError);
    expect((error as InterruptedError).step).toBe(6);
    expect(readMetadata((await checkpoint.store.read('checkpoint.safetensors')) as Uint8Array)['step']).toBe(6);
    expect(await finalBits({ checkpoint })).toEqual(await finalBits());
  });
});

describe('resuming is refused', () => {
  const saved = async (config = {}) => {
    const store = memoryStore();
    await finalBits({ steps: 4, checkpoint: { store, config } });
    return store;
  };

  it.each<[string, { readonly checkpoint?: object; readonly [option: string]: unknown }, RegExp]>([
    ['with another configuration', { checkpoint: { config: { ipc: 10 } } }, /settings\.ipc: saved 1, now 10/],
    ['with other learnable parts', { learnable: { x: true } }, /unexpected tensor|learnable/],
    ['with another key', { key: key(9) }, /another key/],
    ['with another optimiser state', { optimizer: sgd({ learningRate: 0.1 }) }, /unexpected tensor/],
    [
      'with another coreset size',
      {
        coreset: {
          ...coreset,
          x: tensor2d([
            [1, 2],
            [3, 4],
          ]),
        },
      },
      /is F32\[2,3\], expected F32\[2,2\]/,
    ],
    [
      'from another initial coreset, be it one bit',
      {
        coreset: {
          ...coreset,
          y: tensor2d([
            [1, 0],
            [2 ** -149, 1],
          ]),
        },
      },
      /initialCoreset: saved "[0-9a-f]{16}", now "[0-9a-f]{16}"/,
    ],
    ['with fewer steps', { steps: 3 }, /after step 4, but only 3/],
  ])('%s', async (_, more, message) => {
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
    await expect(finalBits({ runtime: other, checkpoint: { store, config: {} } })).rejects.toThrow(
      /threads: saved nothing, now 7.*allow-inexact/,
    );
    await finalBits({ runtime: other, checkpoint: { store, config: {}, allowInexact: true } });
  });

  it('on another engine, processor or version of tfjs, whose arithmetic may differ', async () => {
    const store = await saved();
    const { environment } = readMetadata((await store.read('checkpoint.safetensors')) as Uint8Array);
    expect(environment).toMatchObject({
      name: `tfjs:${testBackend}`,
      engine: process.versions.v8,
      architecture: process.arch,
      tfjs: version_core,
    });
    const versions = Object.getOwnPropertyDescriptor(process, 'versions') as PropertyDescriptor;
    Object.defineProperty(process, 'versions', { ...versions, value: { ...process.versions, v8: '1.2.3' } });
    try {
      await expect(finalBits({ checkpoint: { store, config: {} } })).rejects.toThrow(/engine: saved ".*", now "1.2.3"/);
    } finally {
      Object.defineProperty(process, 'versions', versions);
    }
  });

  it('from a damaged file', async () => {
    const store = await saved();
    const bytes = (await store.read('checkpoint.safetensors')) as Uint8Array;
    await store.write('checkpoint.safetensors', bytes.subarray(0, bytes.length - 3));
    await expect(finalBits({ checkpoint: { store, config: {} } })).rejects.toThrow(CheckpointError);
  });
});
