import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dsaStrategy, shippedManifest } from '@bpc/bench';
import { ChecksumError, ConfigError, ShapeError, StorageError } from '@bpc/core';
import { zipSync } from 'fflate';
import { describe, expect, it, onTestFinished } from 'vitest';
import { decodeJpeg } from '../src/data/images/decode-jpeg.js';
import { openFolder } from '../src/data/images/folder-tree.js';
import { centreSquare } from '../src/data/images/resize.js';
import { openZip } from '../src/data/images/zip-archive.js';
import { bytesOf, dataFolderWith, flatJpeg, unpacked } from './data-archives.js';
import { temporaryFolder } from './data-helpers.js';

async function zipOf(bytes: Uint8Array) {
  const path = join(temporaryFolder(), 'some.zip');
  writeFileSync(path, bytes);
  const zip = await openZip(path);
  onTestFinished(() => zip.close());
  return zip;
}

const text = async (bytes: Promise<Uint8Array>): Promise<string> => new TextDecoder().decode(await bytes);

describe('a zip archive', () => {
  const long = 'packed '.repeat(500);
  const good = () => zipSync({ 'folder/a.txt': [bytesOf('stored'), { level: 0 }], 'b.txt': [bytesOf(long), { level: 9 }] });

  it('gives its files by name, stored or deflated', async () => {
    const zip = await zipOf(good());
    expect(zip.names).toEqual(['b.txt', 'folder/a.txt']);
    expect(await text(zip.read('folder/a.txt'))).toBe('stored');
    expect(await text(zip.read('b.txt'))).toBe(long);
    await expect(zip.read('c.txt')).rejects.toThrow(StorageError);
  });

  it('may have the directory of archives too large for 32 bits', async () => {
    // Written by Python's zipfile with its limits set to 1 file and 3 bytes.
    const zip = await zipOf(
      unpacked(
        'H4sIAAAAAAACAwvwZmbRZYAAxQD28I2B/6GAh0GEIS0/JyW1SD9Rr6SihJFBgIEfqhJGF2dWlFTqpuWXFikkZZYUB0AN4wAbVitgcx9mGCvQsCSYKfZQ3TxQWtvD55yfb6CGwmQmhgBvRiZdZtwugoEGRhBJyH0I07A5SQbJNJAI1IESGA70hRvHxqYDZesy6MK1M6HRc6H0BIQ+drAeRgifESzGygbRwwRWD1ELAMzwBCePAQAA',
      ),
    );
    expect(zip.names).toEqual(['b.txt', 'folder/a.txt']);
    expect(await text(zip.read('folder/a.txt'))).toBe('sixty-four bits');
    expect(await text(zip.read('b.txt'))).toBe('packed '.repeat(9));
  });

  it.each([
    ['truncated', good().subarray(0, -30), /truncated, or no zip archive/],
    ['empty', new Uint8Array(), /truncated, or no zip archive/],
    ['another file', bytesOf('hello, I am text, and a good deal longer than a directory'), /truncated, or no zip archive/],
    ['cut at its start', good().subarray(40), /truncated: it ends before byte/],
  ])('%s is a ChecksumError', async (_, bytes, message) => {
    const attempt = zipOf(bytes).then((zip) => zip.read('b.txt'));
    await expect(attempt).rejects.toThrow(ChecksumError);
    await expect(attempt).rejects.toThrow(message);
  });

  it('with one changed byte in a file is a ChecksumError that names file and archive', async () => {
    const bytes = good();
    const at = bytes.findIndex((_, i) => new TextDecoder().decode(bytes.subarray(i, i + 6)) === 'stored');
    bytes[at] = 'S'.charCodeAt(0);
    const zip = await zipOf(bytes);
    await expect(zip.read('folder/a.txt')).rejects.toThrow(ChecksumError);
    await expect(zip.read('folder/a.txt')).rejects.toThrow(/folder\/a\.txt in .*some\.zip is damaged/);
    expect(await text(zip.read('b.txt'))).toBe(long);
  });

  it('that is not there is a StorageError', async () => {
    await expect(openZip(join(temporaryFolder(), 'none.zip'))).rejects.toThrow(StorageError);
  });
});

describe('a folder of files', () => {
  it('has the same names as an archive of it', async () => {
    const tree = await openFolder(dataFolderWith({ 'a/b/c.txt': bytesOf('c'), 'd.txt': bytesOf('d') }));
    expect(tree.names).toEqual(['a/b/c.txt', 'd.txt']);
    expect(await text(tree.read('a/b/c.txt'))).toBe('c');
    await expect(tree.read('e.txt')).rejects.toThrow(StorageError);
    await expect(openFolder('/nowhere/at/all')).rejects.toThrow(StorageError);
  });
});

// A random image of 9 × 13 pixels, its centre square 9 × 9, and what Pillow's Image.resize(…, BILINEAR) makes of that.
const width = 9;
const source = [
  95, 130, 194, 217, 207, 235, 15, 163, 33, 215, 217, 130, 248, 189, 16, 69, 184, 232, 205, 78, 169, 61, 125, 10, 29, 240, 66, 19, 182, 39,
  59, 4, 59, 81, 222, 44, 120, 122, 50, 208, 78, 28, 64, 166, 121, 89, 170, 233, 127, 178, 237, 128, 113, 123, 76, 155, 69, 154, 130, 248,
  95, 73, 192, 186, 191, 127, 220, 161, 231, 1, 43, 139, 237, 191, 86, 143, 7, 232, 96, 239, 76, 55, 0, 71, 77, 199, 219, 208, 176, 144,
  190, 171, 104, 120, 179, 0, 240, 245, 230, 100, 191, 216, 126, 219, 31, 149, 231, 141, 115, 16, 153, 8, 121, 211, 207, 195, 7, 179, 202,
  186, 166, 39, 185, 216, 73, 196, 247, 44, 14, 127, 219, 22, 58, 75, 249, 220, 46, 121, 168, 5, 217, 51, 157, 138, 56, 18, 149, 20, 32,
  235, 185, 76, 241, 214, 38, 123, 207, 58, 53, 108, 12, 163, 58, 103, 61, 245, 63, 7, 104, 202, 94, 1, 96, 7, 209, 31, 168, 235, 30, 2,
  169, 10, 174, 171, 187, 226, 142, 134, 58, 54, 174, 165, 49, 102, 222, 65, 240, 224, 137, 157, 101, 26, 153, 195, 51, 177, 56, 98, 26,
  245, 254, 117, 125, 38, 73, 255, 63, 197, 19, 206, 86, 6, 24, 251, 45, 113, 40, 97, 243, 173, 127, 175, 62, 198, 57, 243, 198, 127, 132,
  166, 188, 165, 30, 215, 128, 11, 62, 176, 175, 105, 57, 180, 188, 90, 144, 99, 186, 59, 10, 224, 62, 175, 149, 34, 21, 4, 51, 148, 185,
  117, 179, 184, 59, 106, 113, 216, 241, 158, 125, 134, 24, 78, 27, 96, 245, 2, 108, 79, 24, 13, 71, 108, 193, 180, 95, 124, 67, 179, 4,
  184, 134, 121, 181, 227, 146, 166, 172, 18, 210, 121, 29, 239, 156, 32, 6, 136, 76, 119, 152, 91, 209, 165, 56, 172, 107, 199, 79, 146,
  237, 222, 45, 65, 76, 8, 102, 82, 163, 214, 49, 184, 249, 11, 36, 152, 66, 148, 33, 129, 158, 89, 129,
];
const pillow = {
  4: [
    100, 118, 157, 168, 161, 138, 160, 146, 150, 134, 168, 122, 132, 83, 134, 106, 107, 135, 178, 68, 152, 153, 97, 119, 99, 142, 111, 102,
    140, 119, 126, 112, 138, 142, 116, 156, 137, 144, 105, 132, 105, 126, 73, 135, 104, 102, 125, 98,
  ],
  // The first two rows.
  12: [
    76, 155, 69, 125, 139, 181, 132, 109, 227, 106, 88, 184, 175, 176, 135, 207, 172, 192, 138, 117, 197, 31, 62, 132, 208, 173, 93, 178,
    76, 177, 125, 94, 174, 96, 239, 76, 63, 58, 70, 90, 130, 170, 128, 160, 205, 169, 142, 156, 186, 174, 119, 169, 175, 96, 155, 171, 128,
    151, 172, 192, 152, 189, 171, 139, 159, 129, 131, 175, 110, 129, 234, 117,
  ],
};

describe('centreSquare', () => {
  it.each([4, 12] as const)('scales to %i as Pillow does, to a level', (size) => {
    const found = centreSquare({ width, height: 13, data: Uint8Array.from(source) }, size);
    expect(found).toHaveLength(size * size * 3);
    for (const [p, value] of pillow[size].entries())
      if (Math.abs((found[p] ?? Number.NaN) - value) > 1) expect([p, found[p]]).toEqual([p, value]);
  });

  it('of an image of the right size is the image, and keeps one colour', () => {
    const square = Uint8Array.from(source.slice(0, 27 * 9));
    expect(centreSquare({ width: 9, height: 9, data: square }, 9)).toEqual(square);
    expect(new Set(centreSquare({ width: 20, height: 17, data: new Uint8Array(1020).fill(77) }, 5))).toEqual(new Set([77]));
  });

  it('cuts the same from both sides', () => {
    const wide = new Uint8Array(7 * 3 * 3);
    for (let y = 0; y < 3; y++) for (let x = 2; x < 5; x++) wide.fill(200, (y * 7 + x) * 3, (y * 7 + x + 1) * 3);
    expect(new Set(centreSquare({ width: 7, height: 3, data: wide }, 3))).toEqual(new Set([200]));
  });
});

describe('decodeJpeg', () => {
  it('gives RGB in rows', () => {
    const { width: w, height: h, data } = decodeJpeg(flatJpeg(16, 8, [10, 200, 90]), 'flat');
    expect([w, h, data.length]).toEqual([16, 8, 384]);
    for (const [p, value] of data.entries()) expect(Math.abs(value - ([10, 200, 90][p % 3] ?? 0))).toBeLessThanOrEqual(2);
  });

  it('names the file that it cannot read', () => {
    expect(() => decodeJpeg(bytesOf('no image'), 'my/file.jpg')).toThrow(ShapeError);
    expect(() => decodeJpeg(bytesOf('no image'), 'my/file.jpg')).toThrow(/my\/file\.jpg is not a readable JPEG/);
  });
});

describe('the augmentation strategy', () => {
  it('mirrors photographs and no digits', () => {
    const flipped = Object.keys(shippedManifest().datasets).filter((name) => dsaStrategy(name).includes('flip'));
    expect(flipped.sort()).toEqual(
      [
        'celeba',
        'celeba-subset',
        'cifar10',
        'cifar100',
        'cifar100-subset',
        'fashion-mnist',
        'tiny-imagenet',
        'tiny-imagenet-subset',
      ].sort(),
    );
    expect(() => dsaStrategy('mnits')).toThrow(ConfigError);
  });
});
