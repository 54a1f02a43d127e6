import { augmentHost, drawAugmentationParameters, type Key, parseAugmentation } from '@bpc/core';
import type { ImageShape } from '../data/dataset.js';

/** Augments a batch of images `[count, …shape]` with one draw; a fresh array unless there is nothing to do. */
export type BatchAugmentation = (images: Float32Array, key: Key) => Float32Array;

/**
 * The augmentation of a strategy, on the host: no derivative with respect to real or fixed images is ever needed, so one
 * compiled step serves every draw.
 */
export function batchAugmentation(strategy: string, shape: ImageShape): BatchAugmentation {
  const parsed = parseAugmentation(strategy);
  if (parsed.groups.length === 0) return (images) => images;
  const [height, width, channels] = shape;
  const size = height * width * channels;
  return (images, key) => {
    const count = images.length / size;
    return augmentHost(drawAugmentationParameters(key, parsed, count, height, width), images, [count, height, width, channels]);
  };
}
