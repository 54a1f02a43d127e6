import { ShapeError } from '../errors.js';
import { cutoutMask } from './augment.js';
import type { AugmentationParameters } from './parameters.js';
import { forEachTap } from './resample.js';

/**
 * Augments images on the host: the same function as `applyAugmentation`, for real training batches. Computed in float64
 * and rounded once; `images` is row-major [batch, height, width, channels] and is not changed.
 *
 * @throws ShapeError if the images do not fit their shape.
 * @example
 * ```ts
 * import { augmentHost, drawAugmentationParameters, key, parseAugmentation } from '@bpc/core';
 * const parameters = drawAugmentationParameters(key(0), parseAugmentation('scale_rotate'), 2, 8, 8);
 * const augmented = augmentHost(parameters, new Float32Array(128), [2, 8, 8, 1]);
 * ```
 */
export function augmentHost(
  parameters: AugmentationParameters,
  images: Float32Array,
  shape: readonly [batch: number, height: number, width: number, channels: number],
): Float32Array {
  const [batch, height, width, channels] = shape;
  if (images.length !== batch * height * width * channels) {
    throw new ShapeError(
      `images has ${images.length} numbers, expected ${shape.join('×')}`,
      'pass row-major [batch, height, width, channels]',
    );
  }
  switch (parameters.group) {
    case 'none':
      return images.slice();
    case 'color':
      return color(parameters, images, shape);
    case 'cutout': {
      const mask = cutoutMask(parameters, batch, height, width);
      return images.map((value, i) => value * (mask[Math.floor(i / channels)] as number));
    }
    default: {
      const sums = new Float64Array(images.length);
      forEachTap(parameters, batch, height, width, (output, _tap, source, weight) => {
        if (weight === 0) return;
        for (let c = 0; c < channels; c++)
          sums[output * channels + c] = (sums[output * channels + c] as number) + weight * (images[source * channels + c] as number);
      });
      return Float32Array.from(sums);
    }
  }
}

function color(
  { brightness, saturation, contrast }: Extract<AugmentationParameters, { readonly group: 'color' }>,
  images: Float32Array,
  [batch, height, width, channels]: readonly [number, number, number, number],
): Float32Array {
  const out = new Float32Array(images.length);
  const size = height * width * channels;
  const image = new Float64Array(size);
  for (let b = 0; b < batch; b++) {
    const shift = (brightness[b] ?? 0.5) - 0.5;
    const saturate = 2 * (saturation[b] ?? 0.5);
    const stretch = (contrast[b] ?? 0.5) + 0.5;
    let total = 0;
    for (let p = 0; p < size; p += channels) {
      let m = 0;
      for (let c = 0; c < channels; c++) m += (images[b * size + p + c] as number) + shift;
      m /= channels;
      for (let c = 0; c < channels; c++) {
        const value = ((images[b * size + p + c] as number) + shift - m) * saturate + m;
        image[p + c] = value;
        total += value;
      }
    }
    const m = total / size;
    for (let i = 0; i < size; i++) out[b * size + i] = ((image[i] as number) - m) * stretch + m;
  }
  return out;
}
