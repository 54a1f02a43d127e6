import type { FeatureNetwork } from '@bpc/core';
import type { Affine, Norm } from './init.js';
import { checkCount, checkImageShape, checkWidths } from './init.js';
import { plainNetwork } from './plain-network.js';

/** Options of `vgg11`. */
export interface Vgg11Options {
  /** Height, width and channels of one image. */
  readonly inputShape: readonly [number, number, number];
  readonly outputs: number;
  /** Channels of the eight convolutions. Default 64, 128, 256, 256, 512, 512, 512, 512. */
  readonly widths?: readonly number[];
  /** Default `'instance'`. */
  readonly norm?: 'instance' | 'none';
  /** Added to the variance in the instance norm. Default 1e-5. */
  readonly epsilon?: number;
  /** Zero padding of the first convolution. Default 3 for 28×28 images, so that feature maps are 32×32, otherwise 1. */
  readonly firstPadding?: number;
}

/** `conv0 … conv7`, `norm0 …` (absent with norm `'none'`) and `dense`. */
export type Vgg11Params = { readonly [layer: string]: Affine | Norm };

/**
 * VGG11 for small images: eight 3×3 convolutions with instance norm and ReLU, 2×2 max pooling after the first, second,
 * fourth, sixth and eighth, then one dense layer.
 *
 * Simonyan & Zisserman 2015, as used by Zhao et al. 2021; 9 231 114 parameters for 32×32×3 images and 10 classes.
 * Initialised like PyTorch's: kernels and biases uniform on ±1/√fan_in, gains 1, norm biases 0.
 *
 * @throws ConfigError for sizes that are not positive integers, or images that five poolings would shrink to nothing.
 * @example
 * ```ts
 * import { vgg11 } from '@bpc/models';
 * const network = vgg11({ inputShape: [32, 32, 3], outputs: 10 }); // network.parameterCount is 9231114
 * ```
 */
export function vgg11(options: Vgg11Options): FeatureNetwork<Vgg11Params> {
  const { inputShape, outputs, widths = [64, 128, 256, 256, 512, 512, 512, 512], norm = 'instance', epsilon = 1e-5 } = options;
  checkImageShape(inputShape);
  checkWidths('widths', widths, 8);
  const { firstPadding = inputShape[0] === 28 && inputShape[1] === 28 ? 3 : 1 } = options;
  checkCount('firstPadding', firstPadding, 0);
  const pooled = [true, true, false, true, false, true, false, true];
  const convolutions = widths.map((width, i) => ({
    width,
    kernel: 3,
    padding: i === 0 ? firstPadding : 1,
    pool: pooled[i] ?? false,
  }));
  return plainNetwork({ inputShape, outputs, convolutions, norm, epsilon });
}
