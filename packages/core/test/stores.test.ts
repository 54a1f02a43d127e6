import './support/backend.js';
import { chmodSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CheckpointStore } from '@bpc/core';
import {
  CheckpointError,
  decodeSafetensors,
  encodeSafetensors,
  loadCoreset,
  loadTree,
  memoryStore,
  readMetadata,
  StorageError,
  saveCoreset,
  saveTree,
} from '@bpc/core';
import { fileStore } from '@bpc/core/node';
import { memory, scalar, tensor, tensor1d, tensor2d } from '@tensorflow/tfjs-core';
import { afterAll, describe, expect, it } from 'vitest';

const root = mkdtempSync(join(tmpdir(), 'bpc-store-'));
afterAll(() => rmSync(root, { recursive: true }));
let count = 0;
const freshFolder = () => join(root, 'nested', String(count++));
const stores: [string, () => CheckpointStore][] = [
  ['memoryStore', memoryStore],
  ['fileStore', () => fileStore(freshFolder())],
];

describe.each(stores)('%s', (_, make) => {
  it('reads what was written last, lists names in order, forgets what is removed', async () => {
    const store = make();
    expect(await store.read('a')).toBeUndefined();
    expect(await store.list()).toEqual([]);
    await store.write('b.safetensors', Uint8Array.of(1));
    await store.write('a', Uint8Array.of(2));
    await store.write('a', Uint8Array.of(3, 4));
    expect(await store.read('a')).toEqual(Uint8Array.of(3, 4));
    expect(await store.list()).toEqual(['a', 'b.safetensors']);
    await store.remove('a');
    await store.remove('a');
    expect(await store.list()).toEqual(['b.safetensors']);
  });

  it('does not share memory with the bytes given', async () => {
    const store = make();
    const bytes = Uint8Array.of(1);
    await store.write('a', bytes);
    bytes[0] = 9;
    expect(await store.read('a')).toEqual(Uint8Array.of(1));
  });

  it.each(['../escape', '.hidden', 'a/b', '', 'a\\b', 'x'.repeat(300)])('refuses the name %j', async (name) => {
    await expect(make().write(name, Uint8Array.of(1))).rejects.toThrow(CheckpointError);
  });
});

describe('fileStore', () => {
  it('ignores what a killed write left, and removes it once its process is gone for a minute', async () => {
    const folder = freshFolder();
    const store = fileStore(folder);
    await store.write('a', Uint8Array.of(1));
    const leftover = '.a.999999999-0.tmp';
    const running = `.a.${process.pid}-0.tmp`;
    const recent = '.a.999999998-0.tmp';
    for (const file of [leftover, running, recent]) writeFileSync(join(folder, file), 'half');
    for (const file of [leftover, running]) utimesSync(join(folder, file), 0, 0);
    expect(await store.list()).toEqual(['a']);
    expect(await store.read('a')).toEqual(Uint8Array.of(1));
    await fileStore(folder).write('b', Uint8Array.of(2));
    expect(readdirSync(folder).sort()).toEqual([running, recent, 'a', 'b'].sort());
  });

  it('leaves one of the written versions after overlapping writes, and no temporary file', async () => {
    const folder = freshFolder();
    const store = fileStore(folder);
    await Promise.all(Array.from({ length: 10 }, (_, i) => store.write('a', new Uint8Array(5000).fill(i))));
    const bytes = await store.read('a');
    expect(new Set(bytes).size).toBe(1);
    expect(readdirSync(folder)).toEqual(['a']);
  });

  it('throws StorageError with a remedy if a file stands where the folder should be', async () => {
    const file = join(root, 'file');
    writeFileSync(file, '');
    const error = await fileStore(file)
      .write('a', Uint8Array.of(1))
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(StorageError);
    expect((error as StorageError).remedy).toMatch(/choose another folder/);
    await expect(fileStore(file).list()).rejects.toThrow(StorageError);
  });

  // Permissions do not bind root.
  it.skipIf(process.getuid?.() === 0 || process.platform === 'win32')(
    'throws StorageError for a read-only folder, keeping the old bytes',
    async () => {
      const folder = freshFolder();
      const store = fileStore(folder);
      await store.write('a', Uint8Array.of(1));
      chmodSync(folder, 0o555);
      await expect(store.write('a', Uint8Array.of(2))).rejects.toThrow(/EACCES.*writable/);
      chmodSync(folder, 0o755);
      expect(await store.read('a')).toEqual(Uint8Array.of(1));
    },
  );
});

describe('saveTree and loadTree', () => {
  const tree = {
    layers: [
      {
        w: tensor2d([
          [1, 2],
          [3, 4],
        ]),
      },
      { w: tensor1d([5, 6], 'int32') },
    ],
    flag: tensor([true, false], [2], 'bool'),
    t: scalar(-0),
  };

  it('keep structure, dtypes, bits and the record', async () => {
    const metadata = { step: 3, classNames: ['zero', 'one'], normalisation: { mean: [0.5], std: null }, nested: { b: 1, a: true } };
    const loaded = loadTree(await saveTree(tree, metadata), tree);
    expect(loaded.metadata).toEqual(metadata);
    expect(loaded.tree.layers.map(({ w }) => [w.dtype, w.shape])).toEqual([
      ['float32', [2, 2]],
      ['int32', [2]],
    ]);
    expect([...(await loaded.tree.flag.data())]).toEqual([1, 0]);
    expect(Object.is((await loaded.tree.t.data())[0], -0)).toBe(true);
  });

  it('write equal bytes for equal contents in any order', async () => {
    expect(await saveTree({ a: scalar(1), b: scalar(2) }, { x: 1, y: 2 })).toEqual(
      await saveTree({ b: scalar(2), a: scalar(1) }, { y: 2, x: 1 }),
    );
  });

  it.each([
    ['a missing tensor', { ...tree, extra: scalar(1) }, /no tensor 'extra', expected F32\[\]/],
    ['a surplus tensor', { layers: tree.layers, flag: tree.flag }, /unexpected tensor 't'/],
    ['a wrong shape', { ...tree, t: tensor1d([1]) }, /'t' is F32\[\], expected F32\[1\]/],
    ['a wrong dtype', { ...tree, t: scalar(1, 'int32') }, /'t' is F32\[\], expected I32\[\]/],
  ])('refuse %s without leaking', async (_, like, message) => {
    const bytes = await saveTree(tree);
    const before = memory().numTensors;
    expect(() => loadTree(bytes, like)).toThrow(CheckpointError);
    expect(() => loadTree(bytes, like)).toThrow(message);
    expect(memory().numTensors).toBe(before);
  });

  it('refuse numbers that JSON cannot hold, and other formats', async () => {
    await expect(saveTree(tree, { loss: Number.NaN })).rejects.toThrow(CheckpointError);
    expect(() => readMetadata(encodeSafetensors({}, { format: 'bpc-99', bpc: '{}' }))).toThrow(/'bpc-99'/);
    expect(() => readMetadata(encodeSafetensors({}, { format: 'bpc-1', bpc: '[' }))).toThrow(CheckpointError);
  });
});

describe('saveCoreset and loadCoreset', () => {
  const coreset = {
    x: tensor([1, 2, 3, 4, 5, 6, 7, 8], [2, 2, 2, 1]),
    y: tensor2d([
      [1, 0, 0],
      [0, 1, 0],
    ]),
    weights: tensor1d([1, 2]),
  };

  it('keep the coreset and its record', async () => {
    const { coreset: loaded, metadata } = loadCoreset(await saveCoreset(coreset, { dataset: 'mnist' }), {
      inputShape: [2, 2, 1],
      classes: 3,
    });
    expect(await loaded.x.array()).toEqual(await coreset.x.array());
    expect(await loaded.weights.array()).toEqual([1, 2]);
    expect(metadata).toEqual({ kind: 'coreset', dataset: 'mnist' });
  });

  it.each([
    ['another input shape', coreset, { inputShape: [28, 28, 1] }, /input has shape \[2,2,1\], expected \[28,28,1\]/],
    ['another number of classes', coreset, { classes: 10 }, /3 classes, expected 10/],
    ['NaN', { ...coreset, weights: tensor1d([1, Number.NaN]) }, {}, /'weights' has values that are not finite/],
    ['negative weights', { ...coreset, weights: tensor1d([1, -1]) }, {}, /negative/],
    ['rows that do not fit', { ...coreset, weights: tensor1d([1]) }, {}, /1 rows but 'x' has 2/],
    ['integers', { ...coreset, weights: tensor1d([1, 1], 'int32') }, {}, /dtype I32/],
  ])('refuse %s', async (_, bad, expected, message) => {
    const bytes = await saveCoreset(bad as never, {});
    expect(() => loadCoreset(bytes, expected)).toThrow(CheckpointError);
    expect(() => loadCoreset(bytes, expected)).toThrow(message);
  });

  it('refuse a file without inputs', () => {
    expect(() => loadCoreset(encodeSafetensors({}))).toThrow(/no tensor 'x', so it is no coreset/);
    expect(decodeSafetensors(encodeSafetensors({})).tensors.size).toBe(0);
  });
});
