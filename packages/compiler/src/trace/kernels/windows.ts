import { ShapeError } from '@bpc/core';
import { type Builder, broadcast, cast, constant, type Node, type Shape, slice, transpose, type Window, windowed } from '../../ir/index.js';
import { item, sameShape, sizeOf } from '../../ir/shape.js';
import { type FusedAttributes, type FusedOperands, finish } from './activations.js';
import { range } from './axes.js';
import { type ConvAttributes, convolution, type PoolAttributes, pooling } from './geometry.js';
import { kernel, type TraceKernel } from './kernel.js';

const TO_NHWC = [0, 2, 3, 1];
const TO_NCHW = [0, 3, 1, 2];

/** The graph has NHWC images only; others are transposed on the way in and out. */
const isPlanar = ({ dataFormat }: ConvAttributes): boolean => dataFormat === 'NCHW';
const inward = (g: Builder, x: Node, attributes: ConvAttributes): Node => (isPlanar(attributes) ? transpose(g, x, TO_NHWC) : x);
const outward = (g: Builder, y: Node, attributes: ConvAttributes): Node => (isPlanar(attributes) ? transpose(g, y, TO_NCHW) : y);
const inwardShape = (shape: readonly number[], attributes: ConvAttributes): number[] =>
  isPlanar(attributes) ? TO_NHWC.map((axis) => item(shape, axis)) : [...shape];

/** conv(x, filter) in NHWC. */
function convolve(g: Builder, x: Node, filter: Node, attributes: ConvAttributes): Node {
  const images = inward(g, x, attributes);
  const { window, outShape } = convolution(images.shape, filter.shape, attributes);
  return windowed(g, 'Conv', [images, filter], window, outShape);
}

/** The part of dy that the windows reach: tfjs lets a transposed convolution be cropped so. */
function seen(g: Builder, dy: Node, outShape: Shape): Node {
  if (sameShape(dy.shape, outShape)) return dy;
  if (dy.shape.some((length, axis) => length < item(outShape, axis))) {
    throw new ShapeError(`a gradient of a convolution has shape [${dy.shape}]`, `pass one of at least [${outShape}]`);
  }
  return slice(g, dy, [0, 0, 0, 0], outShape);
}

/** tfjs takes a window of one element that keeps the shape for nothing to do, even where strides and padding move it. */
const isIdentity = (x: Node, { kernel: [rows, columns] }: Window, outShape: Shape): boolean =>
  rows === 1 && columns === 1 && sameShape(x.shape, outShape);

/** `input` is the pooled tensor, of which the gradient of the average needs the shape only. */
const poolGrad = (name: 'AvgPoolGrad' | 'MaxPoolGrad', operands: (dy: Node, input: Node) => Node[]): TraceKernel =>
  kernel<'dy' | 'input', PoolAttributes>(name, (g, { dy, input }, attributes) =>
    windowed(g, name, operands(dy, input), pooling(input.shape, attributes).window, input.shape),
  );

/** Position of every element within its image, or within the whole batch. */
function elementPositions(g: Builder, x: Node, withBatch: boolean): Node {
  const [n, ...image] = x.shape;
  const shape = [withBatch ? (n ?? 1) : 1, ...image];
  return broadcast(g, constant(g, range(0, sizeOf(shape)), shape), x.shape);
}

/** Convolution, pooling and their gradients. */
export const windowKernels: readonly TraceKernel[] = [
  kernel<'x' | 'filter', ConvAttributes>('Conv2D', (g, { x, filter }, attributes) =>
    outward(g, convolve(g, x, filter, attributes), attributes),
  ),
  kernel<'x' | 'filter', ConvAttributes & FusedAttributes>('FusedConv2D', (g, operands, attributes) => {
    const { x, filter } = operands;
    if (!isPlanar(attributes)) return finish(g, convolve(g, x, filter, attributes), operands as FusedOperands, attributes);
    // Of planar images a bias is [channels], or [channels, 1, 1].
    const { bias, preluActivationWeights } = operands as FusedOperands;
    const last = (v: Node) => (v.shape.length === 3 ? transpose(g, v, [1, 2, 0]) : v);
    const turned = {
      ...(bias ? { bias: last(bias) } : {}),
      ...(preluActivationWeights ? { preluActivationWeights: last(preluActivationWeights) } : {}),
    };
    return outward(g, finish(g, convolve(g, x, filter, attributes), turned, attributes), attributes);
  }),
  kernel<'dy' | 'filter', ConvAttributes & { inputShape: number[] }>('Conv2DBackpropInput', (g, { dy, filter }, attributes) => {
    const shape = inwardShape(attributes.inputShape, attributes);
    const { window, outShape } = convolution(shape, filter.shape, attributes);
    const gradient = seen(g, inward(g, dy, attributes), outShape);
    return outward(g, windowed(g, 'ConvInputGrad', [gradient, filter], window, shape), attributes);
  }),
  kernel<'x' | 'dy', ConvAttributes & { filterShape: number[] }>('Conv2DBackpropFilter', (g, { x, dy }, attributes) => {
    const images = inward(g, x, attributes);
    const { window } = convolution(images.shape, attributes.filterShape, attributes);
    return windowed(g, 'ConvFilterGrad', [images, inward(g, dy, attributes)], window, attributes.filterShape);
  }),
  kernel<'x', PoolAttributes>('AvgPool', (g, { x }, attributes) => {
    const { window, outShape } = pooling(x.shape, attributes);
    if (isIdentity(x, window, outShape)) return cast(g, x, 'float32');
    return windowed(g, 'AvgPool', [cast(g, x, 'float32')], window, outShape);
  }),
  kernel<'x', PoolAttributes>('MaxPool', (g, { x }, attributes) => {
    const { window, outShape } = pooling(x.shape, attributes);
    return isIdentity(x, window, outShape) ? x : windowed(g, 'MaxPool', [x], window, outShape);
  }),
  kernel<'x', PoolAttributes & { includeBatchInIndex: boolean }>('MaxPoolWithArgmax', (g, { x }, attributes) => {
    const { window, outShape } = pooling(x.shape, attributes);
    const positions = elementPositions(g, x, attributes.includeBatchInIndex);
    return [
      windowed(g, 'MaxPool', [x], window, outShape),
      cast(g, windowed(g, 'MaxPoolGather', [positions, x], window, outShape), 'int32'),
    ];
  }),
  poolGrad('AvgPoolGrad', (dy) => [dy]),
  poolGrad('MaxPoolGrad', (dy, input) => [dy, input]),
  // Not a kernel of tfjs: the gradient rule of MaxPoolGrad in @bpc/core calls it where there is one.
  kernel<'dy' | 'input', PoolAttributes>('MaxPoolGather', (g, { dy, input }, attributes) => {
    const { window, outShape } = pooling(input.shape, attributes);
    return windowed(g, 'MaxPoolGather', [dy, input], window, outShape);
  }),
];
