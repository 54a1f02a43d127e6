import type { Tensor, Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import {
  add,
  exp,
  gather,
  log,
  max,
  mean,
  mul,
  neg,
  reshape,
  rsqrt,
  slice,
  square,
  squeeze,
  sub,
  sum,
  avgPool as tfAvgPool,
  maxPool as tfMaxPool,
} from '@tensorflow/tfjs-core';
import { ConfigError, ShapeError } from './errors.js';
import { untaped } from './tape.js';

/**
 * log Σ exp x along the last axis, without overflow.
 *
 * The maximum that is subtracted is a constant to derivatives: the result does not depend on it. Shape: `x [..., n]` to
 * `[...]`, or `[..., 1]` with `keepDims`.
 */
export function logSumExp(x: Tensor, keepDims = false): Tensor {
  const shift = untaped(() => max(x, -1, true));
  const result = add(log(sum(exp(sub(x, shift)), -1, true)), shift);
  return keepDims ? result : squeeze(result, [result.rank - 1]);
}

/** x − log Σ exp x along the last axis. tfjs' own is silently wrong at second order. */
export function logSoftmax(logits: Tensor): Tensor {
  return sub(logits, logSumExp(logits, true));
}

/** exp x / Σ exp x along the last axis. */
export function softmax(logits: Tensor): Tensor {
  return exp(logSoftmax(logits));
}

/** −Σ_c t_c log softmax(z)_c per row, in nats. `logits`, `targets [n, classes]` (one-hot or soft) to `[n]`. */
export function crossEntropy(logits: Tensor, targets: Tensor): Tensor1D {
  return neg(sum(mul(targets, logSoftmax(logits)), -1)) as Tensor1D;
}

/** Rows `x[index[k], …]`, shape `[k, …]`. `index` is int32, with entries in `[0, n)`. */
export function gatherRows(x: Tensor, index: Tensor): Tensor {
  return gather(x, index as Tensor1D, 0);
}

/** Images or feature maps to rows, in H, W, C order: `[n, …]` to `[n, features]`. */
export function flattenImages(x: Tensor): Tensor2D {
  const [count, ...rest] = x.shape;
  return reshape(x, [count ?? 0, rest.reduce((a, b) => a * b, 1)]);
}

/**
 * (x − μ)/√(σ² + ε)·γ + β with mean μ and biased variance σ² over the pixels of each image and channel.
 *
 * Ulyanov et al. 2016; equal to group normalisation with one group per channel. `x [n, h, w, c]`, `gamma`, `beta [c]`.
 */
export function instanceNorm(x: Tensor, gamma: Tensor, beta: Tensor, epsilon = 1e-5): Tensor {
  const centred = sub(x, mean(x, [1, 2], true));
  const variance = mean(square(centred), [1, 2], true);
  return add(mul(mul(centred, rsqrt(add(variance, epsilon))), gamma), beta);
}

function checkImages(name: string, x: Tensor, size: number, stride: number): [number, number, number, number] {
  const [n, h, w, c] = x.shape;
  if (n === undefined || h === undefined || w === undefined || c === undefined || x.rank !== 4) {
    throw new ShapeError(`${name} got shape [${x.shape}], expected [n, height, width, channels]`, 'pass NHWC images');
  }
  if (!Number.isInteger(size) || size < 1 || !Number.isInteger(stride) || stride < 1) {
    throw new ConfigError(`${name} got size ${size} and stride ${stride}, expected positive integers`, 'pass positive integers');
  }
  if (h < size || w < size) {
    throw new ShapeError(`${name} got images of ${h}x${w}, smaller than its window ${size}`, 'use larger images or fewer blocks');
  }
  return [n, h, w, c];
}

/** Mean over `size`×`size` windows, without padding: odd last rows and columns are dropped. NHWC. */
export function avgPool(x: Tensor, size = 2, stride = size): Tensor {
  checkImages('avgPool', x, size, stride);
  return tfAvgPool(x as Tensor4D, size, stride, 'valid');
}

/**
 * Maximum over `size`×`size` windows, without padding: odd last rows and columns are dropped. NHWC.
 *
 * Both forms differentiate at any order. Non-overlapping windows (`stride` = `size`) are a reshape and a maximum over axes,
 * where ties share the gradient; in overlapping ones the first maximum gets it all.
 */
export function maxPool(x: Tensor, size = 2, stride = size): Tensor {
  const [n, h, w, c] = checkImages('maxPool', x, size, stride);
  if (stride !== size) return tfMaxPool(x as Tensor4D, size, stride, 'valid');
  const rows = Math.floor(h / size);
  const columns = Math.floor(w / size);
  const cropped = rows * size === h && columns * size === w ? x : slice(x, [0, 0, 0, 0], [n, rows * size, columns * size, c]);
  return max(reshape(cropped, [n, rows, size, columns, size, c]), [2, 4]);
}
