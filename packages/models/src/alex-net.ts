import type { FeatureNetwork } from '@bpc/core';
import type { Affine, Norm } from './init.js';
import { checkCount, checkImageShape, checkWidths } from './init.js';
import { plainNetwork } from './plain-network.js';

/** Options of `alexNet`. */
export interface AlexNetOptions {
  /** Height, width and channels of one image. */
  readonly inputShape: readonly [number, number, number];
  readonly outputs: number;
  /** Channels of the five convolutions. Default 128, 192, 256, 192, 192, those of the dataset-condensation papers. */
  readonly widths?: readonly number[];
  /** Default `'none'`, as there. */
  readonly norm?: 'instance' | 'none';
  /** Added to the variance in the instance norm. Default 1e-5. */
  readonly epsilon?: number;
  /** Zero padding of the first convolution. Default 4 for 28×28 images, so that feature maps are 32×32, otherwise 2. */
  readonly firstPadding?: number;
}

/** `conv0 … conv4`, `norm0 …` (with norm `'instance'`) and `dense`. */
export type AlexNetParams = { readonly [layer: string]: Affine | Norm };

/**
 * The small AlexNet of the dataset-condensation papers: two 5×5 and three 3×3 convolutions with ReLU, 2×2 max pooling
 * after the first, second and fifth, then a dense layer.
 *
 * Krizhevsky et al. 2012, as cut down by Zhao et al. 2021; 1 872 202 parameters for 32×32×3 images and 10 classes.
 * Initialised like PyTorch's: kernels and biases uniform on ±1/√fan_in.
 *
 * @throws ConfigError for sizes that are not positive integers, or images that three poolings would shrink to nothing.
 * @example
 * ```ts
 * import { alexNet } from '@bpc/models';
 * const network = alexNet({ inputShape: [32, 32, 3], outputs: 10 }); // network.parameterCount is 1872202
 * ```
 */
export function alexNet(options: AlexNetOptions): FeatureNetwork<AlexNetParams> {
  const { inputShape, outputs, widths = [128, 192, 256, 192, 192], norm = 'none', epsilon = 1e-5 } = options;
  checkImageShape(inputShape);
  checkWidths('widths', widths, 5);
  const { firstPadding = inputShape[0] === 28 && inputShape[1] === 28 ? 4 : 2 } = options;
  checkCount('firstPadding', firstPadding, 0);
  const kernels = [5, 5, 3, 3, 3];
  const paddings = [firstPadding, 2, 1, 1, 1];
  const pooled = [true, true, false, false, true];
  const convolutions = widths.map((width, i) => ({
    width,
    kernel: kernels[i] ?? 3,
    padding: paddings[i] ?? 1,
    pool: pooled[i] ?? false,
  }));
  return plainNetwork({ inputShape, outputs, convolutions, norm, epsilon });
}
