import type { Key } from '@bpc/core';
import { ConfigError, foldIn, hostUniform } from '@bpc/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { tensor } from '@tensorflow/tfjs-core';

/** Kernel and bias of a convolution `[h, w, in, out]` or a dense layer `[in, out]`. */
export type Affine = { readonly kernel: Tensor; readonly bias: Tensor };

/** Kernel of a convolution without bias, `[h, w, in, out]`. */
export type Kernel = { readonly kernel: Tensor };

/** Gain and bias of an instance norm, `[channels]`. */
export type Norm = { readonly gamma: Tensor; readonly beta: Tensor };

function filledUniform(key: Key, shape: readonly number[], bound: number): Tensor {
  const values = hostUniform(
    key,
    shape.reduce((a, b) => a * b, 1),
  );
  for (let i = 0; i < values.length; i++) values[i] = (2 * (values[i] ?? 0) - 1) * bound;
  return tensor(values, [...shape], 'float32');
}

/**
 * PyTorch's default for linear and convolutional layers: kernel and bias uniform on ±1/√fan_in.
 *
 * Drawn on the host, so that parameters can be made without any compute backend. The caller owns the tensors.
 */
export function initAffine(key: Key, kernelShape: readonly number[]): Affine {
  const outputs = kernelShape[kernelShape.length - 1] ?? 0;
  const fanIn = kernelShape.slice(0, -1).reduce((a, b) => a * b, 1);
  const bound = 1 / Math.sqrt(fanIn);
  return { kernel: filledUniform(foldIn(key, 0), kernelShape, bound), bias: filledUniform(foldIn(key, 1), [outputs], bound) };
}

/** The kernel of a convolution without bias: uniform on ±1/√fan_in, as in `initAffine`. */
export function initKernel(key: Key, shape: readonly number[]): Kernel {
  const fanIn = shape.slice(0, -1).reduce((a, b) => a * b, 1);
  return { kernel: filledUniform(foldIn(key, 0), shape, 1 / Math.sqrt(fanIn)) };
}

/** Gain 1, bias 0. */
export function initNorm(channels: number): Norm {
  return { gamma: tensor(new Float32Array(channels).fill(1), [channels]), beta: tensor(new Float32Array(channels), [channels]) };
}

/** @throws ConfigError unless height, width and channels are positive integers. */
export function checkImageShape([height, width, channels]: readonly [number, number, number]): void {
  for (const [name, value] of Object.entries({ height, width, channels })) checkCount(`inputShape's ${name}`, value);
}

/** @throws ConfigError unless there are `length` positive integers. */
export function checkWidths(name: string, widths: readonly number[], length: number): void {
  if (widths.length !== length)
    throw new ConfigError(
      `${name} has ${widths.length} numbers, expected ${length}`,
      `give one number of channels for each of the ${length}`,
    );
  widths.forEach((width, i) => checkCount(`${name}[${i}]`, width));
}

/** @throws ConfigError unless `value` is an integer of at least `minimum`. */
export function checkCount(name: string, value: number, minimum = 1): void {
  if (!Number.isInteger(value) || value < minimum) {
    throw new ConfigError(`${name} is ${value}, expected an integer of at least ${minimum}`, `pass an integer ${name} >= ${minimum}`);
  }
}
