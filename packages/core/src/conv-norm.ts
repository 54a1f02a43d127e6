import type { Tensor } from '@tensorflow/tfjs-core';
import {
  add,
  concat,
  div,
  matMul,
  max,
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
import { avgPool, instanceNorm, maxPool } from './ops.js';

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
  if (!seesFewChannels(kernel, stride)) {
    return instanceNorm(convolveImages(x, kernel, stride, padding), gamma, beta, epsilon);
  }
  return tidy(() => {
    const [n = 0, h = 0, w = 0] = x.shape;
    const [rows, columns] = [consecutive(h + 2 * padding - 2), consecutive(w + 2 * padding - 2)];
    const y = fewChannels(x, kernel, gamma, beta, { rows, columns, padding, epsilon, gain: 1 });
    return reshape(y, [n, rows.length, columns.length, kernel.shape[3] ?? 0]);
  });
}

/**
 * A block of a network: `convInstanceNorm`, rectified, and the mean or maximum of each 2×2 window.
 *
 * Where `convInstanceNorm` is one product, its pixels come in an order in which the four of a window are whole images: pooling
 * is then a sum of images. `x [n, h, w, c]` to `[n, ⌊oh/2⌋, ⌊ow/2⌋, k]`.
 */
export function convInstanceNormPool(
  x: Tensor,
  kernel: Tensor,
  gamma: Tensor,
  beta: Tensor,
  { stride = 1, padding = 0, epsilon = 1e-5, pool = 'avg' }: ConvInstanceNormOptions & { readonly pool?: 'avg' | 'max' } = {},
): Tensor {
  const [n = 0, h = 0, w = 0] = x.shape;
  const [oh, ow] = [h + 2 * padding - 2, w + 2 * padding - 2];
  if (!seesFewChannels(kernel, stride) || oh % 2 !== 0 || ow % 2 !== 0) {
    const y = relu(convInstanceNorm(x, kernel, gamma, beta, { stride, padding, epsilon }));
    return pool === 'avg' ? avgPool(y) : maxPool(y);
  }
  return tidy(() => {
    // A mean of rectified values is the sum of their quarters, and those of the filters are cheaper to take.
    const gain = pool === 'avg' ? 1 / 4 : 1;
    const y = fewChannels(x, kernel, gamma, beta, { rows: evenFirst(oh), columns: evenFirst(ow), padding, epsilon, gain });
    const windows = relu(reshape(y, [n, 2, oh / 2, 2, ow / 2, kernel.shape[3] ?? 0]));
    return pool === 'avg' ? sum(windows, [1, 3]) : max(windows, [1, 3]);
  });
}

/** Whether normalising by the covariance of patches is cheaper than by the statistics of the feature map. */
function seesFewChannels(kernel: Tensor, stride: number): boolean {
  const [kh = 0, kw = 0, channels = 0, width = 0] = kernel.shape;
  return kh === 3 && kw === 3 && stride === 1 && (channels === 1 || channels === 3) && 9 * channels <= width / 2;
}

const consecutive = (length: number): number[] => Array.from({ length }, (_, i) => i);

/** Even positions, then odd ones. */
const evenFirst = (length: number): number[] => [0, 1].flatMap((phase) => consecutive(length / 2).map((i) => 2 * i + phase));

/** Where the windows lie along each axis of the result, and the settings of the operation. */
interface FewChannelsOptions {
  readonly rows: readonly number[];
  readonly columns: readonly number[];
  readonly padding: number;
  readonly epsilon: number;
  /** What the result is multiplied by. */
  readonly gain: number;
}

/** [n, rows·columns, width] */
function fewChannels(x: Tensor, kernel: Tensor, gamma: Tensor, beta: Tensor, options: FewChannelsOptions): Tensor {
  const [n = 0, , , channels = 0] = x.shape;
  const width = kernel.shape[3] ?? 0;
  const raw = patches(x, options);
  const centred = sub(raw, mean(raw, 2, true));
  const covariance = div(matMul(centred, centred, false, true), options.rows.length * options.columns.length);
  const filters = inBasis(kernel, channels);
  const variance = sum(mul(filters, matMul(covariance, filters)), 1, true);
  // Rounding may leave a variance of zero below zero.
  const scale = mul(mul(gamma, options.gain), rsqrt(add(relu(variance), options.epsilon)));
  const scaled = concat([mul(filters, scale), add(zeros([n, 1, width]), mul(beta, options.gain))], 1);
  const onesBelow: [number, number][] = [
    [0, 0],
    [0, 1],
    [0, 0],
  ];
  return matMul(pad(centred, onesBelow, 1), scaled, true);
}

/** Patches of 3×3 pixels in the basis: `[n, 9·channels, pixels]`, features in the order channel, column, row. */
function patches(x: Tensor, { rows, columns, padding }: FewChannelsOptions): Tensor {
  const [n = 0, h = 0, w = 0, channels = 0] = x.shape;
  const planes = matMul(tensor2d(channelBasis(channels)), reshape(x, [n, h * w, channels]), false, true);
  const alongRows = matMul(reshape(planes, [n * channels * h, w]), slidingBasis(w, columns, padding), false, true);
  const byFeature = transpose(reshape(alongRows, [n * channels, h, 3, columns.length]), [0, 2, 1, 3]);
  const both = matMul(slidingBasis(h, rows, padding), reshape(byFeature, [n * channels * 3, h, columns.length]));
  return reshape(both, [n, 9 * channels, rows.length * columns.length]);
}

const channelBasis = (channels: number): number[][] => (channels === 1 ? [[1]] : BASIS.map((row) => [...row]));

/** [3·outputs, length]: each row of the basis at each output's place on a zero-padded axis. */
function slidingBasis(length: number, outputs: readonly number[], padding: number): Tensor {
  const matrix = BASIS.flatMap((row) =>
    outputs.map((output) => Array.from({ length }, (_, position) => row[position - output + padding] ?? 0)),
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
