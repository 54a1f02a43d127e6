import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type Dataset, getDataset, type Manifest, parseManifest } from '@bpc/bench';
import { encode as encodeJpeg } from 'jpeg-js';
import { temporaryFolder } from './data-helpers.js';

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A file that other programs wrote, kept here as gzip in base64. */
export const unpacked = (base64: string): Uint8Array => new Uint8Array(gunzipSync(Buffer.from(base64, 'base64')));

/** MATLAB files written by SciPy: X = 3·arange(72) of shape [2, 3, 3, 4], y = 10, 1, 2, 10 (uint8; float64 in the plain one). */
export const scipyMat = {
  compressed:
    'H4sIAAAAAAACA/N1DPFxdFIw1TNQ8HUM0U3LzElVCMhJLEnLL8q1UijIL86s0FFwLkpNLElNUcjPs1JwK8pU8MsvUzAyUDC0tDI2tjI0BLKNzBjIAIyevvxAqgyIK+Y8Tk5IyGBIMlN4xpDkx8aRwJrEqJDGlJSmkcaY5KbQ09BV3SDybIXPhxuHghMN1J80uHSf7WoxPvPz1eS92z+HS5/nt9e5m7ff6qdN9MRrJvtjnUrTuhf1nSy1XOu9+0jkKmvjgvUZi59eujG5a+86aeP1TAzLeOTjQbZrwW03QLK99VNkwwzBHklJrUYT4YCW7omd3AyS/IwMAJaq9iIwAQAA',
  plain:
    'H4sIAAAAAAACA/N1DPFxdFIw1TNQ8HUM0U3LzElVCMhJLEnLL8q1UijIL86s0FFwLkpNLElNUcjPs1JwK8pU8MsvUzAyUDC0tDI2tjI0BLKNzBjIAIyevnxAqgGI2YCYA4g5oVKsQCwAxExAzAzFLCAtQBgBFfcAKcxRmeCxhafCYE7IAYkWmxUJZ5jz1Sd7b+evNp4ffli63X518nm2Iq1pfruE6swWRR2T63Jal3aJs1R3ZuBe0UbLpbEnFXtdN2ZeBbkjAMkdbEju4IDbDbG/EupOBbhHVBwg9Ad7qIADTBwAxbbLYGABAAA=',
};

/** An HDF5 file written by h5py: train/data [4, 6] and test/data [2, 6] float32, arange / 24; targets 0, 1, 0, 1 and 0, 1. */
export const h5pyFile =
  'H4sIAAAAAAACA+v0cHHj5ZLiYgABDg4GFgYBBmTwHwr2qaLyYfIJUJoRSndA6RVMMHFGsJwEVFwQaj66upAgV1eQ6v9oAGbPA1YIzcEwCkYi8HB1DADREVA+LD2dYEJVV1KUmJkHolOLS5DTpQOZ9uJKvx7MEH4GK3Hp1wKacAVGo3I0/SKlpw5WVHUpiSWJ4HScWJSeWkJ5+g3283dhZGCCpzs1UdTy2g/KzxNHLV8VmFHVoaf3kQYYGdggYcEI42tAaCaIAAtUHRuURuczA2McpFJQQR4qp8AgzsEgXg+VZwWGPEieiRliIDdQHsRghNvHAS6JUlLTchJLUuHmc0BTEjMTcwMnwmo2hBMCaBIesHQFSy8a7PjVw9Ifm8hoWYAMQPUGI5Z6w4+Avh3CqHxc6W8UjIJRMApGwSgYBaNgFAwPUBHHe3whY4MBD+vF9R8rSmw3cUrJ9x97vJvFW8V7A4u3Aevyd3NVQrfFzZSV2tZhkHlhtv+fB+L1EXGWlUfeXGqSjvvYVi7z44D6vj/sB6/I9TIC+x+ovRtIr4KREbV3wwLvzQiAlQpwMMB7Myi9GCZILwbeO2EUE8U+/jFhEPf4EDSuUSD03jOhUaBvEthDYRSMDIBrFKhPHFUdtUeBCI1eMKH1HpnoP3phJ4Wwmu6jF8/EiRu9WKYymoaJGb0wIKCvDC0cmUZHL0bBKBgFo2AUjIJRMAqG+ehFckJCQsRer9NlX1eFbnNYJjshV1xKKuv4gQsMS5Yz/Vzd8IbZ4Vuowu+psgwZGwQeEhqfYEJrR5I+PrFNFdYjGUrjEwDwbgTEviUAAA==';

/** A grey JPEG of 8 × 8 pixels written by Pillow: pixel (y, x) is 32 y + 4 x, to one or two levels. */
export const pillowGreyJpeg =
  'H4sIAAAAAAACA/t/4/8DBgEvN083BkZGBgZGIGT4f5vBmYGJEQRAJBMIsDCDSFYWFmYWNlY2NjBm5+QAYnY2Ng5uDk4uEACyeLi5eECc/wcYuDkYgJCRUZDh/xEGeaDhrGAzgTZAACMTMwsrGztQLzdQwVYBoJ3MzECbWIHWAGVrgfIMLIKsQoqGjmzCgYnsSoUiRo0TF3IoO208KBp08YOKcVJREyeXmLiEpJSqmrqGppaJqZm5haWVs4urm7uHp1dwSGhYeERkVHJKalp6RmZWcUlpWXlFZVVzS2tbe0dn16TJU6ZOmz5j5qxFi5csXbZ8xcpVmzZv2bpt+46duw4dPnL02PETJ09dunzl6rXrN27eevjo8ZOnz56/ePnq46fPX75++/7j56//t0D+Y2CwZ1j/4fY/3h3/GcL/M4iIL/+zu/7r6v83AeBXBIJdAQAA';

/** Arrays written by NumPy: int64 [[3, 1], [0, 4]] and float64 [[0.75, 0.25], [0, 1]]. */
export const numpyArrays = {
  counts:
    'H4sIAAAAAAACA5vsF+obEMnIUMZQrZ6SWpxcpG6loG6TaaGuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GkY6CkaaOgq1CmQDLmYGCGBkQAUsUBoAb1RYEqAAAAA=',
  shares:
    'H4sIAAAAAAACA5vsF+obEMnIUMZQrZ6SWpxcpG6loG6TZqGuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GkY6CkaaOgq1CmQDLgYweGEPoS9AaRj4YA8ACKgCXaAAAAA=',
};

/** A JPEG of one colour, which it keeps to a level or two. */
export function flatJpeg(width: number, height: number, colour: readonly [number, number, number]): Uint8Array {
  const data = new Uint8Array(width * height * 4);
  for (let p = 0; p < width * height; p++) data.set([...colour, 255], 4 * p);
  return new Uint8Array(encodeJpeg({ width, height, data }, 100).data);
}

/** Writes files into a fresh data folder, and returns it. */
export function dataFolderWith(files: Readonly<Record<string, Uint8Array>>): string {
  const folder = temporaryFolder();
  for (const [name, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), bytes);
  }
  return folder;
}

export const listed = (name: string, bytes: Uint8Array) => ({
  name,
  bytes: bytes.length,
  sha256: createHash('sha256').update(bytes).digest('hex'),
});

export interface MiniatureSet {
  readonly format: string;
  readonly shape: readonly [number, number, number];
  readonly classNames: readonly string[];
  readonly splits: { readonly train: number; readonly validation: number; readonly test: number };
  readonly division: unknown;
  readonly labels?: Readonly<Record<string, readonly string[]>>;
  /** Name on disk and contents by role. */
  readonly files: Readonly<Record<string, readonly [name: string, bytes: Uint8Array]>>;
}

/** A manifest with the one data set `tiny`. */
export function miniatureManifest({ format, files, classNames, shape, ...rest }: MiniatureSet): Manifest {
  const layout = {
    format,
    sources: [],
    files: Object.fromEntries(Object.entries(files).map(([role, [name, bytes]]) => [role, listed(name, bytes)])),
  };
  const entry = {
    ...rest,
    title: 'Tiny',
    licence: 'none',
    shape,
    classes: classNames.length,
    classNames,
    mirrored: true,
    normalisation: { scale: 255, mean: new Array(shape[2]).fill(0), std: new Array(shape[2]).fill(1) },
    layouts: [layout],
  };
  return parseManifest({ version: 1, datasets: { tiny: entry } });
}

/** Loads a data set from files made in the test. */
export function loadMiniature(set: MiniatureSet, labels?: string): Promise<Dataset> {
  const dataDir = dataFolderWith(Object.fromEntries(Object.values(set.files).map(([name, bytes]) => [`tiny/${name}`, bytes])));
  return getDataset('tiny', { dataDir, offline: true, manifest: miniatureManifest(set), ...(labels === undefined ? {} : { labels }) });
}

/** Images of a split, one list of bytes each. */
export const imagesOf = ({ images, count }: { readonly images: Uint8Array; readonly count: number }): number[][] =>
  Array.from({ length: count }, (_, i) => Array.from(images.subarray((i * images.length) / count, ((i + 1) * images.length) / count)));
