import type { GradConfig, Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import {
  backend_util,
  conv2d,
  depthwiseConv2d,
  engine,
  getBackend,
  getKernel,
  matMul,
  pad,
  reshape,
  slice,
  stack,
} from '@tensorflow/tfjs-core';
import { MissingGradientError } from '../errors.js';
import { activeTrace } from '../tracing.js';
import { rule } from './rule.js';

type Padding = 'valid' | 'same' | number | backend_util.ExplicitPadding;
type Attributes = {
  readonly strides: number | [number, number];
  readonly pad: Padding;
  readonly dataFormat: 'NHWC' | 'NCHW';
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
  readonly dilations?: number | [number, number];
};
type Shape4 = [number, number, number, number];

const pair = (value: number | [number, number] | undefined): [number, number] => (Array.isArray(value) ? value : [value ?? 1, value ?? 1]);
const shape4 = (x: Tensor) => x.shape as Shape4;

/** `filter` with zeros between its taps, so that a dilated convolution is a plain one: tfjs' gradient kernels know no dilation. */
function inflate(filter: Tensor, [dy, dx]: [number, number]): Tensor {
  if (dy === 1 && dx === 1) return filter;
  const [kh, kw, ci, co] = shape4(filter);
  const spaced = pad(reshape(filter, [kh, 1, kw, 1, ci * co]), [
    [0, 0],
    [0, dy - 1],
    [0, 0],
    [0, dx - 1],
    [0, 0],
  ]);
  return slice(reshape(spaced, [kh * dy, kw * dx, ci, co]), [0, 0, 0, 0], [(kh - 1) * dy + 1, (kw - 1) * dx + 1, ci, co]);
}

/** The adjoint of `inflate`: every d-th tap. */
function deflate(filter: Tensor, [dy, dx]: [number, number], [kh, kw, ci, co]: Shape4): Tensor {
  if (dy === 1 && dx === 1) return filter;
  const padded = pad(filter, [
    [0, dy - 1],
    [0, dx - 1],
    [0, 0],
    [0, 0],
  ]);
  const taps = slice(reshape(padded, [kh, dy, kw, dx, ci * co]), [0, 0, 0, 0, 0], [kh, 1, kw, 1, ci * co]);
  return reshape(taps, [kh, kw, ci, co]);
}

const inflatedShape = (filter: Tensor, [dy, dx]: [number, number]): Shape4 => {
  const [kh, kw, ci, co] = shape4(filter);
  return [(kh - 1) * dy + 1, (kw - 1) * dx + 1, ci, co];
};

/** How far filters must be inflated, and attributes without dilations: those are only for tracers, whose gradients know them. */
function undilated(given: Attributes): { readonly dilations: [number, number]; readonly attributes: Attributes } {
  if (activeTrace() !== undefined) return { dilations: [1, 1], attributes: given };
  return { dilations: pair(given.dilations), attributes: { ...given, dilations: [1, 1] } };
}

function backpropInput(inputShape: Shape4, dy: Tensor, filter: Tensor, attributes: Attributes): Tensor {
  return engine().runKernel('Conv2DBackpropInput', { dy, filter }, { ...attributes, inputShape } as never);
}

function backpropFilter(x: Tensor, dy: Tensor, filterShape: Shape4, attributes: Attributes): Tensor {
  if (getKernel('Conv2DBackpropFilter', getBackend()) === undefined) return filterGradientByProducts(x, dy, filterShape, attributes);
  return engine().runKernel('Conv2DBackpropFilter', { x, dy }, { ...attributes, filterShape } as never);
}

/** One matrix product per filter tap, for backends without the kernel (WebAssembly). */
function filterGradientByProducts(x: Tensor, dy: Tensor, filterShape: Shape4, attributes: Attributes): Tensor {
  if (attributes.dataFormat !== 'NHWC') {
    throw new MissingGradientError(`convolution has dataFormat ${attributes.dataFormat}, expected NHWC`, 'use NHWC images on this backend');
  }
  const info = backend_util.computeConv2DInfo(
    shape4(x),
    filterShape,
    attributes.strides,
    1,
    attributes.pad,
    attributes.dimRoundingMode,
    false,
    'channelsLast',
  );
  const { batchSize: n, outHeight, outWidth, strideHeight: sh, strideWidth: sw, inHeight, inWidth, padInfo } = info;
  const [kh, kw, ci, co] = filterShape;
  // Room for the last window plus a whole stride, so that every tap can take every s-th row by reshaping.
  const rows = outHeight * sh + kh;
  const columns = outWidth * sw + kw;
  const padded = pad(x, [
    [0, 0],
    [padInfo.top, Math.max(0, rows - inHeight - padInfo.top)],
    [padInfo.left, Math.max(0, columns - inWidth - padInfo.left)],
    [0, 0],
  ]);
  const gradient = reshape(dy, [n * outHeight * outWidth, co]);
  const taps: Tensor[] = [];
  for (let i = 0; i < kh; i++) {
    for (let j = 0; j < kw; j++) {
      const block = slice(padded, [0, i, j, 0], [n, outHeight * sh, outWidth * sw, ci]);
      const strided =
        sh === 1 && sw === 1
          ? block
          : slice(reshape(block, [n * outHeight, sh, outWidth, sw, ci]), [0, 0, 0, 0, 0], [n * outHeight, 1, outWidth, 1, ci]);
      taps.push(matMul(reshape(strided, [n * outHeight * outWidth, ci]), gradient, true, false));
    }
  }
  return reshape(stack(taps), [kh, kw, ci, co]);
}

function convolve(x: Tensor, filter: Tensor, { strides, pad: padding, dataFormat, dilations, dimRoundingMode }: Attributes): Tensor {
  return conv2d(x as Tensor4D, filter as Tensor4D, strides, padding, dataFormat, dilations ?? 1, dimRoundingMode);
}

function depthwiseInput(inputShape: Shape4, dy: Tensor, filter: Tensor, attributes: Attributes): Tensor {
  return engine().runKernel('DepthwiseConv2dNativeBackpropInput', { dy, filter }, { ...attributes, inputShape } as never);
}

function depthwiseFilter(x: Tensor, dy: Tensor, filterShape: Shape4, attributes: Attributes): Tensor {
  return engine().runKernel('DepthwiseConv2dNativeBackpropFilter', { x, dy }, { ...attributes, filterShape } as never);
}

function depthwise(x: Tensor, filter: Tensor, { strides, pad: padding, dataFormat, dilations, dimRoundingMode }: Attributes): Tensor {
  return depthwiseConv2d(x as Tensor4D, filter as Tensor4D, strides, padding as 'same', dataFormat, dilations ?? 1, dimRoundingMode);
}

/**
 * Convolution c(x, f) is bilinear, and so are its two gradients: each derivative of one of the three kernels is another
 * of the three, which makes the set closed at any order. The same holds channel by channel for depthwise ones.
 */
export const convolutionRules: readonly GradConfig[] = [
  rule<Attributes, 'x' | 'filter'>('Conv2D', ['x', 'filter'], (dy, { x, filter }, given) => {
    const { dilations, attributes } = undilated(given);
    return {
      x: () => backpropInput(shape4(x), dy, inflate(filter, dilations), attributes),
      filter: () => deflate(backpropFilter(x, dy, inflatedShape(filter, dilations), attributes), dilations, shape4(filter)),
    };
  }),
  rule<Attributes, 'dy' | 'filter'>('Conv2DBackpropInput', ['dy', 'filter'], (ddx, { dy, filter }, attributes) => ({
    dy: () => convolve(ddx, filter, attributes),
    filter: () => backpropFilter(ddx, dy, shape4(filter), attributes),
  })),
  rule<Attributes, 'x' | 'dy'>('Conv2DBackpropFilter', ['x', 'dy'], (ddf, { x, dy }, attributes) => ({
    x: () => backpropInput(shape4(x), dy, ddf, attributes),
    dy: () => convolve(x, ddf, attributes),
  })),
  rule<Attributes, 'x' | 'filter'>('DepthwiseConv2dNative', ['x', 'filter'], (dy, { x, filter }, given) => {
    const { dilations, attributes } = undilated(given);
    return {
      x: () => depthwiseInput(shape4(x), dy, inflate(filter, dilations), attributes),
      filter: () => deflate(depthwiseFilter(x, dy, inflatedShape(filter, dilations), attributes), dilations, shape4(filter)),
    };
  }),
  rule<Attributes, 'dy' | 'filter'>('DepthwiseConv2dNativeBackpropInput', ['dy', 'filter'], (ddx, { dy, filter }, attributes) => ({
    dy: () => depthwise(ddx, filter, attributes),
    filter: () => depthwiseFilter(ddx, dy, shape4(filter), attributes),
  })),
  rule<Attributes, 'x' | 'dy'>('DepthwiseConv2dNativeBackpropFilter', ['x', 'dy'], (ddf, { x, dy }, attributes) => ({
    x: () => depthwiseInput(shape4(x), dy, ddf, attributes),
    dy: () => depthwise(x, ddf, attributes),
  })),
];
