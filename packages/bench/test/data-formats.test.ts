import { join } from 'node:path';
import { type Dataset, drawIndices, getDataset, getSoftLabels, parseManifest } from '@bpc/bench';
import { ChecksumError, ConfigError, ShapeError, StorageError } from '@bpc/core';
import { encode as encodePng } from 'fast-png';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { readPngStrips } from '../src/data/readers/png-strips.js';
import {
  bytesOf,
  dataFolderWith,
  flatJpeg,
  h5pyFile,
  imagesOf,
  listed,
  loadMiniature,
  type MiniatureSet,
  miniatureManifest,
  numpyArrays,
  pillowGreyJpeg,
  scipyMat,
  unpacked,
} from './data-archives.js';
import { idx } from './data-helpers.js';

const json = (value: unknown): Uint8Array => bytesOf(JSON.stringify(value));

/** One validation point per class, drawn anew; three training points of each of two classes leave four. */
const perClass = { kind: 'per-class', seed: 5, perClass: 1 };
const shape = [2, 3, 3] as const;
const size = 18;
/** Byte `p` of image `i`. */
const pixel = (i: number, p: number): number => (i * 40 + p) % 256;
const image = (i: number): number[] => Array.from({ length: size }, (_, p) => pixel(i, p));

/** Rows of a PNG are images. */
const strip = (images: readonly number[]): Uint8Array =>
  encodePng({ width: 6, height: images.length, channels: 3, depth: 8, data: Uint8Array.from(images.flatMap(image)) });

const trainLabels = [0, 1, 0, 1, 0, 1];
const strips: MiniatureSet = {
  format: 'png-strips',
  shape,
  classNames: ['cat', 'dog'],
  splits: { train: 4, validation: 2, test: 2 },
  division: perClass,
  files: {
    train1: ['data_batch_1.png', strip([0, 1, 2])],
    train2: ['data_batch_2.png', strip([3, 4, 5])],
    test: ['test_batch.png', strip([6, 7])],
    trainLabels: ['train_lables.json', json(trainLabels)],
    testLabels: ['test_lables.json', json([1, 0])],
  },
};
/** Planes of colour instead of interleaved pixels, a label before each image. */
const record = (labels: readonly number[], i: number): number[] => [
  ...labels,
  ...[0, 1, 2].flatMap((c) => Array.from({ length: 6 }, (_, p) => pixel(i, 3 * p + c))),
];
const records: MiniatureSet = {
  ...strips,
  format: 'cifar-10',
  files: {
    train1: ['data_batch_1.bin', Uint8Array.from([0, 1, 2].flatMap((i) => record([trainLabels[i] ?? 0], i)))],
    train2: ['data_batch_2.bin', Uint8Array.from([3, 4, 5].flatMap((i) => record([trainLabels[i] ?? 0], i)))],
    test: ['test_batch.bin', Uint8Array.from([...record([1], 6), ...record([0], 7)])],
  },
};

const replaced = (set: MiniatureSet, role: string, bytes: Uint8Array): MiniatureSet => ({
  ...set,
  files: { ...set.files, [role]: [set.files[role]?.[0] ?? role, bytes] },
});

async function refused(set: MiniatureSet, type: new (...args: never[]) => Error, message: RegExp): Promise<void> {
  const attempt = loadMiniature(set);
  await expect(attempt).rejects.toThrow(type);
  await expect(attempt).rejects.toThrow(message);
}

/** Every training image is where its label says, in train or validation, none twice. */
function expectWhole({ train, validation, test }: Dataset): void {
  const chosen = drawIndices({ labels: trainLabels, classes: 2, perClass: 1, seed: 5 });
  const rest = [0, 1, 2, 3, 4, 5].filter((i) => !chosen.includes(i));
  expect(imagesOf(train)).toEqual(rest.map(image));
  expect(Array.from(train.labels)).toEqual(rest.map((i) => trainLabels[i]));
  expect(imagesOf(validation)).toEqual(chosen.map(image));
  expect(Array.from(validation.labels)).toEqual([trainLabels[chosen[0] ?? 0], trainLabels[chosen[1] ?? 0]]);
  expect(imagesOf(test)).toEqual([image(6), image(7)]);
  expect(Array.from(test.labels)).toEqual([1, 0]);
}

describe('CIFAR-10 as PNG strips', () => {
  it('gives every image and label its place, across strips', async () => {
    expectWhole(await loadMiniature(strips));
  });

  it('is decoded one strip at a time, each only when the images before are used up', async () => {
    const log: string[] = [];
    const read = async (role: string): Promise<Uint8Array> => {
      log.push(role);
      return strips.files[role]?.[1] ?? new Uint8Array();
    };
    const { train } = await readPngStrips({
      name: 'tiny',
      shape,
      classes: 2,
      labels: undefined,
      folder: '',
      roles: Object.keys(strips.files),
      path: (role) => role,
      read,
      text: async (role) => new TextDecoder().decode(await read(role)),
      verify: async (role) => role,
    });
    expect(log).toEqual(['trainLabels', 'testLabels']);
    for await (const piece of train.images()) log.push(`${piece.length / size} images used`);
    expect(log.slice(2)).toEqual(['train1', '3 images used', 'train2', '3 images used']);
  });

  it('reports progress after every strip', async () => {
    const dataDir = dataFolderWith(Object.fromEntries(Object.values(strips.files).map(([name, bytes]) => [`tiny/${name}`, bytes])));
    const seen: number[] = [];
    const manifest = miniatureManifest(strips);
    await getDataset('tiny', { dataDir, manifest, offline: true, onRead: ({ images, total }) => seen.push(images / total) });
    expect(seen).toEqual([3 / 8, 6 / 8, 1]);
  });

  it.each([
    [
      'a strip of another width',
      'train2',
      encodePng({ width: 5, height: 3, channels: 3, data: new Uint8Array(45) }),
      ShapeError,
      /data_batch_2\.png is 5 pixels wide .*expected 6/,
    ],
    [
      'a grey strip',
      'train1',
      encodePng({ width: 6, height: 3, channels: 1, data: new Uint8Array(18) }),
      ShapeError,
      /data_batch_1\.png .*1 channels/,
    ],
    ['a torn strip', 'train2', strip([3, 4, 5]).subarray(0, 60), ShapeError, /data_batch_2\.png is not a readable PNG/],
    [
      'a damaged strip',
      'test',
      strip([6, 7]).map((byte, i) => (i === 50 ? byte ^ 1 : byte)),
      ShapeError,
      /test_batch\.png is not a readable PNG/,
    ],
    ['too few rows', 'train2', strip([3, 4]), ShapeError, /train of tiny has 90 image bytes for 6 labels/],
    ['too many rows', 'train2', strip([3, 4, 5, 6]), ShapeError, /126 image bytes for 6 labels/],
    ['labels that are no JSON', 'trainLabels', bytesOf('[0, 1'), ShapeError, /train_lables\.json is not JSON/],
    ['labels that are no integers', 'testLabels', json([1, 'a']), ShapeError, /test_lables\.json is not an array of integers/],
    ['a label outside the classes', 'testLabels', json([1, 2]), ConfigError, /label 2 of point 1 \(test\) of tiny/],
    ['a missing label', 'testLabels', json([1]), ShapeError, /1 test images .*expected 2/],
    ['a class without training images', 'trainLabels', json([0, 0, 0, 0, 0, 0]), ConfigError, /class 1 has 0 points left/],
  ] as const)('%s is refused, and the file named', async (_, role, bytes, type, message) => {
    await refused(replaced(strips, role, bytes), type, message);
  });

  it('names the class that has validation images only', async () => {
    const set = {
      ...strips,
      splits: { train: 5, validation: 1, test: 2 },
      division: { kind: 'lists', validation: { seed: 0, perClass: 1, sha256: listed('', bytesOf('4')).sha256, indices: [4] } },
    };
    await refused(replaced(set, 'trainLabels', json([0, 0, 0, 0, 1, 0])), ConfigError, /class 1 \('dog'\) of tiny has no training image/);
  });
});

describe('CIFAR in binary records', () => {
  it('is the same data set as in PNG strips', async () => {
    const fromRecords = await loadMiniature(records);
    expectWhole(fromRecords);
    expect(fromRecords).toEqual(await loadMiniature(strips));
  });

  it('refuses half a record', async () => {
    await refused(
      replaced(records, 'test', Uint8Array.from([...record([1], 6), 0])),
      ShapeError,
      /test_batch\.bin has 20 bytes, expected a multiple of 19/,
    );
  });

  const coarse = [0, 0, 1, 1, 2, 2];
  const hundred: MiniatureSet = {
    ...strips,
    format: 'cifar-100',
    labels: { fine: ['cat', 'dog'], coarse: ['a', 'b', 'c'] },
    files: {
      train: ['train.bin', Uint8Array.from(trainLabels.flatMap((label, i) => record([coarse[i] ?? 0, label], i)))],
      test: ['test.bin', Uint8Array.from([...record([2, 1], 6), ...record([1, 0], 7)])],
    },
  };

  it('of CIFAR-100 have fine labels, and coarse ones of the same images in the same splits', async () => {
    expectWhole(await loadMiniature(hundred));
    const other = await loadMiniature(hundred, 'coarse');
    expect(imagesOf(other.train)).toEqual(imagesOf((await loadMiniature(hundred)).train));
    expect(other.classNames).toEqual(['a', 'b', 'c']);
    expect(Array.from(other.test.labels)).toEqual([2, 1]);
    expect(Array.from(other.train.labels)).toEqual(imagesOf(other.train).map(([first]) => coarse[(first ?? 0) / 40]));
    await expect(loadMiniature(hundred, 'finest')).rejects.toThrow(/labels is 'finest' for tiny, expected one of: fine, coarse/);
    await expect(loadMiniature(strips, 'fine')).rejects.toThrow(/one kind of labels only/);
  });
});

describe('colour images in an idx file of rank 4', () => {
  const set: MiniatureSet = {
    format: 'idx',
    shape,
    classNames: ['cat', 'dog'],
    splits: { train: 2, validation: 1, test: 3 },
    division: { kind: 'shuffled', seed: 8, validation: 1, test: 3, sha256: listed('', bytesOf('1,4,2,5,0,3')).sha256 },
    files: {
      trainImages: ['images-idx4-ubyte', idx([6, 2, 3, 3], [0, 1, 2, 3, 4, 5].flatMap(image))],
      trainLabels: ['labels-idx1-ubyte', idx([6], trainLabels)],
    },
  };

  it('are divided by one permutation, and not if the manifest says another', async () => {
    const attempt = loadMiniature(set);
    await expect(attempt).rejects.toThrow(ChecksumError);
    const drawn = /has SHA-256 ([0-9a-f]{64})/.exec(await attempt.then(() => '', String))?.[1];
    const { train, validation, test } = await loadMiniature({
      ...set,
      division: { kind: 'shuffled', seed: 8, validation: 1, test: 3, sha256: drawn },
    });
    expect([...imagesOf(train), ...imagesOf(validation), ...imagesOf(test)].sort()).toEqual([0, 1, 2, 3, 4, 5].map(image).sort());
    expect(Array.from(test.labels)).toEqual(imagesOf(test).map(([first]) => trainLabels[(first ?? 0) / 40]));
  });
});

describe('SVHN in MATLAB files', () => {
  const classNames = ['0', '1', '2'];
  const mat = (bytes: Uint8Array): MiniatureSet => ({
    format: 'svhn-mat',
    shape,
    classNames,
    splits: { train: 3, validation: 1, test: 4 },
    division: { kind: 'lists', validation: { seed: 0, perClass: 1, sha256: listed('', bytesOf('3')).sha256, indices: [3] } },
    files: { train: ['train_32x32.mat', bytes], test: ['test_32x32.mat', unpacked(scipyMat.plain)] },
  });

  it.each(['compressed', 'plain'] as const)('of SciPy (%s) become NHWC images, and the label 10 the digit 0', async (kind) => {
    const { train, validation, test } = await loadMiniature(mat(unpacked(scipyMat[kind])));
    // X[y, x, c, i] = 3 (36 y + 12 x + 4 c + i), as numpy numbers it.
    const expected = (i: number) => Array.from({ length: 18 }, (_, p) => 3 * (4 * p + i));
    expect(imagesOf(train)).toEqual([0, 1, 2].map(expected));
    expect(Array.from(train.labels)).toEqual([0, 1, 2]);
    expect(Array.from(validation.labels)).toEqual([0]);
    expect(imagesOf(test)).toEqual([0, 1, 2, 3].map(expected));
  });

  it.each([
    ['a truncated file', unpacked(scipyMat.plain).subarray(0, 200), /train_32x32\.mat is truncated/],
    [
      'a damaged compressed array',
      unpacked(scipyMat.compressed).map((byte, i) => (i === 160 ? byte ^ 255 : byte)),
      /train_32x32\.mat has a damaged compressed array/,
    ],
    ['another file', bytesOf('no MATLAB file'.repeat(20)), /train_32x32\.mat is not a little-endian MATLAB 5 file/],
    ['a file without arrays', unpacked(scipyMat.plain).subarray(0, 128), /train_32x32\.mat has X of shape \(missing\)/],
  ])('%s is refused, and named', async (_, bytes, message) => {
    await refused(mat(bytes), ShapeError, message);
  });
});

describe('USPS in an HDF5 file', () => {
  const set = (bytes: Uint8Array): MiniatureSet => ({
    format: 'usps-hdf5',
    shape: [2, 3, 1],
    classNames: ['0', '1'],
    splits: { train: 2, validation: 2, test: 2 },
    division: perClass,
    files: { table: ['usps.h5', bytes] },
  });

  it('of h5py becomes bytes rounded to nearest', async () => {
    const { train, validation, test } = await loadMiniature(set(unpacked(h5pyFile)));
    const expected = (i: number) => Array.from({ length: 6 }, (_, p) => Math.round(255 * Math.fround((6 * i + p) / 24)));
    expect([...imagesOf(train), ...imagesOf(validation)].sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0))).toEqual([0, 1, 2, 3].map(expected));
    expect(imagesOf(test)).toEqual([0, 1].map(expected));
    expect(Array.from(test.labels)).toEqual([0, 1]);
  });

  it('is refused if it is another file, truncated, or of other images', async () => {
    await refused(set(bytesOf('not HDF5')), ShapeError, /usps\.h5 is not a complete HDF5 file/);
    await refused(set(unpacked(h5pyFile).subarray(0, 3000)), ShapeError, /usps\.h5 is not a complete HDF5 file/);
    await refused(
      { ...set(unpacked(h5pyFile)), shape: [2, 2, 1] },
      ShapeError,
      /train\/data of .*usps\.h5 has 24 values for 4 labels, expected 4 each/,
    );
  });
});

describe('Tiny-ImageNet', () => {
  const colours = { red: [200, 20, 30], blue: [10, 40, 190] } as const;
  const flat = (colour: keyof typeof colours) => flatJpeg(8, 8, colours[colour]);
  // n02 comes first in wnids.txt; classes are numbered by the sorted ids all the same.
  const files: Record<string, Uint8Array> = {
    'tiny-imagenet-200/wnids.txt': bytesOf('n02\nn01\n'),
    'tiny-imagenet-200/words.txt': bytesOf('n01\tred\nn02\tblue\n'),
    'tiny-imagenet-200/train/n01/n01_boxes.txt': bytesOf('n01_0.JPEG\t0\t0\t7\t7\n'),
    'tiny-imagenet-200/train/n01/images/n01_0.JPEG': flat('red'),
    'tiny-imagenet-200/train/n01/images/n01_1.JPEG': unpacked(pillowGreyJpeg),
    'tiny-imagenet-200/train/n02/images/n02_0.JPEG': flat('blue'),
    'tiny-imagenet-200/train/n02/images/n02_1.JPEG': flat('blue'),
    'tiny-imagenet-200/val/images/val_0.JPEG': flat('blue'),
    'tiny-imagenet-200/val/images/val_1.JPEG': flat('red'),
    'tiny-imagenet-200/val/val_annotations.txt': bytesOf('val_1.JPEG\tn01\t0\t0\t7\t7\nval_0.JPEG\tn02\t0\t0\t7\t7\n'),
    'tiny-imagenet-200/test/images/test_0.JPEG': flat('red'),
  };
  const common = {
    shape: [8, 8, 3] as const,
    classNames: ['red', 'blue'],
    splits: { train: 3, validation: 1, test: 2 },
    division: { kind: 'lists', validation: { seed: 0, perClass: 1, sha256: listed('', bytesOf('3')).sha256, indices: [3] } },
  };
  const zipped = (changed: Readonly<Record<string, Uint8Array>> = {}): MiniatureSet => ({
    ...common,
    format: 'tiny-imagenet-zip',
    files: { archive: ['tiny.zip', zipSync({ ...files, ...changed }, { level: 6 })] },
  });

  it('is read from its zip: images, classes by sorted id, grey JPEGs as three equal channels', async () => {
    const { train, test } = await loadMiniature(zipped());
    expect(Array.from(train.labels)).toEqual([0, 0, 1]);
    expect(Array.from(test.labels)).toEqual([1, 0]);
    const [red, grey] = imagesOf(train);
    for (const [p, value] of (red ?? []).entries()) expect(Math.abs(value - (colours.red[p % 3] ?? 0))).toBeLessThanOrEqual(2);
    for (const [p, value] of (grey ?? []).entries()) expect(Math.abs(value - 4 * Math.floor(p / 3))).toBeLessThanOrEqual(2);
    for (const [p, value] of (imagesOf(test)[0] ?? []).entries())
      expect(Math.abs(value - (colours.blue[p % 3] ?? 0))).toBeLessThanOrEqual(2);
  });

  it('is the same unpacked in a folder', async () => {
    const wnids = files['tiny-imagenet-200/wnids.txt'] ?? new Uint8Array();
    const set: MiniatureSet = { ...common, format: 'tiny-imagenet-folder', files: { wnids: ['wnids.txt', wnids] } };
    const dataDir = dataFolderWith(
      Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name.replace('tiny-imagenet-200', 'tiny'), bytes])),
    );
    const unzipped = await getDataset('tiny', { dataDir, offline: true, manifest: miniatureManifest(set) });
    expect(unzipped).toEqual(await loadMiniature(zipped()));
  });

  it.each([
    [
      'a JPEG that is torn',
      { 'tiny-imagenet-200/train/n02/images/n02_0.JPEG': flat('blue').subarray(0, 100) },
      ShapeError,
      /n02_0\.JPEG in .*tiny\.zip is not a readable JPEG/,
    ],
    [
      'a text in place of a JPEG',
      { 'tiny-imagenet-200/val/images/val_1.JPEG': bytesOf('hello') },
      ShapeError,
      /val_1\.JPEG in .* is not a readable JPEG/,
    ],
    [
      'an image of another size',
      { 'tiny-imagenet-200/train/n01/images/n01_0.JPEG': flatJpeg(9, 8, [1, 2, 3]) },
      ShapeError,
      /n01_0\.JPEG in .* is 8 × 9, expected 8 × 8/,
    ],
    [
      'a class that is not in the list',
      { 'tiny-imagenet-200/val/val_annotations.txt': bytesOf('val_0.JPEG\tn03\n') },
      ConfigError,
      /belongs to 'n03'/,
    ],
    [
      'an annotated image that is missing',
      { 'tiny-imagenet-200/val/val_annotations.txt': bytesOf('val_7.JPEG\tn01\nval_0.JPEG\tn02\n') },
      StorageError,
      /no file .*val_7\.JPEG/,
    ],
    [
      'a subset under the name of the whole',
      { 'tiny-imagenet-200/train/n02/images/n02_2.JPEG': flat('blue') },
      ShapeError,
      /4 train images .*expected 3 .*subset/,
    ],
  ] as const)('%s is refused, and named', async (_, changed, type, message) => {
    await refused(zipped(changed as unknown as Readonly<Record<string, Uint8Array>>), type, message);
  });
});

describe('CelebA', () => {
  const faces = [
    [250, 10, 10],
    [10, 240, 10],
    [10, 10, 230],
    [120, 120, 10],
    [10, 120, 120],
  ] as const;
  const images = Object.fromEntries(faces.map((colour, i) => [`img_align_celeba/00000${i + 1}.jpg`, flatJpeg(10, 12, colour)]));
  const attributes = bytesOf(
    ['5', 'Male Smiling', '000001.jpg  1 -1', '000002.jpg -1  1', '000003.jpg -1 -1', '000004.jpg  1  1', '000005.jpg -1  1', ''].join(
      '\n',
    ),
  );
  const partition = bytesOf('000001.jpg 0\n000002.jpg 0\n000003.jpg 1\n000004.jpg 2\n000005.jpg 0\n');
  const set: MiniatureSet = {
    format: 'celeba-zip',
    shape: [4, 4, 3],
    classNames: ['not Smiling', 'Smiling'],
    labels: { Smiling: ['not Smiling', 'Smiling'], Male: ['not Male', 'Male'] },
    splits: { train: 3, validation: 1, test: 1 },
    division: { kind: 'given' },
    files: {
      archive: ['img_align_celeba.zip', zipSync(images)],
      attributes: ['list_attr_celeba.txt', attributes],
      partition: ['list_eval_partition.txt', partition],
    },
  };

  it('is divided by its partition file and labelled by an attribute, smiling unless another is named', async () => {
    const smiling = await loadMiniature(set);
    expect([smiling.train, smiling.validation, smiling.test].map(({ labels }) => Array.from(labels))).toEqual([[0, 1, 1], [0], [1]]);
    expect(imagesOf(smiling.validation)[0]?.every((value, p) => Math.abs(value - (faces[2][p % 3] ?? 0)) <= 2)).toBe(true);
    const male = await loadMiniature(set, 'Male');
    expect([male.train, male.validation, male.test].map(({ labels }) => Array.from(labels))).toEqual([[1, 0, 0], [0], [1]]);
    expect(male.classNames).toEqual(['not Male', 'Male']);
    await expect(loadMiniature(set, 'Happy')).rejects.toThrow(/labels is 'Happy' for tiny, expected one of: Smiling, Male/);
  });

  it('is the same unpacked in a folder', async () => {
    const { archive: _, ...files } = set.files;
    const dataDir = dataFolderWith({
      ...Object.fromEntries(Object.entries(images).map(([name, bytes]) => [join('tiny', name), bytes])),
      'tiny/list_attr_celeba.txt': attributes,
      'tiny/list_eval_partition.txt': partition,
    });
    const manifest = miniatureManifest({ ...set, format: 'celeba-folder', files });
    expect(await getDataset('tiny', { dataDir, offline: true, manifest })).toEqual(await loadMiniature(set));
  });

  it.each([
    ['a line of another length', 'attributes', bytesOf('5\nMale Smiling\n000001.jpg 1\n'), /line 3 of .*list_attr_celeba\.txt/],
    ['a part that is none', 'partition', bytesOf('000001.jpg 0\n000002.jpg 3\n'), /line 2 of .*list_eval_partition\.txt/],
    ['an image that is not there', 'partition', bytesOf('000001.jpg 0\n000009.jpg 1\n'), /000009\.jpg is in the list of CelebA but not in/],
  ])('%s is refused, and named', async (_, role, bytes, message) => {
    await refused(replaced(set, role, bytes), ConfigError, message);
  });
});

describe('CIFAR-10H', () => {
  const files = { counts: unpacked(numpyArrays.counts), probabilities: unpacked(numpyArrays.shares) };
  const load = ({ counts, probabilities }: typeof files) =>
    getSoftLabels('answers', {
      offline: true,
      dataDir: dataFolderWith({ 'answers/c.npy': counts, 'answers/p.npy': probabilities }),
      manifest: parseManifest({
        version: 1,
        datasets: {},
        softLabels: {
          answers: {
            title: 'Answers',
            licence: 'none',
            dataset: 'tiny',
            count: 2,
            classes: 2,
            layouts: [{ sources: [], files: { counts: listed('c.npy', counts), probabilities: listed('p.npy', probabilities) } }],
          },
        },
      }),
    });

  it('of NumPy arrays is counts and shares per image and class', async () => {
    const answers = await load(files);
    expect(answers).toMatchObject({ dataset: 'tiny', count: 2, classes: 2 });
    expect(Array.from(answers.counts)).toEqual([3, 1, 0, 4]);
    expect(Array.from(answers.probabilities)).toEqual([0.75, 0.25, 0, 1]);
  });

  it('is refused for other files and names', async () => {
    await expect(load({ ...files, counts: bytesOf('not numpy') })).rejects.toThrow(/c\.npy is not a readable \.npy/);
    await expect(getSoftLabels('cifar100h')).rejects.toThrow(/'cifar100h' are unknown, expected one of: cifar10h/);
  });
});

describe('a data set that nothing offers', () => {
  it('is a StorageError that names the files, the folder and the option', async () => {
    const attempt = getDataset('svhn10k', { dataDir: dataFolderWith({}), cacheDir: dataFolderWith({}) });
    await expect(attempt).rejects.toThrow(StorageError);
    await expect(attempt).rejects.toThrow(
      /no registry or address has them .*put images-idx4-ubyte, labels-idx1-ubyte .*'svhn10k'.*--data, BPC_DATA/,
    );
  });
});
