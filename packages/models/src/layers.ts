import { ConfigError, convInstanceNorm, convInstanceNormPool, convolveImages, instanceNorm, ShapeError } from '@bpc/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { add, matMul } from '@tensorflow/tfjs-core';
import type { Affine, Kernel, Norm } from './init.js';

/** Parameters by layer name. */
export type Layers = { readonly [layer: string]: Affine | Norm };

const missing = (name: string) => new ShapeError(`params has no layer '${name}'`, 'pass parameters of this network');

/** Kernel and bias of a layer. @throws ShapeError if it is not there. */
export function affineOf(params: Layers, name: string): Affine {
  const layer = params[name];
  if (layer === undefined || !('kernel' in layer)) throw missing(name);
  return layer;
}

/** Gain and bias of a norm. @throws ShapeError if it is not there. */
export function normOf(params: Layers, name: string): Norm {
  const layer = params[name];
  if (layer === undefined || !('gamma' in layer)) throw missing(name);
  return layer;
}

/** A convolution without bias, zero padded; NHWC and HWIO. */
export const convolve = (x: Tensor, { kernel }: Kernel, stride: number, padding: number): Tensor =>
  convolveImages(x, kernel, stride, padding);

/** A convolution with bias and stride 1. */
export const convolveAffine = (x: Tensor, layer: Affine, padding: number): Tensor => add(convolve(x, layer, 1, padding), layer.bias);

/** x W + b */
export const denseLayer = (x: Tensor, { kernel, bias }: Affine): Tensor => add(matMul(x, kernel), bias);

/** Instance norm with the parameters of a layer. */
export const normalise = (x: Tensor, { gamma, beta }: Norm, epsilon: number): Tensor => instanceNorm(x, gamma, beta, epsilon);

/** Instance norm of a convolution, whose bias it would cancel. */
export const convolveNormalised = (
  x: Tensor,
  { kernel }: Kernel,
  { gamma, beta }: Norm,
  stride: number,
  padding: number,
  epsilon: number,
) => convInstanceNorm(x, kernel, gamma, beta, { stride, padding, epsilon });

/** Instance norm of a convolution of stride 1, rectified, and 2×2 pooling. */
export const convolveNormalisedPooled = (
  x: Tensor,
  { kernel }: Kernel,
  { gamma, beta }: Norm,
  padding: number,
  epsilon: number,
  pool: 'avg' | 'max',
) => convInstanceNormPool(x, kernel, gamma, beta, { padding, epsilon, pool });

/** Length of one image axis after a convolution or a pooling, the remainder dropped. */
export const lengthAfter = (length: number, kernel: number, stride: number, padding: number): number =>
  Math.floor((length + 2 * padding - kernel) / stride) + 1;

/** Numbers in tensors of these shapes. */
export const countOf = (shapes: readonly (readonly number[])[]): number =>
  shapes.reduce((total, shape) => total + shape.reduce((a, b) => a * b, 1), 0);

/** @throws ConfigError unless `value` is one of `choices`. */
export function checkChoice<T extends string>(name: string, value: T, choices: readonly T[]): void {
  if (!choices.includes(value)) {
    const list = choices.map((choice) => `'${choice}'`).join(' or ');
    throw new ConfigError(`${name} is '${String(value)}', expected ${list}`, `pass one of ${list}`);
  }
}
