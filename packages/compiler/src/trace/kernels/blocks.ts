import { ConfigError } from '@bpc/core';
import { backend_util } from '@tensorflow/tfjs-core';
import { pad, reshape, slice, transpose } from '../../ir/index.js';
import { item, sizeOf } from '../../ir/shape.js';
import { kernel, type TraceKernel } from './kernel.js';

type Pairs = [number, number][];

/** Kernels that move blocks of pixels to the batch or to channels, and back. */
export const blockKernels: readonly TraceKernel[] = [
  kernel<'x', { blockShape: number[]; paddings: Pairs }>('SpaceToBatchND', (g, { x }, { blockShape, paddings }) => {
    const all = x.shape.map((_, axis): [number, number] => paddings[axis - 1] ?? [0, 0]);
    const padded = pad(g, x, all, 0);
    const block = sizeOf(blockShape);
    const shape = [...padded.shape];
    const apart = backend_util.getReshaped(shape, blockShape, block, false);
    const order = backend_util.getPermuted(apart.length, blockShape.length, false);
    const joined = backend_util.getReshapedPermuted(shape, blockShape, block, false);
    return reshape(g, transpose(g, reshape(g, padded, apart), order), joined);
  }),
  kernel<'x', { blockShape: number[]; crops: Pairs }>('BatchToSpaceND', (g, { x }, { blockShape, crops }) => {
    const block = sizeOf(blockShape);
    const shape = [...x.shape];
    const apart = backend_util.getReshaped(shape, blockShape, block);
    const order = backend_util.getPermuted(apart.length, blockShape.length);
    const joined = backend_util.getReshapedPermuted(shape, blockShape, block);
    const whole = reshape(g, transpose(g, reshape(g, x, apart), order), joined);
    // tfjs counts the axes up to the last block only.
    const begin = backend_util.getSliceBeginCoords(crops, blockShape.length);
    const size = backend_util.getSliceSize(joined, crops, blockShape.length);
    return slice(
      g,
      whole,
      joined.map((_, axis) => begin[axis] ?? 0),
      joined.map((length, axis) => size[axis] ?? length),
    );
  }),
  kernel<'x', { blockSize: number; dataFormat: string }>('DepthToSpace', (g, { x }, { blockSize: b, dataFormat }) => {
    if (dataFormat !== 'NHWC') throw new ConfigError(`depthToSpace has dataFormat ${dataFormat}`, 'transpose the images to NHWC');
    const [n, h, w, c] = [0, 1, 2, 3].map((axis) => item(x.shape, axis)) as [number, number, number, number];
    const depth = c / (b * b);
    const apart = transpose(g, reshape(g, x, [n, h, w, b, b, depth]), [0, 1, 3, 2, 4, 5]);
    return reshape(g, apart, [n, h * b, w * b, depth]);
  }),
];
