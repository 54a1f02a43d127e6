import { ConfigError } from '@bpc/core';
import { backend_util } from '@tensorflow/tfjs-core';
import { type Node, type Shape, type Window, windowed } from '../../ir/index.js';
import { kernel, type TraceKernel } from './kernel.js';

type Pair = number | [number, number];
type Padding = 'valid' | 'same' | number | [[number, number], [number, number], [number, number], [number, number]];
type Rounding = 'floor' | 'round' | 'ceil';

type ConvAttributes = { strides: Pair; pad: Padding; dataFormat?: 'NHWC' | 'NCHW'; dilations?: Pair; dimRoundingMode?: Rounding };
type PoolAttributes = { filterSize: Pair; strides: Pair; pad: Padding; dimRoundingMode?: Rounding };

type Geometry = { readonly window: Window; readonly outShape: Shape };

const four = (shape: Shape): [number, number, number, number] => {
  const [n, h, w, c] = shape;
  if (n === undefined || h === undefined || w === undefined || c === undefined)
    throw new ConfigError(`a window operation got shape [${shape}]`, 'pass a tensor of rank 4');
  return [n, h, w, c];
};

function geometry(info: backend_util.Conv2DInfo): Geometry {
  const { top, left, bottom, right } = info.padInfo;
  return {
    window: {
      kernel: [info.filterHeight, info.filterWidth],
      strides: [info.strideHeight, info.strideWidth],
      dilations: [info.dilationHeight, info.dilationWidth],
      padding: [top, left, bottom, right],
    },
    outShape: info.outShape,
  };
}

function convolution(x: Shape, filter: Shape, { strides, pad, dataFormat, dilations, dimRoundingMode }: ConvAttributes): Geometry {
  if (dataFormat === 'NCHW')
    throw new ConfigError('conv2d has dataFormat NCHW', 'transpose the images to NHWC, the only layout of programs');
  return geometry(
    backend_util.computeConv2DInfo(four(x), four(filter), strides, dilations ?? 1, pad, dimRoundingMode, false, 'channelsLast'),
  );
}

const pooling = (x: Shape, { filterSize, strides, pad, dimRoundingMode }: PoolAttributes): Geometry =>
  geometry(backend_util.computePool2DInfo(four(x), filterSize, strides, 1, pad, dimRoundingMode));

/** `input` is the pooled tensor, of which the gradient of the average needs the shape only. */
const poolGrad = (name: 'AvgPoolGrad' | 'MaxPoolGrad', operands: (dy: Node, input: Node) => Node[]): TraceKernel =>
  kernel<'dy' | 'input', PoolAttributes>(name, (g, { dy, input }, attributes) =>
    windowed(g, name, operands(dy, input), pooling(input.shape, attributes).window, input.shape),
  );

/** Convolution, pooling and their gradients. */
export const windowKernels: readonly TraceKernel[] = [
  kernel<'x' | 'filter', ConvAttributes>('Conv2D', (g, { x, filter }, attributes) => {
    const { window, outShape } = convolution(x.shape, filter.shape, attributes);
    return windowed(g, 'Conv', [x, filter], window, outShape);
  }),
  kernel<'dy' | 'filter', ConvAttributes & { inputShape: number[] }>('Conv2DBackpropInput', (g, { dy, filter }, attributes) =>
    windowed(g, 'ConvInputGrad', [dy, filter], convolution(attributes.inputShape, filter.shape, attributes).window, attributes.inputShape),
  ),
  kernel<'x' | 'dy', ConvAttributes & { filterShape: number[] }>('Conv2DBackpropFilter', (g, { x, dy }, attributes) =>
    windowed(g, 'ConvFilterGrad', [x, dy], convolution(x.shape, attributes.filterShape, attributes).window, attributes.filterShape),
  ),
  kernel<'x', PoolAttributes>('AvgPool', (g, { x }, attributes) => {
    const { window, outShape } = pooling(x.shape, attributes);
    return windowed(g, 'AvgPool', [x], window, outShape);
  }),
  kernel<'x', PoolAttributes>('MaxPool', (g, { x }, attributes) => {
    const { window, outShape } = pooling(x.shape, attributes);
    return windowed(g, 'MaxPool', [x], window, outShape);
  }),
  poolGrad('AvgPoolGrad', (dy) => [dy]),
  poolGrad('MaxPoolGrad', (dy, input) => [dy, input]),
  // Not a kernel of tfjs: the gradient rule of MaxPoolGrad in @bpc/core may call it.
  kernel<'dy' | 'input', PoolAttributes>('MaxPoolGather', (g, { dy, input }, attributes) => {
    const { window, outShape } = pooling(input.shape, attributes);
    return windowed(g, 'MaxPoolGather', [dy, input], window, outShape);
  }),
];
