import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  channelMoments,
  contactSheet,
  type Dataset,
  fitZca,
  getDataset,
  type PointRows,
  pointMoments,
  preprocess,
  shippedManifest,
  standardiseValues,
  toFloat,
  unwhitenPoints,
  unwhitenValues,
  whiten,
  whitenPoints,
  type Zca,
  zcaOfMoments,
} from '@bpc/bench';
import { ChecksumError, ConfigError, InterruptedError, ShapeError } from '@bpc/core';
import { decode } from 'fast-png';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { loadFixture } from '../../../tooling/fixtures/load.js';
import { temporaryFolder } from './data-helpers.js';

interface Case {
  readonly count: number;
  readonly size: number;
  readonly channels: number;
  readonly regularisation: number;
  readonly ddof: 0 | 1;
}

const fixture = loadFixture<Case>('zca');

const rowsOf = (values: ArrayLike<number>, size: number): PointRows => ({
  count: values.length / size,
  size,
  read: (start, end) => Float64Array.from(Array.prototype.slice.call(values, start * size, end * size)),
});

async function fitTo(values: ArrayLike<number>, size: number, regularisation: number, ddof: 0 | 1): Promise<Zca> {
  const divisor = ddof === 0 ? 'count' : 'count-1';
  return zcaOfMoments(await pointMoments(rowsOf(values, size), { divisor }), { regularisation, divisor });
}

/** Covariance with divisor N − 1, by the definition. */
function covariance(points: ArrayLike<number>, size: number): number[] {
  const count = points.length / size;
  const mean = Array.from({ length: size }, (_, j) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += points[i * size + j] ?? 0;
    return sum / count;
  });
  return Array.from({ length: size * size }, (_, p) => {
    const [j, k] = [Math.floor(p / size), p % size];
    let sum = 0;
    for (let i = 0; i < count; i++) sum += ((points[i * size + j] ?? 0) - (mean[j] ?? 0)) * ((points[i * size + k] ?? 0) - (mean[k] ?? 0));
    return sum / (count - 1);
  });
}

describe.each(['ill_posed', 'well_posed', 'population'])('ZCA of the reference case %s', (name) => {
  const settings = fixture.cases[name];
  if (settings === undefined) throw new Error(`no case ${name}`);
  const size = settings.size ** 2 * settings.channels;
  const fit = (ddof = settings.ddof) => fitTo(fixture.values(`${name}/train`), size, settings.regularisation, ddof);

  it('has its mean, eigenvalues, whitening and inverse', async () => {
    const zca = await fit();
    fixture.expectClose(`${name}/mean`, zca.mean, 'f64');
    fixture.expectClose(`${name}/eigenvalues`, zca.eigenvalues, 'f64');
    fixture.expectClose(`${name}/whitening`, zca.whitening, 'f64');
    fixture.expectClose(`${name}/inverse`, zca.inverse, 'f64');
    expect(zca.count).toBe(settings.count);
  });

  it('whitens training and test images, and restores them', async () => {
    const zca = await fit();
    fixture.expectClose(`${name}/train_whitened`, whitenPoints(fixture.values(`${name}/train`), zca), 'f64');
    const white = whitenPoints(fixture.values(`${name}/test`), zca);
    fixture.expectClose(`${name}/test_whitened`, white, 'f64');
    fixture.expectClose(`${name}/test_restored`, unwhitenPoints(white, zca), 'f64');
  });

  it('is not that of the other divisor', async () => {
    const other = await fit(settings.ddof === 0 ? 1 : 0);
    expect(() => fixture.expectClose(`${name}/whitening`, other.whitening, 'f64')).toThrow(/differs/);
  });

  it('comes with the moments of the channels', () => {
    const moments = channelMoments(fixture.values(`${name}/train`), settings.channels);
    fixture.expectClose(`${name}/channel_mean`, moments.mean, 'f64');
    fixture.expectClose(`${name}/channel_std`, moments.std, 'f64');
    fixture.expectClose(`${name}/standardised_test`, standardiseValues(fixture.values(`${name}/test`), moments), 'f64');
  });
});

describe('standardisation', () => {
  it('with the published statistics of CIFAR-10 is that of the reference', () => {
    const { mean, std } = shippedManifest().datasets['cifar10']?.normalisation ?? { mean: [], std: [] };
    fixture.expectClose('cifar/standardised', standardiseValues(fixture.values('cifar/images'), { mean, std }), 'f64');
  });

  it('before ZCA is that of the reference', async () => {
    const train = fixture.values('standardise_then_zca/train');
    const standardised = standardiseValues(train, channelMoments(train, 2));
    const zca = await fitTo(standardised, 18, 0.1, 1);
    fixture.expectClose('standardise_then_zca/train_whitened', whitenPoints(standardised, zca), 'f64');
    const raw = await fitTo(train, 18, 0.1, 1);
    expect(() => fixture.expectClose('standardise_then_zca/train_whitened', whitenPoints(train, raw), 'f64')).toThrow(/differs/);
  });
});

describe('fitting', () => {
  const points = Float64Array.from({ length: 40 * 5 }, (_, i) => Math.sin(i * i) + ((i % 5) * Math.cos(7 * Math.floor(i / 5))) / 3);

  it('without regularisation makes the covariance of the training points the identity', async () => {
    const white = whitenPoints(points, await fitTo(points, 5, 0, 1));
    for (const [p, value] of covariance(white, 5).entries()) expect(value).toBeCloseTo(p % 6 === 0 ? 1 : 0, 10);
  });

  it('gives the same moments whatever the blocks are', async () => {
    // 1 200 points span three blocks; the definition knows no blocks.
    const many = Float64Array.from({ length: 1200 * 3 }, (_, i) => Math.sin(i * i) + 100);
    const { covariance: found, mean } = await pointMoments(rowsOf(many, 3), { divisor: 'count-1' });
    for (const [p, value] of covariance(many, 3).entries()) expect(found[p]).toBeCloseTo(value, 11);
    expect(mean[0]).toBeCloseTo(many.filter((_, i) => i % 3 === 0).reduce((a, b) => a + b, 0) / 1200, 10);
  });

  it('refuses a singular covariance without regularisation, says its rank and what to do', async () => {
    const doubled = Float64Array.from({ length: 30 * 3 }, (_, p) => Math.sin(p % 3 === 2 ? p - 1 : p));
    const attempt = fitTo(doubled, 3, 0, 1);
    await expect(attempt).rejects.toThrow(ConfigError);
    await expect(attempt).rejects.toThrow(/30 points with 3 values has rank 2.*positive regularisation/);
    expect((await fitTo(doubled, 3, 0.1, 1)).whitening.every(Number.isFinite)).toBe(true);
  });

  it('refuses bad settings and points of another size', async () => {
    await expect(fitTo(points, 5, -1, 1)).rejects.toThrow(/regularisation is -1/);
    await expect(fitTo(points, 5, Number.NaN, 1)).rejects.toThrow(ConfigError);
    await expect(fitTo(points.subarray(0, 5), 5, 0.1, 1)).rejects.toThrow(/1 points, expected at least 2/);
    const zca = await fitTo(points, 5, 0.1, 1);
    expect(() => whitenPoints([1, 2, 3], zca)).toThrow(ShapeError);
  });

  it('takes training images only, as a matter of types', async () => {
    const { train, test, normalisation } = await getDataset('digits');
    expectTypeOf(test).not.toExtend<Parameters<typeof fitZca>[0]>();
    expectTypeOf(train).toExtend<Parameters<typeof fitZca>[0]>();
    // @ts-expect-error: the test split does not decide how images are seen
    const fitted = await fitZca(test, normalisation);
    expect(fitted.count).toBe(300);
  });

  it('can be stopped', async () => {
    const { train, normalisation } = await getDataset('digits');
    const controller = new AbortController();
    const attempt = fitZca(train, normalisation, { signal: controller.signal, onProgress: () => controller.abort() });
    await expect(attempt).rejects.toThrow(InterruptedError);
  });

  it('reports a share that grows to 1', async () => {
    const { train, normalisation } = await getDataset('digits');
    const shares: number[] = [];
    await fitZca(train, normalisation, { onProgress: (share) => shares.push(share) });
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    expect(shares.at(-1)).toBe(1);
  });
});

const plain = await getDataset('digits', { shared: true });
const zca = await fitZca(plain.train, plain.normalisation);

describe('a whitened data set', () => {
  const all = { start: 0, end: plain.train.count };

  it('gives whitened training images: covariance U Λ (Λ + r)⁻¹ Uᵀ', async () => {
    const white = whiten(plain, zca);
    const values = toFloat(white.train, all, white.normalisation);
    const found = covariance(values, 64);
    const eigen = zcaOfMoments(
      { count: 2, size: 64, mean: zca.mean, covariance: Float64Array.from(found) },
      { regularisation: 1, divisor: 'count' },
    );
    const expected = zca.eigenvalues.map((value) => value / (value + 0.1));
    for (const [i, value] of eigen.eigenvalues.entries()) expect(value).toBeCloseTo(expected[i] ?? Number.NaN, 5);
  });

  it('uses the transform of the training images for validation and test', () => {
    const white = whiten(plain, zca);
    const some = { start: 10, end: 30 };
    const expected = whitenPoints(toFloat(plain.test, some, plain.normalisation), zca);
    const found = toFloat(white.test, some, white.normalisation);
    for (const [p, value] of expected.entries()) expect(found[p]).toBeCloseTo(value, 4);
    expect(white.test.labels).toBe(plain.test.labels);
  });

  it('gives the same bits kept or computed anew, whatever images are asked for together', () => {
    const kept = whiten(plain, zca);
    const anew = whiten(plain, zca, { keep: false });
    const list = Int32Array.of(3, 700, 3, 11, 12, 13, 14);
    toFloat(kept.train, { start: 9, end: 14 }, kept.normalisation);
    expect(toFloat(kept.train, list, kept.normalisation)).toEqual(toFloat(anew.train, list, anew.normalisation));
    expect(toFloat(kept.train, list, kept.normalisation)).toEqual(toFloat(anew.train, list, anew.normalisation));
    expect(kept.train.whitened?.done.reduce((a, b) => a + b, 0)).toBe(8);
    expect(anew.train.whitened).toBeUndefined();
  });

  it('stands on shared memory where the images do, so that threads get no copy', async () => {
    const white = whiten(plain, zca);
    expect(white.normalisation.whitening?.whitening.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(white.train.whitened?.values.buffer).toBeInstanceOf(SharedArrayBuffer);
    const alone = whiten(await getDataset('digits'), zca);
    expect(alone.train.whitened?.values.buffer).toBeInstanceOf(ArrayBuffer);
  });

  it('is drawn as the original pictures', () => {
    const white = whiten(plain, zca);
    const sheet = (dataset: Dataset) =>
      contactSheet(toFloat(dataset.train, { start: 0, end: 10 }, dataset.normalisation), {
        shape: dataset.shape,
        normalisation: dataset.normalisation,
      });
    const [original, restored] = [decode(sheet(plain)).data, decode(sheet(white)).data];
    expect(restored.length).toBe(original.length);
    for (const [p, value] of original.entries()) if (Math.abs(value - (restored[p] ?? 0)) > 1) expect(restored[p]).toBe(value);
    expect(unwhitenValues([1, 2], {})).toEqual([1, 2]);
  });

  it('refuses a transform of another size', () => {
    expect(() => whiten(plain, { ...zca, size: 63 })).toThrow(ShapeError);
  });
});

describe('preprocess', () => {
  const options = () => ({ cacheDir: temporaryFolder() });

  it('fits once and keeps the transform, for the same bits', async () => {
    const { cacheDir } = options();
    const first = await preprocess(plain, 'zca', { cacheDir });
    const files = readdirSync(join(cacheDir, 'zca'));
    expect(files).toEqual([expect.stringMatching(/^digits-[0-9a-f]{16}\.safetensors$/)]);
    const again = await preprocess(plain, 'zca', {
      cacheDir,
      onProgress: () => {
        throw new Error('fitted again');
      },
    });
    expect(again.normalisation.whitening).toEqual(first.normalisation.whitening);
  });

  it('zca is fitted on u / 255 without means, standardise-zca on standardised images', async () => {
    const { cacheDir } = options();
    const raw = await preprocess(plain, 'zca', { cacheDir });
    expect(raw.normalisation).toMatchObject({ scale: 16, mean: [0], std: [1] });
    const both = await preprocess(plain, 'standardise-zca', { cacheDir });
    expect(both.normalisation).toMatchObject(plain.normalisation);
    expect(readdirSync(join(cacheDir, 'zca'))).toHaveLength(2);
    expect(await preprocess(plain, 'standardise')).toBe(plain);
    const mean = raw.normalisation.whitening?.mean[30] ?? 0;
    const values = toFloat(plain.train, { start: 0, end: plain.train.count }, { scale: 16, mean: [0], std: [1] });
    expect(mean).toBeCloseTo(values.filter((_, p) => p % 64 === 30).reduce((a, b) => a + b, 0) / plain.train.count, 6);
  });

  it('refuses a kept transform that is damaged, and names it', async () => {
    const { cacheDir } = options();
    await preprocess(plain, 'zca', { cacheDir });
    const path = join(cacheDir, 'zca', readdirSync(join(cacheDir, 'zca'))[0] ?? '');
    const bytes = readFileSync(path);
    bytes[bytes.length - 3] = (bytes[bytes.length - 3] ?? 0) ^ 1;
    mkdirSync(join(cacheDir, 'zca'), { recursive: true });
    writeFileSync(path, bytes);
    const attempt = preprocess(plain, 'zca', { cacheDir });
    await expect(attempt).rejects.toThrow(ChecksumError);
    await expect(attempt).rejects.toThrow(/digits-.*delete/);
  });
});
