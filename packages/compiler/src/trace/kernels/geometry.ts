import { ConfigError } from '@bpc/core';
import { backend_util } from '@tensorflow/tfjs-core';
import type { Shape, Window } from '../../ir/index.js';

type Pair = number | [number, number];
type Padding = 'valid' | 'same' | number | [[number, number], [number, number], [number, number], [number, number]];
type Rounding = 'floor' | 'round' | 'ceil';

export type ConvAttributes = {
  strides: Pair;
  pad: Padding;
  dataFormat?: 'NHWC' | 'NCHW';
  dilations?: Pair;
  dimRoundingMode?: Rounding;
};
export type PoolAttributes = { filterSize: Pair; strides: Pair; pad: Padding; dimRoundingMode?: Rounding };

export type Geometry = { readonly window: Window; readonly outShape: Shape };

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

// tfjs lists explicit paddings in the order of the axes, and reads them so.
const spatialFirst = (pad: Padding, dataFormat: ConvAttributes['dataFormat']): Padding =>
  Array.isArray(pad) && dataFormat === 'NCHW' ? [pad[0], pad[2], pad[3], pad[1]] : pad;

/** Window and result of a convolution of NHWC images of `x` with an HWIO filter; depthwise ones have HWIM filters. */
export function convolution(x: Shape, filter: Shape, attributes: ConvAttributes, depthwise = false): Geometry {
  const { strides, pad, dataFormat, dilations, dimRoundingMode } = attributes;
  return geometry(
    backend_util.computeConv2DInfo(
      four(x),
      four(filter),
      strides,
      dilations ?? 1,
      spatialFirst(pad, dataFormat),
      dimRoundingMode,
      depthwise,
      'channelsLast',
    ),
  );
}

/** Window and result of a pooling of NHWC images. */
export const pooling = (x: Shape, { filterSize, strides, pad, dimRoundingMode }: PoolAttributes): Geometry =>
  geometry(backend_util.computePool2DInfo(four(x), filterSize, strides, 1, pad, dimRoundingMode));
