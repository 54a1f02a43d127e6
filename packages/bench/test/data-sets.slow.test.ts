import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  type Dataset,
  drawIndices,
  fitZca,
  getDataset,
  getSoftLabels,
  getTable,
  listDatasets,
  listTables,
  parseManifest,
  shippedManifest,
  type Table,
  toFloat,
  whiten,
} from '@bpc/bench';
import { create } from 'tar';
import { describe, expect, it } from 'vitest';
import { buildCommand, root } from './built-command.js';
import { imagesOf, type MiniatureSet, miniatureManifest } from './data-archives.js';
import { filesBelow, serve, temporaryFolder } from './data-helpers.js';

// Figures of the real files, found with NumPy, Pillow and h5py. Sets that are not on this machine are reported as skipped.
const here = new Map([...(await listDatasets()), ...(await listTables())].map(({ name, found }) => [name, found !== undefined]));
const onlyIfHere = (name: string) => it.skipIf(here.get(name) !== true);

const sum = (values: ArrayLike<number>): number => {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i] ?? 0;
  return total;
};
/** Compared as memory: matchers look at millions of elements one by one. */
const expectSameBytes = (found: Uint8Array | Int32Array, expected: Uint8Array | Int32Array): void => {
  const bytes = ({ buffer, byteOffset, byteLength }: Uint8Array | Int32Array) => Buffer.from(buffer, byteOffset, byteLength);
  expect(Buffer.compare(bytes(found), bytes(expected))).toBe(0);
};
const tally = (labels: ArrayLike<number>, classes: number): number[] => {
  const counts = new Array<number>(classes).fill(0);
  for (const label of Array.from(labels)) counts[label] = (counts[label] ?? 0) + 1;
  return counts;
};
/** CIFAR-10 takes seconds to decode, so several tests look at one copy. */
let decoded: Promise<Dataset> | undefined;
const cifar10 = (): Promise<Dataset> => {
  decoded ??= getDataset('cifar10', { offline: true, shared: true });
  return decoded;
};
const splitsOf = ({ train, validation, test }: Dataset) => [train, validation, test] as const;
const counts = (set: Dataset | Table) => [set.train.count, set.validation.count, set.test.count];

describe('image sets on this machine', () => {
  onlyIfHere('cifar10')('CIFAR-10 is whole: sums of all splits, balanced classes, pixels', async () => {
    const set = await cifar10();
    expect(counts(set)).toEqual([45_000, 5000, 10_000]);
    expect(splitsOf(set).map(({ images }) => sum(images))).toEqual([16_694_338_461, 1_846_343_542, 3_733_375_634]);
    expect(splitsOf(set).map(({ labels }) => tally(labels, 10))).toEqual([4500, 500, 1000].map((n) => new Array(10).fill(n)));
    const { train, test } = set;
    expect(Array.from(train.images.subarray(0, 9))).toEqual([59, 62, 63, 43, 46, 45, 50, 48, 43]);
    const at = (i: number, y: number, x: number) => ((i * 32 + y) * 32 + x) * 3;
    expect(Array.from(train.images.subarray(at(44_999, 31, 30), at(44_999, 31, 31)))).toEqual([164, 164, 162]);
    expect(Array.from(test.images.subarray(at(9999, 5, 7), at(9999, 5, 8)))).toEqual([59, 63, 56]);
    expect(Array.from(test.labels.subarray(0, 10))).toEqual([3, 8, 8, 0, 6, 6, 1, 6, 3, 1]);
  });

  for (const [name, total, test] of [
    ['mnist', 1_567_298_545, 264_923_200],
    ['fashion-mnist', 3_431_114_169, 573_469_082],
  ] as const) {
    onlyIfHere(name)(`${name} is whole`, async () => {
      const set = await getDataset(name, { offline: true });
      expect(counts(set)).toEqual([55_000, 5000, 10_000]);
      expect(sum(set.train.images) + sum(set.validation.images)).toBe(total);
      expect(sum(set.test.images)).toBe(test);
    });
  }

  for (const [name, count] of [
    ['mnist', 60_000],
    ['fashion-mnist', 60_000],
    ['cifar10', 50_000],
  ] as const) {
    onlyIfHere(name)(`the validation list of ${name} is what drawIndices draws from its labels, 500 of each class`, async () => {
      const { train, validation } = name === 'cifar10' ? await cifar10() : await getDataset(name, { offline: true });
      const division = shippedManifest().datasets[name]?.division;
      if (division?.kind !== 'lists') throw new Error(`${name} has no stored list`);
      const { indices, seed } = division.validation;
      const labels = new Int32Array(count).fill(-1);
      for (const [i, index] of indices.entries()) labels[index] = validation.labels[i] ?? -1;
      let next = 0;
      for (const [i, label] of labels.entries()) if (label < 0) labels[i] = train.labels[next++] ?? -1;
      expect(drawIndices({ labels, classes: 10, perClass: 500, seed })).toEqual(indices);
      expect(tally(validation.labels, 10)).toEqual(new Array(10).fill(500));
    });
  }

  onlyIfHere('svhn10k')('svhn10k is whole: every image in one split, 7 000 / 1 000 / 2 000', async () => {
    const set = await getDataset('svhn10k', { offline: true });
    expect(counts(set)).toEqual([7000, 1000, 2000]);
    expect(sum(splitsOf(set).map(({ images }) => sum(images)))).toBe(3_597_601_425);
    const classes = splitsOf(set).map(({ labels }) => tally(labels, 10));
    expect(classes[0]?.map((n, c) => n + (classes[1]?.[c] ?? 0) + (classes[2]?.[c] ?? 0))).toEqual([
      684, 1968, 1590, 1104, 964, 909, 773, 767, 621, 620,
    ]);
  });

  onlyIfHere('cifar100-subset')('cifar100-subset is whole, with fine and coarse labels of the same images', async () => {
    const fine = await getDataset('cifar100-subset', { offline: true });
    expect(counts(fine)).toEqual([9000, 1000, 2000]);
    expect(sum(fine.train.images) + sum(fine.validation.images)).toBe(3_745_740_037);
    expect(sum(fine.test.images)).toBe(751_364_812);
    expect(tally(fine.validation.labels, 100)).toEqual(new Array(100).fill(10));
    const last = (1999 * 32 * 32 + 4 * 32 + 9) * 3;
    expect([fine.test.labels[1999], ...fine.test.images.subarray(last, last + 3)]).toEqual([76, 70, 131, 210]);
    const coarse = await getDataset('cifar100-subset', { offline: true, labels: 'coarse' });
    expectSameBytes(coarse.train.images, fine.train.images);
    expect(tally(coarse.test.labels, 20)).toEqual(new Array(20).fill(100));
    // Every fine class belongs to one coarse class.
    const pairs = new Set(Array.from(fine.train.labels, (label, i) => `${label} ${coarse.train.labels[i]}`));
    expect(pairs.size).toBe(100);
  });

  onlyIfHere('tiny-imagenet-subset')('tiny-imagenet-subset is decoded as Pillow does, to half a level on average', async () => {
    const set = await getDataset('tiny-imagenet-subset', { offline: true });
    expect(counts(set)).toEqual([4600, 400, 1000]);
    expect(tally(set.validation.labels, 200)).toEqual(new Array(200).fill(2));
    expect(Math.abs(sum(set.test.images) / set.test.images.length - 112.85179)).toBeLessThan(0.5);
    expect([set.test.labels[0], set.test.labels[999]]).toEqual([107, 116]);
    const means = [0, 500, 999].map((i) =>
      [0, 1, 2].map(
        (c) =>
          sum(
            imagesOf({ images: set.test.images.subarray(i * 12_288, (i + 1) * 12_288), count: 1 })[0]?.filter((_, p) => p % 3 === c) ?? [],
          ) / 4096,
      ),
    );
    const pillow = [
      [121.455, 119.866, 120.686],
      [96.175, 92.719, 94.875],
      [154.265, 157.277, 168.729],
    ];
    for (const [i, image] of pillow.entries())
      for (const [c, value] of image.entries()) expect(Math.abs((means[i]?.[c] ?? 0) - value)).toBeLessThan(1);
  });

  onlyIfHere('celeba-subset')(
    'celeba-subset is cut and scaled as Pillow does, to half a level on average, and labelled by its attributes',
    async () => {
      const set = await getDataset('celeba-subset', { offline: true });
      expect(counts(set)).toEqual([3200, 400, 400]);
      const mean = sum(splitsOf(set).map(({ images }) => sum(images))) / (4000 * 64 * 64 * 3);
      expect(Math.abs(mean - 111.61418)).toBeLessThan(0.5);
      const present = (some: Dataset) => sum(splitsOf(some).map(({ labels }) => sum(labels)));
      expect(present(set)).toBe(1923);
      expect(present(await getDataset('celeba-subset', { offline: true, labels: 'Male' }))).toBe(1664);
    },
  );

  onlyIfHere('usps')('usps is whole', async () => {
    const set = await getDataset('usps', { offline: true });
    expect(counts(set)).toEqual([6591, 700, 2007]);
    expect(Math.abs(sum(set.train.images) + sum(set.validation.images) - 121_121_247)).toBeLessThan(2000);
    expect(tally(set.test.labels, 10)).toEqual([359, 264, 198, 166, 200, 160, 170, 147, 166, 177]);
  });

  it.skipIf(!(here.get('cifar10h') && here.get('cifar10')))(
    'cifar10h answers agree with the labels of the test images, as far as people do',
    async () => {
      const { counts: answers, probabilities } = await getSoftLabels('cifar10h', { offline: true });
      const { test } = await cifar10();
      expect(sum(answers)).toBe(511_000);
      const favourite = Array.from({ length: 10_000 }, (_, i) => {
        const row = Array.from(probabilities.subarray(10 * i, 10 * i + 10));
        return row.indexOf(Math.max(...row));
      });
      expect(favourite.filter((label, i) => label === test.labels[i]).length).toBe(9921);
    },
  );
});

/** The subset of a machine, in the files that the full set has. */
describe('subsets re-packed as the full sets are published', () => {
  const inner = (name: string): Dataset | Promise<Dataset> => getDataset(name, { offline: true });

  onlyIfHere('svhn10k')('svhn10k in MATLAB files is svhn10k', async () => {
    const set = await inner('svhn10k');
    const some = { train: set.train, test: set.test };
    const files: MiniatureSet['files'] = {
      train: ['train_32x32.mat', matFile(some.train)],
      test: ['test_32x32.mat', matFile(some.test)],
    };
    const division = { kind: 'per-class', seed: 1, perClass: 1 };
    const splits = { train: 6990, validation: 10, test: 2000 };
    const manifest = miniatureManifest({ format: 'svhn-mat', shape: [32, 32, 3], classNames: set.classNames, splits, division, files });
    const dataDir = temporaryFolder();
    mkdirSync(join(dataDir, 'tiny'));
    for (const [name, bytes] of Object.values(files)) writeFileSync(join(dataDir, 'tiny', name), bytes);
    const again = await getDataset('tiny', { dataDir, offline: true, manifest });
    expectSameBytes(again.test.images, set.test.images);
    expectSameBytes(again.test.labels, set.test.labels);
    expect(sum(again.train.images) + sum(again.validation.images)).toBe(sum(set.train.images));
  });

  onlyIfHere('cifar10')('CIFAR-10 in its binary files has the published hashes, and is the same data set', async () => {
    const set = await cifar10();
    const [strips, records] = shippedManifest().datasets['cifar10']?.layouts ?? [];
    if (strips === undefined || records === undefined) throw new Error('cifar10 has not two layouts');
    const dataDir = temporaryFolder();
    const folder = join(dataDir, 'cifar-10-batches-bin');
    mkdirSync(folder);
    writeFileSync(join(folder, 'test_batch.bin'), binaryRecords(set.test));
    const division = shippedManifest().datasets['cifar10']?.division;
    if (division?.kind !== 'lists') throw new Error('cifar10 has no stored list');
    const aside = new Map(division.validation.indices.map((index, i) => [index, i]));
    let next = 0;
    const order = Array.from({ length: 50_000 }, (_, i) => {
      const position = aside.get(i);
      return position === undefined ? { split: set.train, position: next++ } : { split: set.validation, position };
    });
    for (let k = 0; k < 5; k++) {
      const bytes = Buffer.concat(order.slice(10_000 * k, 10_000 * (k + 1)).map(({ split, position }) => binaryRecords(split, position)));
      writeFileSync(join(folder, `data_batch_${k + 1}.bin`), bytes);
    }
    const manifest = structuredClone(shippedManifest());
    manifest.datasets['cifar10']?.layouts.splice(0, 1);
    const again = await getDataset('cifar10', { dataDir, offline: true, manifest });
    for (const role of ['train', 'validation', 'test'] as const) {
      expectSameBytes(again[role].images, set[role].images);
      expectSameBytes(again[role].labels, set[role].labels);
    }
  });
});

describe('tables', () => {
  /** Unscaled features and targets of all splits, added up. */
  const totals = async (name: string) => {
    const table = await getTable(name, { offline: true, standardise: false });
    const all = [table.train, table.validation, table.test];
    return { table, features: sum(all.map(({ features }) => sum(features))), targets: sum(all.map(({ targets }) => sum(targets))) };
  };

  it.each([
    ['breast_cancer', [343, 113, 113], 30, 1_056_474.4596356, 357],
    ['diabetes', [266, 88, 88], 10, 276_404.2336, 67_243],
    ['wine', [108, 35, 35], 13, 159_975.295999, 71 + 2 * 48],
    ['iris', [90, 30, 30], 4, 2078.7, 150],
    ['a9a', [29_305, 3256, 16_281], 123, 451_592 + 225_731, 7841 + 3846],
    ['pima', [462, 153, 153], 8, 276_392.701, 268],
    ['magic04', [11_412, 3804, 3804], 10, 5_834_924.789, 12_332],
    ['phishing', [6633, 2211, 2211], 30, 100_854, 6157],
    ['covertype15k', [9072, 3024, 3024], 54, 105_759_946, 2160 * 21],
  ] as const)('%s is whole', async (name, sizes, columns, features, targets) => {
    if (here.get(name) !== true) return console.warn(`${name} is not on this machine: skipped`);
    const found = await totals(name);
    expect(counts(found.table)).toEqual(sizes);
    expect(found.table.columns).toHaveLength(columns);
    expect(Math.abs(found.features - features)).toBeLessThan(1e-9 * features);
    expect(found.targets).toBeCloseTo(targets, 6);
  });

  onlyIfHere('adult')('adult is whole: numbers add up, and every row is in one category of each column of words', async () => {
    const { table, targets } = await totals('adult');
    expect(targets).toBe(7841 + 3846);
    const width = table.columns.length;
    const words = ['workclass', 'education', 'marital-status', 'occupation', 'relationship', 'race', 'sex', 'native-country'];
    const of = (prefix: string) => table.columns.flatMap((column, j) => (column.startsWith(`${prefix}=`) ? [j] : []));
    for (const word of words) {
      const columns = of(word);
      for (let i = 0; i < table.train.count; i++) {
        if (sum(columns.map((j) => table.train.features[i * width + j] ?? 0)) !== 1)
          throw new Error(`row ${i} is in no category of ${word}`);
      }
    }
    const numeric = table.columns.flatMap((column, j) => (column.includes('=') ? [] : [j]));
    const total = sum(
      [table.train, table.validation, table.test].map(({ features, count }) =>
        sum(Array.from({ length: count }, (_, i) => sum(numeric.map((j) => features[i * width + j] ?? 0)))),
      ),
    );
    expect(total).toBe(6_220_206_594 + 3_104_700_651);
  });
});

describe('the first load of CIFAR-10', () => {
  onlyIfHere('cifar10')('from a registry tarball takes at most 1 GB of memory', async () => {
    buildCommand();
    const set = (await listDatasets()).find(({ name }) => name === 'cifar10');
    const folder = temporaryFolder();
    cpSync(set?.path ?? '', join(folder, 'package'), { recursive: true });
    create({ file: join(folder, 'made.tgz'), cwd: folder, gzip: { level: 0 }, sync: true, portable: true }, ['package']);
    const tarball = readFileSync(join(folder, 'made.tgz'));
    const manifest = structuredClone(shippedManifest());
    for (const layout of manifest.datasets['cifar10']?.layouts ?? []) {
      for (const source of layout.sources) if (source.kind === 'npm') source.sha256 = createHash('sha256').update(tarball).digest('hex');
    }
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify(parseManifest(manifest)));
    const registry = await serve((_, response) => void response.writeHead(200, { 'content-length': tarball.length }).end(tarball));
    const cacheDir = join(folder, 'cache');
    const script = `
      import { readFileSync } from 'node:fs';
      import { getDataset } from ${JSON.stringify(pathToFileURL(join(root, 'packages/bench/dist/index.js')).href)};
      const manifest = JSON.parse(readFileSync(${JSON.stringify(join(folder, 'manifest.json'))}, 'utf8'));
      let downloads = 0;
      let reads = 0;
      const { train } = await getDataset('cifar10', {
        manifest, shared: true, cacheDir: ${JSON.stringify(cacheDir)}, registry: ${JSON.stringify(registry.url)},
        onProgress: () => downloads++, onRead: () => reads++,
      });
      console.log(JSON.stringify({ count: train.count, downloads, reads, kilobytes: process.resourceUsage().maxRSS }));`;
    const output = await runScript(script, { BPC_DATA: '' });
    const { count, downloads, reads, kilobytes } = JSON.parse(output);
    expect(count).toBe(45_000);
    expect(downloads).toBeGreaterThan(10);
    expect(reads).toBe(6);
    expect(kilobytes).toBeLessThan(1e6);
    console.log(`CIFAR-10's first load: at most ${(kilobytes / 1e3).toFixed(0)} MB`);
    expect(filesBelow(cacheDir)).toHaveLength(8);
  });
});

describe('whitening of a real set', () => {
  onlyIfHere('mnist')('of MNIST: the covariance of 2 000 whitened training images is close to Λ (Λ + r)⁻¹ in the trace', async () => {
    const set = await getDataset('mnist', { offline: true });
    const normalisation = { scale: 255, mean: [0], std: [1] };
    const zca = await fitZca(set.train, normalisation);
    const white = whiten({ ...set, normalisation }, zca);
    const values = toFloat(white.train, { start: 0, end: 2000 }, white.normalisation);
    const trace = sum(Array.from({ length: 784 }, (_, j) => variance(values, j, 784)));
    const expected = sum(zca.eigenvalues.map((value) => value / (value + 0.1)));
    expect(Math.abs(trace / expected - 1)).toBeLessThan(0.05);
  });
});

function variance(values: Float32Array, column: number, width: number): number {
  const count = values.length / width;
  let total = 0;
  let squares = 0;
  for (let i = 0; i < count; i++) {
    const value = values[i * width + column] ?? 0;
    total += value;
    squares += value * value;
  }
  return squares / count - (total / count) ** 2;
}

/** Runs a module and returns what it prints. */
function runScript(script: string, env: Readonly<Record<string, string>>): Promise<string> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => (code === 0 ? resolve(output) : reject(new Error(`the script ended with ${code}`))));
  });
}

/** Images in the records of CIFAR's binary version; one of them, or all. */
function binaryRecords(
  { images, labels, count }: { readonly images: Uint8Array; readonly labels: Int32Array; readonly count: number },
  only?: number,
): Buffer {
  const chosen = only === undefined ? Array.from({ length: count }, (_, i) => i) : [only];
  const out = Buffer.alloc(chosen.length * 3073);
  for (const [r, i] of chosen.entries()) {
    out[r * 3073] = labels[i] ?? 0;
    for (let p = 0; p < 3072; p++) out[r * 3073 + 1 + (p % 3) * 1024 + Math.floor(p / 3)] = images[i * 3072 + p] ?? 0;
  }
  return out;
}

/** A MATLAB 5 file with X [32, 32, 3, n] and y [n, 1], uncompressed, digit 0 as label 10. */
function matFile({
  images,
  labels,
  count,
}: {
  readonly images: Uint8Array;
  readonly labels: Int32Array;
  readonly count: number;
}): Uint8Array {
  const x = Buffer.alloc(count * 3072);
  for (let i = 0; i < count; i++) {
    for (let p = 0; p < 3072; p++) {
      const [c, column, row] = [p % 3, Math.floor(p / 3) % 32, Math.floor(p / 96)];
      x[i * 3072 + (c * 32 + column) * 32 + row] = images[i * 3072 + p] ?? 0;
    }
  }
  const y = Buffer.from(Array.from(labels, (label) => (label === 0 ? 10 : label)));
  const header = Buffer.alloc(128, ' ');
  header.set([0, 1, 0x49, 0x4d], 124);
  return Buffer.concat([header, matrix('X', [32, 32, 3, count], x), matrix('y', [count, 1], y)]);
}

function element(type: number, bytes: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(type, 0);
  head.writeUInt32LE(bytes.length, 4);
  return Buffer.concat([head, bytes, Buffer.alloc((8 - (bytes.length % 8)) % 8)]);
}

function matrix(name: string, shape: readonly number[], values: Buffer): Buffer {
  const dimensions = Buffer.alloc(4 * shape.length);
  for (const [i, length] of shape.entries()) dimensions.writeInt32LE(length, 4 * i);
  // Flags: class 9, uint8.
  const flags = Buffer.from([9, 0, 0, 0, 0, 0, 0, 0]);
  return element(14, Buffer.concat([element(6, flags), element(5, dimensions), element(1, Buffer.from(name)), element(2, values)]));
}
