import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import { conv2d, getBackend, pad } from '@tensorflow/tfjs-core';

/**
 * `conv2d` of images with `padding` zeros on every side, in a form that every tfjs backend has.
 *
 * tfjs-node knows only 'same' and 'valid', and tfjs' WebAssembly kernel corrupts its memory where padding is given by number
 * and the filter is not square.
 *
 * @param x `[n, h, w, c]`
 * @param kernel `[kh, kw, c, k]`
 */
export function convolveImages(x: Tensor, kernel: Tensor, stride: number, padding: number): Tensor {
  const [height, width] = kernel.shape;
  const [images, filter] = [x as Tensor4D, kernel as Tensor4D];
  if (stride === 1 && height === 2 * padding + 1 && width === height) return conv2d(images, filter, 1, 'same');
  const backend = getBackend();
  const byNumber = backend !== 'tensorflow' && (backend !== 'wasm' || height === width);
  if (padding === 0 || byNumber) return conv2d(images, filter, stride, padding);
  const padded = pad(images, [
    [0, 0],
    [padding, padding],
    [padding, padding],
    [0, 0],
  ]);
  return conv2d(padded, filter, stride, 'valid');
}
