import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import {
  cacheFolder,
  drawIndices,
  getDataset,
  listDatasets,
  measureNormalisation,
  parseIdx,
  parseManifest,
  shippedManifest,
  toFloat,
} from '@bpc/bench';
import { ChecksumError, ConfigError, ShapeError } from '@bpc/core';
import { describe, expect, it } from 'vitest';
import { idx, temporaryFolder, tinyFiles, tinyManifest, tinyTarball } from './data-helpers.js';

const tally = (labels: ArrayLike<number>, classes: number) =>
  Array.from({ length: classes }, (_, c) => Array.from(labels).filter((label) => label === c).length);

function folderWith(files: Readonly<Record<string, Uint8Array>>): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'tiny'));
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, 'tiny', name), bytes);
  return folder;
}

describe('digits', () => {
  it('need no network and split 1197 / 300 / 300, validation and test class-balanced', async () => {
    const { train, validation, test, shape, classes } = await getDataset('digits', { offline: true });
    expect([train.count, validation.count, test.count]).toEqual([1197, 300, 300]);
    expect([train.role, validation.role, test.role]).toEqual(['train', 'validation', 'test']);
    expect(shape).toEqual([8, 8, 1]);
    expect(tally(validation.labels, classes)).toEqual(new Array(10).fill(30));
    expect(tally(test.labels, classes)).toEqual(new Array(10).fill(30));
    expect(Math.max(...train.images)).toBe(16);
  });

  it('are the embedded table, every row in exactly one split', async () => {
    const { train, validation, test } = await getDataset('digits');
    const rows = [train, validation, test].flatMap(({ images, labels, count }) =>
      Array.from({ length: count }, (_, i) => [...images.subarray(64 * i, 64 * i + 64), labels[i]].join(',')),
    );
    const table = gunzipSync(readFileSync(new URL('../data/digits.csv.gz', import.meta.url))).toString();
    expect(rows.sort()).toEqual(table.trim().split('\n').sort());
  });

  it('are split by the lists that drawIndices draws again', () => {
    const division = shippedManifest().datasets['digits']?.division;
    if (division?.kind !== 'lists' || division.test === undefined) throw new Error('digits has no stored lists');
    const table = gunzipSync(readFileSync(new URL('../data/digits.csv.gz', import.meta.url)))
      .toString()
      .trim()
      .split('\n');
    const labels = table.map((line) => Number(line.split(',').at(-1)));
    const { validation, test } = division;
    const drawn = drawIndices({ labels, classes: 10, perClass: validation.perClass, seed: validation.seed });
    expect(drawn).toEqual(validation.indices);
    expect(drawIndices({ labels, classes: 10, perClass: test.perClass, seed: test.seed, exclude: drawn })).toEqual(test.indices);
  });

  it('carry the mean and standard deviation of their training split', async () => {
    const { train, normalisation } = await getDataset('digits');
    const values = toFloat(train, { start: 0, end: train.count }, { scale: 16, mean: [0], std: [1] });
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length;
    expect(normalisation.mean[0]).toBeCloseTo(mean, 7);
    expect(normalisation.std[0]).toBeCloseTo(Math.sqrt(variance), 7);
    expect(measureNormalisation(train, 16)).toEqual(normalisation);
  });
});

/** The stored validation list of a data set. */
function validationList(name: string) {
  const division = shippedManifest().datasets[name]?.division;
  if (division?.kind !== 'lists') throw new Error(`${name} has no stored list`);
  return division.validation;
}

describe('the shipped manifest', () => {
  it.each([
    ['mnist', 60_000],
    ['fashion-mnist', 60_000],
    ['cifar10', 50_000],
  ])('sets 5 000 different training images of %s aside, and its counts add up', (name, count) => {
    const { indices } = validationList(name);
    expect(new Set(indices).size).toBe(5000);
    expect(Math.max(...indices)).toBeLessThan(count);
    expect(shippedManifest().datasets[name]?.splits).toEqual({ train: count - 5000, validation: 5000, test: 10_000 });
  });

  it('notices an edited index list', async () => {
    const manifest = structuredClone(shippedManifest());
    const division = manifest.datasets['digits']?.division;
    if (division?.kind !== 'lists') throw new Error('digits has no stored lists');
    division.validation.indices.splice(0, 1, 1796);
    await expect(getDataset('digits', { manifest })).rejects.toThrow(ChecksumError);
  });
});

describe("the user's folder", () => {
  it('is looked at first, and may hold the files plain, gzipped or with dots', async () => {
    const [a = '', b = '', c = '', d = ''] = Object.keys(tinyFiles);
    const bytes = (name: string) => tinyFiles[name] ?? new Uint8Array();
    const dataDir = folderWith({
      [a]: bytes(a),
      [`${b}.gz`]: gzipSync(bytes(b)),
      't10k-images.idx3-ubyte': bytes(c),
      't10k-labels.idx1-ubyte.gz': gzipSync(bytes(d)),
    });
    const manifest = tinyManifest(tinyTarball());
    const cacheDir = temporaryFolder();
    const tiny = await getDataset('tiny', { dataDir, cacheDir, offline: true, manifest });
    expect(Array.from(tiny.test.labels)).toEqual([1, 1, 0, 0]);
    expect(await listDatasets({ dataDir, cacheDir, manifest })).toMatchObject([
      { name: 'tiny', found: 'data folder', path: join(dataDir, 'tiny') },
    ]);
    expect(await listDatasets({ cacheDir, manifest })).toMatchObject([{ name: 'tiny', bytes: expect.any(Number) }]);
    expect((await listDatasets({ cacheDir, manifest }))[0]).not.toHaveProperty('found');
  });

  it('with a changed file is a ChecksumError that names it', async () => {
    const changed = Uint8Array.from(tinyFiles['train-images-idx3-ubyte'] ?? []);
    changed[20] = 99;
    const dataDir = folderWith({ ...tinyFiles, 'train-images-idx3-ubyte': changed });
    const attempt = getDataset('tiny', { dataDir, offline: true, manifest: tinyManifest(tinyTarball()) });
    await expect(attempt).rejects.toThrow(ChecksumError);
    await expect(attempt).rejects.toThrow(/tiny.train-images-idx3-ubyte .*replace/);
  });

  it('with a torn gzip file is a ChecksumError', async () => {
    const { 'train-images-idx3-ubyte': plain = new Uint8Array(), ...others } = tinyFiles;
    const dataDir = folderWith({ ...others, 'train-images-idx3-ubyte.gz': gzipSync(plain).subarray(0, 30) });
    await expect(getDataset('tiny', { dataDir, offline: true, manifest: tinyManifest(tinyTarball()) })).rejects.toThrow(ChecksumError);
  });

  it('that does not exist is a ConfigError naming the option', async () => {
    const attempt = getDataset('mnist', { dataDir: join(temporaryFolder(), 'nowhere'), offline: true });
    await expect(attempt).rejects.toThrow(ConfigError);
    await expect(attempt).rejects.toThrow(/dataDir is .*nowhere/);
  });
});

describe('bad files with the right hash', () => {
  const spoiled = (name: string, bytes: Uint8Array) => {
    const files = { ...tinyFiles, [name]: bytes };
    return getDataset('tiny', { dataDir: folderWith(files), offline: true, manifest: tinyManifest(tinyTarball(), files) });
  };
  it.each([
    [
      'a label outside the classes',
      'train-labels-idx1-ubyte',
      idx([8], [0, 1, 0, 1, 0, 1, 0, 2]),
      ConfigError,
      /label 2 of point 7 \(train\) of tiny is outside the classes 0 … 1/,
    ],
    [
      'fewer labels than images',
      'train-labels-idx1-ubyte',
      idx([7], [0, 1, 0, 1, 0, 1, 0]),
      ShapeError,
      /tiny has 5 train images in these files, expected 6/,
    ],
    ['images of another size', 't10k-images-idx3-ubyte', idx([4, 3, 2], new Array(24).fill(0)), ShapeError, /3 × 2, expected 2 × 3/],
    [
      'a label file in place of the images',
      'train-images-idx3-ubyte',
      idx([8], [0, 1, 0, 1, 0, 1, 0, 1]),
      ShapeError,
      /0 0 8 1, expected the idx magic 0 0 8 3/,
    ],
  ])('%s is a typed error', async (_, name, bytes, type, message) => {
    const attempt = spoiled(name, bytes);
    await expect(attempt).rejects.toThrow(type);
    await expect(attempt).rejects.toThrow(message);
  });

  it('parseIdx refuses empty, truncated and surplus bytes', () => {
    const good = idx([2, 2], [1, 2, 3, 4]);
    expect(Array.from(parseIdx(good, 'file', 2).data)).toEqual([1, 2, 3, 4]);
    expect(() => parseIdx(new Uint8Array(), 'file', 2)).toThrow(ShapeError);
    expect(() => parseIdx(good.subarray(0, 9), 'file', 2)).toThrow(/ends inside its idx header/);
    expect(() => parseIdx(good.subarray(0, -1), 'file', 2)).toThrow(/3 values, expected 4/);
    expect(() => parseIdx(Uint8Array.of(...good, 0), 'file', 2)).toThrow(/5 values, expected 4/);
  });
});

describe('options', () => {
  it('refuse an unknown data set and list the known ones', async () => {
    const attempt = getDataset('mnits');
    await expect(attempt).rejects.toThrow(ConfigError);
    await expect(attempt).rejects.toThrow(/'mnits'.*digits, mnist, fashion-mnist, cifar10/);
    await expect(getDataset('constructor')).rejects.toThrow(ConfigError);
  });

  it('refuse a manifest with unknown or missing fields, naming them', () => {
    expect(() => parseManifest({ version: 1, datasets: { x: { format: 'idx' } } })).toThrow(/datasets\.x/);
    expect(() => parseManifest({ version: 1, datasets: {}, more: 1 })).toThrow(/more/);
  });

  it('put images and labels into shared memory only when asked', async () => {
    const { train, test } = await getDataset('digits', { shared: true });
    expect(train.images.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(test.labels.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect((await getDataset('digits')).train.images.buffer).toBeInstanceOf(ArrayBuffer);
  });

  it('name the cache folder: BPC_CACHE before the platform', () => {
    expect(cacheFolder({ BPC_CACHE: 'here' })).toBe('here');
    expect(cacheFolder({ XDG_CACHE_HOME: 'there', LOCALAPPDATA: 'there' })).toMatch(/bpc$/);
  });
});

describe('toFloat', () => {
  it('is (u / scale − mean) / std of the chosen points, in their order', async () => {
    const { train } = await getDataset('tiny', { dataDir: folderWith(tinyFiles), offline: true, manifest: tinyManifest(tinyTarball()) });
    const expected = [50, 51, 52, 53, 54, 55, 0, 1, 2, 3, 4, 5].map((u) => Math.fround((u / 255 - 0.5) / 0.25));
    const normalisation = { scale: 255, mean: [0.5], std: [0.25] };
    expect(Array.from(toFloat(train, [3, 0], normalisation))).toEqual(expected);
    expect(toFloat(train, { start: 1, end: 3 }, normalisation)).toEqual(toFloat(train, Int32Array.of(1, 2), normalisation));
    expect(() => toFloat(train, [6], normalisation)).toThrow(/index 6 is outside the 6 points of train/);
    expect(() => toFloat(train, { start: 4, end: 7 }, normalisation)).toThrow(ConfigError);
    expect(() => toFloat(train, { start: 4, end: 2 }, normalisation)).toThrow(ConfigError);
    expect(() => toFloat(train, [0], { scale: 1, mean: [0, 0], std: [1, 1] })).toThrow(/2 means/);
  });

  it('normalises every channel with its own mean and standard deviation', () => {
    const split = { role: 'train', count: 1, shape: [1, 2, 3], images: Uint8Array.of(1, 2, 3, 4, 5, 6), labels: Int32Array.of(0) } as const;
    expect(Array.from(toFloat(split, [0], { scale: 1, mean: [1, 2, 3], std: [1, 3, 0.5] }))).toEqual([0, 0, 0, 3, 1, 6]);
    expect(measureNormalisation(split, 1)).toEqual({ scale: 1, mean: [2.5, 3.5, 4.5], std: [1.5, 1.5, 1.5] });
  });
});
