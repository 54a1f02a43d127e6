import { ShapeError } from '@bpc/core';
import { parseMat } from '../mat-file.js';
import { heldPart, type OpenLayout, type Part, type Parts } from '../parts.js';

/**
 * SVHN, cropped digits, as published: MATLAB files `train` and `test` with `X` `[32, 32, 3, n]` and `y` `[n, 1]`.
 *
 * MATLAB stores columns first, so `X` is image after image, and in each the colour planes transposed; label 10 is the
 * digit 0.
 *
 * Source: Y. Netzer et al., "Reading digits in natural images with unsupervised feature learning" (2011), data set page.
 *
 * @throws ShapeError if a file is no MATLAB 5 file, or its arrays are missing or of another shape.
 */
export async function readSvhn(layout: OpenLayout): Promise<Parts> {
  return { train: await part(layout, 'train'), test: await part(layout, 'test') };
}

async function part(layout: OpenLayout, role: string): Promise<Part> {
  const [height, width, channels] = layout.shape;
  const arrays = parseMat(await layout.read(role), layout.path(role));
  const images = arrays.get('X');
  const digits = arrays.get('y');
  const count = digits?.data.length ?? 0;
  const shape = images?.shape.join(' × ');
  if (images === undefined || digits === undefined || shape !== [height, width, channels, count].join(' × ')) {
    throw new ShapeError(
      `${layout.path(role)} has X of shape ${shape ?? '(missing)'} and ${count} labels y, expected ${height} × ${width} × ${channels} × number of labels`,
      'use the original file of cropped digits',
    );
  }
  const size = height * width * channels;
  const out = new Uint8Array(count * size);
  for (let i = 0; i < count; i++) {
    for (let c = 0; c < channels; c++) {
      for (let x = 0; x < width; x++) {
        for (let y = 0; y < height; y++) {
          out[i * size + (y * width + x) * channels + c] = images.data[i * size + (c * width + x) * height + y] ?? 0;
        }
      }
    }
  }
  return heldPart(
    out,
    Int32Array.from(digits.data, (digit) => (digit === 10 ? 0 : digit)),
  );
}
