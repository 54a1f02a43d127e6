import type { Tensor } from '@tensorflow/tfjs-core';
import {
  add,
  concat,
  div,
  matMul,
  mean,
  mul,
  pad,
  relu,
  reshape,
  rsqrt,
  sub,
  sum,
  tensor2d,
  tidy,
  transpose,
  zeros,
} from '@tensorflow/tfjs-core';
import { convolveImages } from './convolve-images.js';
import { instanceNorm } from './ops.js';

/** Settings of `convInstanceNorm`. */
export interface ConvInstanceNormOptions {
  /** Default 1. */
  readonly stride?: number;
  /** Zeros on every side of the image. Default 0. */
  readonly padding?: number;
  /** Added to the variance. Default 1e-5, PyTorch's. */
  readonly epsilon?: number;
}

/** Mean, slope and curvature of three neighbours: orthogonal, of whole numbers, and nearly uncorrelated in images. */
const BASIS = [
  [1, 1, 1],
  [1, 0, -1],
  [1, -2, 1],
] as const;
const squaredNorm = (row: readonly number[]) => row.reduce((total, value) => total + value * value, 0);

/**
 * Instance norm of a convolution without bias: `instanceNorm(conv2d(x, kernel, stride, padding), gamma, beta, epsilon)`.
 *
 * A 3×3 convolution of one or three channels to many is not normalised pixel by pixel: with the patches p of an image as
 * columns and their covariance Σ = E[(p − p̄)(p − p̄)ᵀ], channel k has variance w_kᵀ Σ w_k, and
 *
 *   y_k = (γ_k / √(w_kᵀ Σ w_k + ε)) w_kᵀ (p − p̄) + β_k
 *
 * is one product with rescaled filters. Its derivatives are products with small matrices too, so no statistics of the
 * (4 to 14 times larger) feature map are taken in either direction: half the time of a ConvNet's first block. Patches are
 * taken in a basis of means and differences, in which Σ is nearly diagonal for images, so that w_kᵀ Σ w_k loses no digits
 * for filters that only see edges.
 *
 * `x [n, h, w, c]`, `kernel [kh, kw, c, k]`, `gamma`, `beta [k]` to `[n, oh, ow, k]`. A convolution's own bias would cancel.
 */
export function convInstanceNorm(
  x: Tensor,
  kernel: Tensor,
  gamma: Tensor,
  beta: Tensor,
  { stride = 1, padding = 0, epsilon = 1e-5 }: ConvInstanceNormOptions = {},
): Tensor {
  const [kh = 0, kw = 0, channels = 0, width = 0] = kernel.shape;
  const few = channels === 1 || channels === 3;
  if (kh === 3 && kw === 3 && stride === 1 && few && 9 * channels <= width / 2) {
    return tidy(() => fewChannels(x, kernel, gamma, beta, padding, epsilon));
  }
  return instanceNorm(convolveImages(x, kernel, stride, padding), gamma, beta, epsilon);
}

function fewChannels(x: Tensor, kernel: Tensor, gamma: Tensor, beta: Tensor, padding: number, epsilon: number): Tensor {
  const [n = 0, h = 0, w = 0, channels = 0] = x.shape;
  const width = kernel.shape[3] ?? 0;
  const [rows, columns] = [h + 2 * padding - 2, w + 2 * padding - 2];
  const pixels = rows * columns;
  const raw = patches(x, padding);
  const centred = sub(raw, mean(raw, 2, true));
  const covariance = mul(matMul(centred, centred, false, true), 1 / pixels);
  const filters = inBasis(kernel, channels);
  const variance = sum(mul(filters, matMul(covariance, filters)), 1, true);
  // Rounding may leave a variance of zero below zero.
  const scale = mul(gamma, rsqrt(add(relu(variance), epsilon)));
  const scaled = concat([mul(filters, scale), add(zeros([n, 1, width]), beta)], 1);
  const onesBelow: [number, number][] = [
    [0, 0],
    [0, 1],
    [0, 0],
  ];
  const y = matMul(pad(centred, onesBelow, 1), scaled, true);
  return reshape(y, [n, rows, columns, width]);
}

/** Patches of 3×3 pixels in the basis: `[n, 9·channels, pixels]`, features in the order channel, column, row. */
function patches(x: Tensor, padding: number): Tensor {
  const [n = 0, h = 0, w = 0, channels = 0] = x.shape;
  const [rows, columns] = [h + 2 * padding - 2, w + 2 * padding - 2];
  const planes = matMul(tensor2d(channelBasis(channels)), reshape(x, [n, h * w, channels]), false, true);
  const alongRows = matMul(reshape(planes, [n * channels * h, w]), slidingBasis(w, columns, padding), false, true);
  const byFeature = transpose(reshape(alongRows, [n * channels, h, 3, columns]), [0, 2, 1, 3]);
  const both = matMul(slidingBasis(h, rows, padding), reshape(byFeature, [n * channels * 3, h, columns]));
  return reshape(both, [n, 9 * channels, rows * columns]);
}

const channelBasis = (channels: number): number[][] => (channels === 1 ? [[1]] : BASIS.map((row) => [...row]));

/** [3·outputs, length]: each row of the basis at each position of a window that slides over a zero-padded axis. */
function slidingBasis(length: number, outputs: number, padding: number): Tensor {
  const matrix = BASIS.flatMap((row) =>
    Array.from({ length: outputs }, (_, output) => Array.from({ length }, (_, position) => row[position - output + padding] ?? 0)),
  );
  return tensor2d(matrix);
}

/** A kernel's coefficients in the dual basis, `[9·channels, width]`, so that products with patches stay what they are. */
function inBasis(kernel: Tensor, channels: number): Tensor {
  const colours = channelBasis(channels);
  const features = colours.flatMap((colour) => BASIS.flatMap((column) => BASIS.map((row) => ({ colour, column, row }))));
  const matrix = features.map(({ colour, column, row }) => row.flatMap((r) => column.flatMap((c) => colour.map((k) => r * c * k))));
  const norms = features.map(({ colour, column, row }) => [squaredNorm(colour) * squaredNorm(column) * squaredNorm(row)]);
  return div(matMul(tensor2d(matrix), reshape(kernel, [9 * channels, kernel.shape[3] ?? 0])), tensor2d(norms));
}
