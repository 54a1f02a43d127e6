import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import { conv2d, getBackend, pad } from '@tensorflow/tfjs-core';

/**
 * `conv2d` of images with `padding` zeros on every side, in a form that every tfjs backend has right.
 *
 * tfjs-node knows only 'same' and 'valid'. With padding by number tfjs takes every filter for square: it gives the result the
 * wrong width, and its WebAssembly kernel writes outside its memory.
 *
 * @param x `[n, h, w, c]`
 * @param kernel `[kh, kw, c, k]`
 */
export function convolveImages(x: Tensor, kernel: Tensor, stride: number, padding: number): Tensor {
  const [height, width] = kernel.shape;
  const [images, filter] = [x as Tensor4D, kernel as Tensor4D];
  if (stride === 1 && height === 2 * padding + 1 && width === height) return conv2d(images, filter, 1, 'same');
  if (padding === 0) return conv2d(images, filter, stride, 'valid');
  if (height === width && getBackend() !== 'tensorflow') return conv2d(images, filter, stride, padding);
  const padded = pad(images, [
    [0, 0],
    [padding, padding],
    [padding, padding],
    [0, 0],
  ]);
  return conv2d(padded, filter, stride, 'valid');
}
