import type { FeatureNetwork, Key } from '@bpc/core';
import { ConfigError, flattenImages, foldIn, maxPool } from '@bpc/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { relu, tidy } from '@tensorflow/tfjs-core';
import type { Affine, Norm } from './init.js';
import { checkCount, initAffine, initNorm } from './init.js';
import type { Layers } from './layers.js';
import {
  affineOf,
  checkChoice,
  convolveAffine,
  convolveNormalised,
  convolveNormalisedPooled,
  countOf,
  denseLayer,
  lengthAfter,
  normalise,
  normOf,
} from './layers.js';
import { layerwise } from './layerwise.js';

/** One convolution with what follows it. */
interface Convolution {
  readonly width: number;
  /** Side of the square kernel. */
  readonly kernel: number;
  readonly padding: number;
  /** Whether 2×2 max pooling follows. */
  readonly pool: boolean;
}

interface PlainNetworkOptions {
  readonly inputShape: readonly [number, number, number];
  readonly outputs: number;
  readonly convolutions: readonly Convolution[];
  readonly norm: 'instance' | 'none';
  readonly epsilon: number;
}

/**
 * Convolution, instance norm, ReLU and max pooling one after another, then a dense layer: VGG and AlexNet differ in numbers.
 *
 * @throws ConfigError for images that the poolings would shrink to nothing, or an unknown norm.
 */
export function plainNetwork(options: PlainNetworkOptions): FeatureNetwork<Layers> {
  const { inputShape, outputs, convolutions, norm, epsilon } = options;
  checkCount('outputs', outputs);
  checkChoice('norm', norm, ['instance', 'none']);
  let [h, w, c] = inputShape;
  const kernels = convolutions.map(({ kernel, width, padding, pool }) => {
    const shape = [kernel, kernel, c, width];
    [h, w, c] = [lengthAfter(h, kernel, 1, padding), lengthAfter(w, kernel, 1, padding), width];
    if (pool) [h, w] = [lengthAfter(h, 2, 2, 0), lengthAfter(w, 2, 2, 0)];
    return shape;
  });
  if (h < 1 || w < 1) {
    const poolings = convolutions.filter(({ pool }) => pool).length;
    throw new ConfigError(
      `inputShape is [${inputShape}], too small for ${poolings} poolings`,
      `use images of at least ${2 ** poolings}x${2 ** poolings} pixels`,
    );
  }
  const dense = [h * w * c, outputs];
  const biases = [...convolutions.map(({ width }) => [width]), [outputs]];
  const norms = norm === 'instance' ? convolutions.map(({ width }) => [2, width]) : [];

  const features = (params: Layers, x: Tensor): Tensor =>
    tidy(() => {
      let maps = x;
      convolutions.forEach(({ padding, pool }, i) => {
        const layer = affineOf(params, `conv${i}`);
        if (norm === 'instance') {
          const own = normOf(params, `norm${i}`);
          maps = pool
            ? convolveNormalisedPooled(maps, layer, own, padding, epsilon, 'max')
            : relu(convolveNormalised(maps, layer, own, 1, padding, epsilon));
        } else {
          const rectified = relu(convolveAffine(maps, layer, padding));
          maps = pool ? maxPool(rectified, 2, 2) : rectified;
        }
      });
      return flattenImages(maps);
    });

  return {
    inputShape,
    outputs,
    parameterCount: countOf([...kernels, dense, ...biases, ...norms]),
    init(key: Key) {
      const params: Record<string, Affine | Norm> = {};
      kernels.forEach((shape, i) => {
        params[`conv${i}`] = initAffine(foldIn(key, i), shape);
        if (norm === 'instance') params[`norm${i}`] = initNorm(shape[3] ?? 0);
      });
      params['dense'] = initAffine(foldIn(key, kernels.length), dense);
      return params;
    },
    features,
    featureCount: h * w * c,
    layerwise: layerwise((params: Layers, x, { convolve, dense: last }) => {
      let maps = x;
      convolutions.forEach(({ padding, pool }, i) => {
        const convolved = convolve(`conv${i}`, maps, affineOf(params, `conv${i}`), padding);
        const rectified = relu(norm === 'instance' ? normalise(convolved, normOf(params, `norm${i}`), epsilon) : convolved);
        maps = pool ? maxPool(rectified, 2, 2) : rectified;
      });
      return last('dense', flattenImages(maps), affineOf(params, 'dense'));
    }),
    apply: (params: Layers, x: Tensor) => tidy(() => denseLayer(features(params, x), affineOf(params, 'dense'))),
  };
}
