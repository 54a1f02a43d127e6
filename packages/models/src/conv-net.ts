import type { FeatureNetwork, Key } from '@bpc/core';
import { avgPool, ConfigError, flattenImages, foldIn, maxPool } from '@bpc/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { relu, tidy } from '@tensorflow/tfjs-core';
import type { Affine, Norm } from './init.js';
import { checkCount, checkImageShape, initAffine, initNorm } from './init.js';
import { affineOf, checkChoice, convolveAffine, convolveNormalisedPooled, denseLayer, normalise, normOf } from './layers.js';
import { layerwise } from './layerwise.js';

/** Options of `convNet`. */
export interface ConvNetOptions {
  /** Height, width and channels of one image. */
  readonly inputShape: readonly [number, number, number];
  readonly outputs: number;
  /** Number of blocks, each of which halves the image. Default 3, the ConvNet of the dataset-condensation papers. */
  readonly depth?: number;
  /** Channels of every block. Default 128, as there. */
  readonly width?: number;
  /** Default `'avg'`: the published code, though the papers' text says max. */
  readonly pool?: 'avg' | 'max';
  /** Default `'instance'`. */
  readonly norm?: 'instance' | 'none';
  /** Added to the variance in the instance norm. Default 1e-5, PyTorch's. */
  readonly epsilon?: number;
  /** Zero padding of the first convolution. Default 3 for 28×28 images, so that feature maps are 32×32, otherwise 1. */
  readonly firstPadding?: number;
}

/** `conv0 … conv{depth−1}`, `norm0 …` (absent with norm `'none'`) and `dense`. */
export type ConvNetParams = { readonly [layer: string]: Affine | Norm };

/**
 * The ConvNet of the dataset-condensation papers: `depth` blocks of 3×3 convolution, instance norm, ReLU and 2×2 pooling,
 * then a dense layer on the flattened (H, W, C) feature map.
 *
 * Gidaris & Komodakis 2018, as used by Zhao et al. 2021 and Kim et al. 2022; 320 010 parameters for 32×32×3 images and 10
 * classes. Odd sizes lose their last row and column in pooling. Parameters are initialised like PyTorch's: kernels and
 * biases uniform on ±1/√fan_in, gains 1, norm biases 0.
 *
 * @throws ConfigError for sizes that are not positive integers, or images that `depth` poolings would shrink to nothing.
 * @example
 * ```ts
 * import { key } from '@bpc/core';
 * import { convNet } from '@bpc/models';
 * const network = convNet({ inputShape: [28, 28, 1], outputs: 10 });
 * const params = network.init(key(0)); // network.parameterCount is 317706
 * ```
 */
export function convNet(options: ConvNetOptions): FeatureNetwork<ConvNetParams> {
  const { inputShape, outputs, depth = 3, width = 128, pool = 'avg', norm = 'instance', epsilon = 1e-5 } = options;
  const [height, imageWidth, channels] = inputShape;
  const { firstPadding = height === 28 && imageWidth === 28 ? 3 : 1 } = options;
  checkImageShape(inputShape);
  checkCount('outputs', outputs);
  checkCount('depth', depth);
  checkCount('width', width);
  checkCount('firstPadding', firstPadding, 0);
  checkChoice('pool', pool, ['avg', 'max']);
  checkChoice('norm', norm, ['instance', 'none']);

  const padding = (block: number) => (block === 0 ? firstPadding : 1);
  const kernels: number[][] = [];
  let [h, w, c] = [height, imageWidth, channels];
  for (let block = 0; block < depth; block++) {
    kernels.push([3, 3, c, width]);
    [h, w, c] = [Math.floor((h + 2 * padding(block) - 2) / 2), Math.floor((w + 2 * padding(block) - 2) / 2), width];
  }
  if (h < 1 || w < 1) {
    throw new ConfigError(
      `depth is ${depth}, too many poolings for images of ${height}x${imageWidth}`,
      'use fewer blocks or larger images',
    );
  }
  const dense = [h * w * c, outputs];
  const affineCount = [...kernels, dense].reduce(
    (total, shape) => total + shape.reduce((a, b) => a * b, 1) + (shape[shape.length - 1] ?? 0),
    0,
  );
  const poolImages = pool === 'avg' ? avgPool : maxPool;
  const features = (params: ConvNetParams, x: Tensor): Tensor =>
    tidy(() => {
      let maps = x;
      for (let block = 0; block < depth; block++) {
        const layer = affineOf(params, `conv${block}`);
        maps =
          norm === 'instance'
            ? convolveNormalisedPooled(maps, layer, normOf(params, `norm${block}`), padding(block), epsilon, pool)
            : poolImages(relu(convolveAffine(maps, layer, padding(block))), 2, 2);
      }
      return flattenImages(maps);
    });

  return {
    inputShape,
    outputs,
    parameterCount: affineCount + (norm === 'instance' ? 2 * width * depth : 0),
    init(key: Key) {
      const params: Record<string, Affine | Norm> = {};
      kernels.forEach((shape, block) => {
        params[`conv${block}`] = initAffine(foldIn(key, block), shape);
        if (norm === 'instance') params[`norm${block}`] = initNorm(width);
      });
      params['dense'] = initAffine(foldIn(key, depth), dense);
      return params;
    },
    features,
    featureCount: h * w * c,
    layerwise: layerwise((params: ConvNetParams, x, { convolve, dense: last }) => {
      let maps = x;
      for (let block = 0; block < depth; block++) {
        const convolved = convolve(`conv${block}`, maps, affineOf(params, `conv${block}`), padding(block));
        const normed = norm === 'instance' ? normalise(convolved, normOf(params, `norm${block}`), epsilon) : convolved;
        maps = poolImages(relu(normed), 2, 2);
      }
      return last('dense', flattenImages(maps), affineOf(params, 'dense'));
    }),
    apply: (params: ConvNetParams, x: Tensor) => tidy(() => denseLayer(features(params, x), affineOf(params, 'dense'))),
  };
}
