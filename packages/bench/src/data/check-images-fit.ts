import { ShapeError } from '@bpc/core';
import type { ImageShape } from './dataset.js';

const kind = (channels: number): string => (channels === 1 ? ', grayscale' : channels === 3 ? ', colour' : '');
const text = (shape: readonly number[]): string => `${shape.join(' × ')}${kind(shape.at(-1) ?? 0)}`;

/**
 * Refuse images that a network does not take, before any work: grayscale ones to a colour network, or another size.
 *
 * @throws ShapeError with both shapes.
 *
 * @example
 * ```ts
 * import { checkImagesFit } from '@bpc/bench';
 * checkImagesFit([28, 28, 1], { inputShape: [28, 28, 1] });
 * ```
 */
export function checkImagesFit(images: ImageShape, network: { readonly inputShape: readonly number[] }): void {
  const { inputShape } = network;
  if (inputShape.join() === images.join()) return;
  throw new ShapeError(
    `the images are ${text(images)}, the network takes ${text(inputShape)}`,
    'build the network for the shape of the data set, or choose another data set',
  );
}
