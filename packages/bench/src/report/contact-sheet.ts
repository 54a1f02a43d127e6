import { ConfigError, ShapeError } from '@bpc/core';
import { encode } from 'fast-png';
import type { ImageShape, Normalisation } from '../data/dataset.js';
import { unwhitenValues } from '../data/to-float.js';
import { at, type FloatArray } from '../metrics/predictions.js';

/** How a contact sheet is laid out and how values become grey levels. */
export interface ContactSheetOptions {
  readonly shape: ImageShape;
  /** The normalisation the images were made with, whitening included; it is undone. */
  readonly normalisation: Pick<Normalisation, 'mean' | 'std' | 'whitening'>;
  /** Images per row. Default 10: one row per image of ten classes. */
  readonly columns?: number;
  /** Side of one image pixel in sheet pixels. Default: what brings an image to about 112 pixels, 56 if there are many. */
  readonly scale?: number;
  /** Transparent pixels between images. Default 4. */
  readonly gap?: number;
  /** Stretch each image to its own range instead of the fixed mapping. Default false. */
  readonly perImage?: boolean;
}

/**
 * Draw images side by side as a PNG, grey or RGB, with transparent gaps.
 *
 * Fixed mapping, equal for every image and every sheet, so that sheets may be compared:
 * `byte = round(255 · clamp(x · std_c + mean_c, 0, 1))`, after undoing whitening. Learned pixels outside the range of real images saturate. With
 * `perImage` each image's least and largest value become 0 and 255: shows structure, forbids comparison.
 *
 * @param images - `[count, height, width, channels]`, normalised, row-major.
 * @throws ShapeError if the length is no multiple of the image size or the channels are neither 1 nor 3; ConfigError for a
 * layout that is not positive integers or a pixel that is not finite.
 *
 * @example
 * ```ts
 * import { contactSheet, getDataset, toFloat } from '@bpc/bench';
 * const { train, shape, normalisation } = await getDataset('digits');
 * const png = contactSheet(toFloat(train, { start: 0, end: 20 }, normalisation), { shape, normalisation });
 * ```
 */
export function contactSheet(images: FloatArray, options: ContactSheetOptions): Uint8Array {
  const { shape, columns = 10, gap = 4 } = options;
  const [height, width, channels] = shape;
  const side = images.length > 3 * columns * height * width * channels ? 56 : 112;
  const scale = options.scale ?? Math.max(1, Math.round(side / Math.max(height, width)));
  checkLayout(images, shape, { columns, scale }, gap);
  const bytes =
    options.perImage === true ? stretched(images, height * width * channels) : denormalised(images, channels, options.normalisation);
  const count = bytes.length / (height * width * channels);
  const across = Math.min(columns, count);
  const sheetWidth = across * (width * scale + gap) - gap;
  const sheetHeight = Math.ceil(count / across) * (height * scale + gap) - gap;
  const depth = channels + 1;
  const sheet = new Uint8Array(sheetWidth * sheetHeight * depth);
  for (let i = 0; i < count; i++) {
    const left = (i % across) * (width * scale + gap);
    const top = Math.floor(i / across) * (height * scale + gap);
    for (let y = 0; y < height * scale; y++) {
      for (let x = 0; x < width * scale; x++) {
        const source = ((i * height + Math.floor(y / scale)) * width + Math.floor(x / scale)) * channels;
        const target = ((top + y) * sheetWidth + left + x) * depth;
        for (let c = 0; c < channels; c++) sheet[target + c] = at(bytes, source + c);
        sheet[target + channels] = 255;
      }
    }
  }
  return encode({ width: sheetWidth, height: sheetHeight, data: sheet, channels: depth, depth: 8 });
}

function denormalised(images: FloatArray, channels: number, normalisation: ContactSheetOptions['normalisation']): Uint8ClampedArray {
  const { mean, std } = normalisation;
  if (mean.length !== channels || std.length !== channels) {
    throw new ConfigError(`the normalisation has ${mean.length} means, expected ${channels}`, "pass the data set's own normalisation");
  }
  // A clamped array rounds to nearest and saturates.
  return Uint8ClampedArray.from(
    unwhitenValues(images, normalisation),
    (x, i) => 255 * (x * at(std, i % channels) + at(mean, i % channels)),
  );
}

function stretched(images: FloatArray, size: number): Uint8ClampedArray {
  const bytes = new Uint8ClampedArray(images.length);
  for (let start = 0; start < images.length; start += size) {
    const image = Float64Array.from(images.subarray(start, start + size));
    const low = Math.min(...image);
    const high = Math.max(...image);
    image.forEach((x, i) => {
      bytes[start + i] = high > low ? (255 * (x - low)) / (high - low) : 128;
    });
  }
  return bytes;
}

function checkLayout(images: FloatArray, shape: ImageShape, positive: Readonly<Record<string, number>>, gap: number): void {
  const [height, width, channels] = shape;
  const size = height * width * channels;
  if (channels !== 1 && channels !== 3)
    throw new ShapeError(`images have ${channels} channels, expected 1 or 3`, 'pass grey or RGB images');
  if (images.length === 0 || images.length % size !== 0) {
    throw new ShapeError(
      `there are ${images.length} pixel values, expected a positive multiple of ${height} × ${width} × ${channels}`,
      'pass whole images',
    );
  }
  for (const [name, value] of Object.entries({ ...positive, gap: gap + 1 })) {
    if (!Number.isInteger(value) || value < 1)
      throw new ConfigError(`${name} is ${name === 'gap' ? gap : value}, expected a positive integer`, `pass another ${name}`);
  }
  const bad = images.findIndex((x) => !Number.isFinite(x));
  if (bad >= 0)
    throw new ConfigError(`image ${Math.floor(bad / size)} has a pixel that is ${images[bad]}`, 'check the coreset for divergence');
}
