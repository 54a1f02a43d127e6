import type { GradConfig, Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import {
  add,
  avgPool,
  backend_util,
  engine,
  equal,
  getBackend,
  getKernel,
  logicalAnd,
  logicalNot,
  logicalOr,
  maximum,
  maxPool,
  mul,
  pad,
  slice,
  stridedSlice,
  tensor4d,
  where,
  zerosLike,
} from '@tensorflow/tfjs-core';
import { untaped } from '../tape.js';
import { activeTrace } from '../tracing.js';
import { rule, zeros } from './rule.js';

type Attributes = {
  readonly filterSize: number | [number, number];
  readonly strides: number | [number, number];
  readonly pad: 'valid' | 'same' | number | backend_util.ExplicitPadding;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
};
type Four = [number, number, number, number];

const infoOf = (x: Tensor, { filterSize, strides, pad: padding, dimRoundingMode }: Attributes) =>
  backend_util.computePool2DInfo(x.shape as Four, filterSize, strides, 1, padding, dimRoundingMode);

const run = (kernel: string, inputs: { readonly [name: string]: Tensor }, attributes: Attributes): Tensor =>
  engine().runKernel(kernel, inputs, { ...attributes } as never);

const averaged = (x: Tensor, { filterSize, strides, pad: padding, dimRoundingMode }: Attributes): Tensor =>
  avgPool(x as Tensor4D, filterSize, strides, padding, dimRoundingMode);
const maximal = (x: Tensor, { filterSize, strides, pad: padding, dimRoundingMode }: Attributes): Tensor =>
  maxPool(x as Tensor4D, filterSize, strides, padding, dimRoundingMode);

/** Pixels inside the image in each window, as a factor on the whole window's average. */
function borderWeights(
  x: Tensor,
  { padInfo, filterHeight, filterWidth, strideHeight, strideWidth, outHeight, outWidth }: PoolInfo,
): Tensor {
  const [, h = 1, w = 1] = x.shape;
  const inside = (start: number, count: number, length: number) => Math.min(start + count, length) - Math.max(start, 0);
  const weights = Float32Array.from({ length: outHeight * outWidth }, (_, k) => {
    const rows = inside(Math.floor(k / outWidth) * strideHeight - padInfo.top, filterHeight, h);
    const columns = inside((k % outWidth) * strideWidth - padInfo.left, filterWidth, w);
    return (filterHeight * filterWidth) / (rows * columns);
  });
  return tensor4d(weights, [1, outHeight, outWidth, 1]);
}
type PoolInfo = ReturnType<typeof infoOf>;

/**
 * The gradient of an average. tfjs' kernels divide by the whole window at a padded border, though the average itself
 * divides by the part inside the image: there dy is weighted first, and the padding made explicit.
 */
function averageGradient(dy: Tensor, x: Tensor, attributes: Attributes): Tensor {
  const info = infoOf(x, attributes);
  const { top, bottom, left, right } = info.padInfo;
  if (activeTrace() !== undefined || top + bottom + left + right === 0) return run('AvgPoolGrad', { dy, input: x }, attributes);
  const [n, h, w, c] = x.shape as Four;
  const padded = zeros([n, h + top + bottom, w + left + right, c]);
  const { filterSize, strides } = attributes;
  const gradient = run('AvgPoolGrad', { dy: mul(dy, borderWeights(x, info)), input: padded }, { filterSize, strides, pad: 'valid' });
  return slice(gradient, [0, top, left, 0], [n, h, w, c]);
}

/** What each tap of the windows sees of x, with `fill` outside the image. */
function taps(x: Tensor, info: PoolInfo, fill: number): Tensor[] {
  const { padInfo, filterHeight, filterWidth, strideHeight, strideWidth, outHeight, outWidth } = info;
  const [n, h, w, c] = x.shape as Four;
  const [rows, columns] = [(outHeight - 1) * strideHeight + 1, (outWidth - 1) * strideWidth + 1];
  const padded = pad(
    x,
    [
      [0, 0],
      [padInfo.top, Math.max(0, rows + filterHeight - 1 - h - padInfo.top)],
      [padInfo.left, Math.max(0, columns + filterWidth - 1 - w - padInfo.left)],
      [0, 0],
    ],
    fill,
  );
  return Array.from({ length: filterHeight * filterWidth }, (_, tap) => {
    const [i, j] = [Math.floor(tap / filterWidth), tap % filterWidth];
    return stridedSlice(padded, [0, i, j, 0], [n, i + rows, j + columns, c], [1, strideHeight, strideWidth, 1]);
  });
}

/** v at the first maximum of each window of x: the adjoint of MaxPoolGrad. A kernel of tracers; elsewhere tap by tap. */
function atMaximum(v: Tensor, x: Tensor, attributes: Attributes): Tensor {
  if (getKernel('MaxPoolGather', getBackend()) !== undefined) return run('MaxPoolGather', { dy: v, input: x }, attributes);
  const info = infoOf(x, attributes);
  const firsts = untaped(() => {
    const values = taps(x, info, Number.NEGATIVE_INFINITY);
    const best = values.reduce((a, b) => maximum(a, b));
    let taken: Tensor | undefined;
    return values.map((value) => {
      const hit = equal(value, best);
      const first = taken === undefined ? hit : logicalAnd(hit, logicalNot(taken));
      taken = taken === undefined ? hit : logicalOr(taken, hit);
      return first;
    });
  });
  return taps(v, info, 0)
    .map((value, tap) => where(firsts[tap] as Tensor, value, zerosLike(value)))
    .reduce((a, b) => add(a, b));
}

const maximumGradient = (dy: Tensor, x: Tensor, attributes: Attributes): Tensor =>
  run('MaxPoolGrad', { dy, input: x, output: untaped(() => maximal(x, attributes)) }, attributes);

/**
 * Average pooling is linear, so it and its adjoint differentiate into each other. Maximum pooling is linear where its
 * maxima stay in place: its gradient and reading at the maxima are each other's adjoints, at any order.
 */
export const poolingRules: readonly GradConfig[] = [
  rule<Attributes, 'x'>('AvgPool', ['x'], (dy, { x }, attributes) => ({ x: () => averageGradient(dy, x, attributes) })),
  rule<Attributes, 'input'>('AvgPoolGrad', ['input'], (ddx, { input }, attributes) => ({
    dy: () => averaged(ddx, attributes),
    input: () => zeros(input.shape),
  })),
  rule<Attributes, 'x'>('MaxPool', ['x'], (dy, { x }, attributes) => ({ x: () => maximumGradient(dy, x, attributes) })),
  rule<Attributes, 'input'>('MaxPoolGrad', ['input'], (ddx, { input }, attributes) => ({
    dy: () => atMaximum(ddx, input, attributes),
    input: () => zeros(input.shape),
    output: () => zeros(infoOf(input, attributes).outShape),
  })),
  rule<Attributes, 'input'>('MaxPoolGather', ['input'], (dy, { input }, attributes) => ({
    dy: () => maximumGradient(dy, input, attributes),
    input: () => zeros(input.shape),
  })),
];
