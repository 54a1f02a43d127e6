import type { Node, NodeOf, Window } from '@bpc/compiler';
import type { LoweringContext } from './context.js';
import { inputsOf } from './operands.js';
import { axisLength, nhwc, range, sizeOf } from './shape.js';

/** [C, H, W, N]: every tap of a window is a copy of long contiguous rows. */
const PLANES = [3, 1, 2, 0] as const;

const tapsOf = ({ kernel }: Window) => range(kernel[0]).flatMap((i) => range(kernel[1]).map((j) => [i, j] as const));

/** The value at each tap of each window: [kh·kw·C, OH·OW·N]. */
function columns(x: Node, window: Window, outputShape: readonly number[], context: LoweringContext): string {
  const { onnx } = context;
  const [, oh, ow, n] = [0, axisLength(outputShape, 1), axisLength(outputShape, 2), axisLength(x.shape, 0)];
  const c = axisLength(x.shape, 3);
  const { strides, dilations, padding, kernel } = window;
  const padded = onnx.pad(context.permuted(x, PLANES), [0, padding[0], padding[1], 0], [0, padding[2], padding[3], 0]);
  const parts = tapsOf(window).map(([i, j]) => {
    const start = [i * dilations[0], j * dilations[1]] as const;
    const end = [start[0] + (oh - 1) * strides[0] + 1, start[1] + (ow - 1) * strides[1] + 1];
    return onnx.slice(padded, start, end, [1, 2], strides);
  });
  return onnx.reshape(onnx.concat(parts, 0), [kernel[0] * kernel[1] * c, oh * ow * n]);
}

const filterMatrix = (filter: Node, context: LoweringContext): string =>
  context.onnx.reshape(context.rows(filter), [sizeOf(filter.shape.slice(0, 3)), axisLength(filter.shape, 3)]);

const gradientMatrix = (dy: Node, context: LoweringContext): string => {
  const [n, h, w, c] = nhwc(dy.shape);
  return context.onnx.reshape(context.tiles(dy), [h * w * n, c]);
};

/** A convolution with few input channels as one matrix product; the result is tiled. */
export function fewChannels(node: NodeOf<'Conv'>, context: LoweringContext): string {
  const [x, filter] = inputsOf(node);
  const product = context.onnx.matMul(columns(x, node.attributes, node.shape, context), filterMatrix(filter, context), true);
  return context.onnx.reshape(product, context.storedShape(node));
}

/** Gradient with respect to the filter for few input channels; shares the columns with the convolution. */
export function fewChannelsFilterGrad(node: NodeOf<'ConvFilterGrad'>, context: LoweringContext): string {
  const [x, dy] = inputsOf(node);
  const product = context.onnx.matMul(columns(x, node.attributes, dy.shape, context), gradientMatrix(dy, context));
  return context.onnx.reshape(product, node.shape);
}

/**
 * Gradient with respect to an input of few channels, for stride 1; the result is tiled.
 *
 * One matrix product gives a plane per tap; each plane is shifted to where its tap lies (a pad, negative where it crops)
 * and the planes are added.
 */
export function fewChannelsInputGrad(node: NodeOf<'ConvInputGrad'>, context: LoweringContext): string {
  const { onnx } = context;
  const [dy, filter] = inputsOf(node);
  const [n, h, w, c] = nhwc(node.shape);
  const [, oh, ow] = nhwc(dy.shape);
  const { dilations, padding } = node.attributes;
  const taps = tapsOf(node.attributes);
  const product = onnx.matMul(filterMatrix(filter, context), gradientMatrix(dy, context), false, true);
  const planes = onnx.reshape(product, [taps.length * c, oh, ow, n]);
  const shifted = taps.map(([i, j], tap) => {
    const plane = onnx.slice(planes, [tap * c], [(tap + 1) * c], [0]);
    const top = i * dilations[0] - padding[0];
    const left = j * dilations[1] - padding[1];
    return onnx.pad(plane, [0, top, left, 0], [0, h - oh - top, w - ow - left, 0]);
  });
  const sum = onnx.sum(shifted);
  return c === 1 ? onnx.reshape(sum, [h, w, n, 1]) : onnx.transpose(sum, [1, 2, 3, 0]);
}
