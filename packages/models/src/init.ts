import type { Key } from '@bpc/core';
import { ConfigError, foldIn, hostUniform } from '@bpc/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { tensor } from '@tensorflow/tfjs-core';

/** Kernel and bias of a convolution `[h, w, in, out]` or a dense layer `[in, out]`. */
export type Affine = { readonly kernel: Tensor; readonly bias: Tensor };

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

/** Gain 1, bias 0. */
export function initNorm(channels: number): Norm {
  return { gamma: tensor(new Float32Array(channels).fill(1), [channels]), beta: tensor(new Float32Array(channels), [channels]) };
}

/** @throws ConfigError unless `value` is an integer of at least `minimum`. */
export function checkCount(name: string, value: number, minimum = 1): void {
  if (!Number.isInteger(value) || value < minimum) {
    throw new ConfigError(`${name} is ${value}, expected an integer of at least ${minimum}`, `pass an integer ${name} >= ${minimum}`);
  }
}
