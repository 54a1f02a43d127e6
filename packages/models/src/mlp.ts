import type { FeatureNetwork, Key } from '@bpc/core';
import { ConfigError, flattenImages, foldIn, ShapeError } from '@bpc/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { elu, leakyRelu, relu, sigmoid, softplus, tanh, tidy } from '@tensorflow/tfjs-core';
import type { Affine } from './init.js';
import { checkCount, initAffine } from './init.js';
import { denseLayer } from './layers.js';
import { layerwise } from './layerwise.js';

const activations = { relu, leakyRelu, elu, tanh, sigmoid, softplus } as const satisfies Record<string, (x: Tensor) => Tensor>;

/** Options of `mlp`. */
export interface MlpOptions {
  /** Shape of one input; it is flattened. */
  readonly inputShape: readonly number[];
  readonly outputs: number;
  /** Units of each hidden layer. Default `[128, 128]`; `[]` is a linear model. */
  readonly hidden?: readonly number[];
  /** Default `'relu'`. */
  readonly activation?: keyof typeof activations;
}

/** `hidden0 … hidden{n−1}` and `dense`, the output layer. */
export type MlpParams = { readonly [layer: string]: Affine };

/**
 * A multi-layer perceptron: x ↦ W_n φ(… φ(W_0 x + b_0) …) + b_n.
 *
 * Parameters are initialised like PyTorch's, uniform on ±1/√fan_in. `hidden: []` gives linear or logistic regression.
 *
 * @throws ConfigError for sizes that are not positive integers or an unknown activation.
 * @example
 * ```ts
 * import { mlp } from '@bpc/models';
 * const network = mlp({ inputShape: [8, 8, 1], outputs: 10, hidden: [32] });
 * ```
 */
export function mlp(options: MlpOptions): FeatureNetwork<MlpParams> {
  const { inputShape, outputs, hidden = [128, 128], activation = 'relu' } = options;
  inputShape.forEach((length, i) => checkCount(`inputShape[${i}]`, length));
  hidden.forEach((units, i) => checkCount(`hidden[${i}]`, units));
  checkCount('outputs', outputs);
  if (!Object.hasOwn(activations, activation)) {
    throw new ConfigError(
      `activation is '${String(activation)}', expected one of ${Object.keys(activations).join(', ')}`,
      'pass one of these',
    );
  }
  const phi: (x: Tensor) => Tensor = activations[activation];
  const names = [...hidden.map((_, i) => `hidden${i}`), 'dense'];
  const sizes = [inputShape.reduce((a, b) => a * b, 1), ...hidden, outputs];
  const shapes = names.map((_, i) => [sizes[i] ?? 0, sizes[i + 1] ?? 0] as const);

  const layerOf = (params: MlpParams, name: string): Affine => {
    const layer = params[name];
    if (layer === undefined) throw new ShapeError(`params has no layer '${name}'`, 'pass parameters of this network');
    return layer;
  };
  const features = (params: MlpParams, x: Tensor): Tensor =>
    tidy(() => names.slice(0, -1).reduce<Tensor>((units, name) => phi(denseLayer(units, layerOf(params, name))), flattenImages(x)));

  return {
    inputShape,
    outputs,
    parameterCount: shapes.reduce((total, [inputs, units]) => total + (inputs + 1) * units, 0),
    init: (key: Key) => Object.fromEntries(shapes.map((shape, i) => [names[i] ?? '', initAffine(foldIn(key, i), shape)])),
    features,
    featureCount: sizes[hidden.length] ?? 0,
    layerwise: layerwise((params: MlpParams, x, { dense }) =>
      names.reduce<Tensor>((units, name, i) => {
        const outputsOfLayer = dense(name, units, layerOf(params, name));
        return i < hidden.length ? phi(outputsOfLayer) : outputsOfLayer;
      }, flattenImages(x)),
    ),
    apply: (params: MlpParams, x: Tensor) => tidy(() => denseLayer(features(params, x), layerOf(params, 'dense'))),
  };
}
