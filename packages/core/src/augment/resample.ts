import { ConfigError } from '../errors.js';
import type { AugmentationParameters } from './parameters.js';

/** The augmentations that move pixels: every output pixel is a weighted sum of input pixels. */
export type ResampleParameters = Extract<AugmentationParameters, { readonly group: 'crop' | 'flip' | 'scale' | 'rotate' }>;

/**
 * For each of T taps, the source pixel and the weight of every output pixel of a batch, flat over [batch, height, width].
 * Pixels outside the image have weight 0.
 */
export type Taps = readonly { readonly index: Int32Array; readonly weight: Float32Array }[];

/** Input pixel (row, column), possibly fractional or outside, of an output pixel of image `b`. Writes into `out`. */
type PixelMap = (b: number, row: number, column: number, out: Float64Array) => void;

/** The 2×2 matrix from output to input coordinates (width axis first) of each image. */
function affineMap(
  matrix: (b: number) => readonly [number, number, number, number],
  height: number,
  width: number,
  alignCorners: boolean,
): PixelMap {
  // Coordinates run over [-1, 1]; an axis of one pixel has only its centre, 0.
  const toUnit = (i: number, n: number) => (alignCorners ? (n === 1 ? 0 : (2 * i) / (n - 1) - 1) : (2 * i + 1) / n - 1);
  const toPixel = (u: number, n: number) => (alignCorners ? ((u + 1) * (n - 1)) / 2 : ((u + 1) * n - 1) / 2);
  let last = -1;
  let [a, c, d, e] = [1, 0, 0, 1];
  return (b, row, column, out) => {
    if (b !== last) [a, c, d, e] = matrix((last = b));
    const x = toUnit(column, width);
    const y = toUnit(row, height);
    out[0] = toPixel(d * x + e * y, height);
    out[1] = toPixel(a * x + c * y, width);
  };
}

function pixelMap(parameters: ResampleParameters, height: number, width: number): PixelMap {
  const at = (values: ArrayLike<number>, i: number) => values[i] ?? Number.NaN;
  switch (parameters.group) {
    case 'crop':
      return (b, row, column, out) => {
        out[0] = row + at(parameters.shift, 2 * b);
        out[1] = column + at(parameters.shift, 2 * b + 1);
      };
    case 'flip':
      return (b, row, column, out) => {
        out[0] = row;
        out[1] = at(parameters.flip, b) === 1 ? width - 1 - column : column;
      };
    case 'scale':
      return affineMap((b) => [at(parameters.scale, 2 * b), 0, 0, at(parameters.scale, 2 * b + 1)], height, width, parameters.alignCorners);
    case 'rotate':
      return affineMap(
        (b) => {
          const [cosine, sine] = [Math.cos(at(parameters.angle, b)), Math.sin(at(parameters.angle, b))];
          return [cosine, -sine, sine, cosine];
        },
        height,
        width,
        parameters.alignCorners,
      );
  }
}

/** Taps of a resampling: 1 for crop and flip, 4 (bilinear) for scale and rotate. Computed in float64. */
export function resampleTaps(parameters: ResampleParameters, batch: number, height: number, width: number): Taps {
  const bilinear = parameters.group === 'scale' || parameters.group === 'rotate';
  const taps = Array.from({ length: bilinear ? 4 : 1 }, () => ({
    index: new Int32Array(batch * height * width),
    weight: new Float32Array(batch * height * width),
  }));
  forEachTap(parameters, batch, height, width, (output, tap, source, weight) => {
    const { index, weight: weights } = taps[tap] as (typeof taps)[number];
    index[output] = source;
    weights[output] = weight;
  });
  return taps;
}

/** Calls `visit` for every output pixel and tap with the flat source pixel and its weight. */
export function forEachTap(
  parameters: ResampleParameters,
  batch: number,
  height: number,
  width: number,
  visit: (output: number, tap: number, source: number, weight: number) => void,
): void {
  checkLength(parameters, batch);
  const map = pixelMap(parameters, height, width);
  const pixel = new Float64Array(2);
  const bilinear = parameters.group === 'scale' || parameters.group === 'rotate';
  let output = 0;
  for (let b = 0; b < batch; b++) {
    const base = b * height * width;
    const tapAt = (tap: number, row: number, column: number, weight: number) => {
      const inside = row >= 0 && row < height && column >= 0 && column < width;
      visit(output, tap, inside ? base + row * width + column : base, inside ? weight : 0);
    };
    for (let i = 0; i < height; i++) {
      for (let j = 0; j < width; j++, output++) {
        map(b, i, j, pixel);
        const [y = 0, x = 0] = pixel;
        const [row, column] = [Math.floor(y), Math.floor(x)];
        if (!bilinear) {
          tapAt(0, row, column, 1);
          continue;
        }
        const [down, across] = [y - row, x - column];
        tapAt(0, row, column, (1 - down) * (1 - across));
        tapAt(1, row, column + 1, (1 - down) * across);
        tapAt(2, row + 1, column, down * (1 - across));
        tapAt(3, row + 1, column + 1, down * across);
      }
    }
  }
}

function checkLength(parameters: ResampleParameters, batch: number): void {
  const [found, expected] =
    parameters.group === 'crop'
      ? [parameters.shift.length, 2 * batch]
      : parameters.group === 'flip'
        ? [parameters.flip.length, batch]
        : parameters.group === 'scale'
          ? [parameters.scale.length, 2 * batch]
          : [parameters.angle.length, batch];
  if (found !== expected)
    throw new ConfigError(
      `${parameters.group} has ${found} parameters for ${batch} images, expected ${expected}`,
      'draw parameters for this batch size',
    );
}
