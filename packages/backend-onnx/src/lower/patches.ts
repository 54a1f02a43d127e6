import type { Node, NodeOf, Window } from '@bpc/compiler';
import type { OnnxGraph } from '../model/onnx-graph.js';
import type { LoweringContext } from './context.js';
import { inputsOf } from './operands.js';
import { axisLength, nhwc, range, sizeOf, tiledShape } from './shape.js';
import type { Matrix } from './winograd-matrices.js';

/**
 * Convolutions of any window as one product over patches, which are rows of [OH·OW·N, kh·kw·C]: a filter is a matrix as it
 * is stored, and so is its gradient. Nothing is transposed but, for the input's gradient, long contiguous runs.
 */

/** [kh·kw·C, K]. */
const filterMatrix = (filter: Node, context: LoweringContext): string =>
  context.onnx.reshape(context.rows(filter), [sizeOf(filter.shape.slice(0, 3)), axisLength(filter.shape, 3)]);

/** [OH·OW·N, channels] view of an activation. */
function pixels(x: Node, context: LoweringContext): string {
  const [n, h, w, c] = nhwc(x.shape);
  return context.onnx.reshape(context.tiles(x), [h * w * n, c]);
}

/** What every tap of every window sees: [OH·OW·N, kh·kw·C]. */
function patches(x: Node, window: Window, pooled: readonly number[], context: LoweringContext): string {
  const { onnx } = context;
  const [n, , , c] = nhwc(x.shape);
  const [, oh, ow] = nhwc(pooled);
  const { kernel, strides, dilations, padding } = window;
  const padded = onnx.pad(context.tiles(x), [padding[0], padding[1], 0, 0], [padding[2], padding[3], 0, 0]);
  const taps = range(kernel[0]).flatMap((i) =>
    range(kernel[1]).map((j) => {
      const start = [i * dilations[0], j * dilations[1]] as const;
      const end = [start[0] + (oh - 1) * strides[0] + 1, start[1] + (ow - 1) * strides[1] + 1];
      return onnx.slice(padded, start, end, [0, 1], strides);
    }),
  );
  return onnx.reshape(onnx.concat(taps, 3), [oh * ow * n, kernel[0] * kernel[1] * c]);
}

/** Any convolution; the result is tiled. */
export function patchConv(node: NodeOf<'Conv'>, context: LoweringContext): string {
  const [x, filter] = inputsOf(node);
  const product = context.onnx.matMul(patches(x, node.attributes, node.shape, context), filterMatrix(filter, context));
  return context.onnx.reshape(product, context.storedShape(node));
}

/** Its gradient with respect to the filter; the result is HWIO. */
export function patchFilterGrad(node: NodeOf<'ConvFilterGrad'>, context: LoweringContext): string {
  const [x, dy] = inputsOf(node);
  const product = context.onnx.matMul(patches(x, node.attributes, dy.shape, context), pixels(dy, context), true);
  return context.onnx.reshape(product, node.shape);
}

/**
 * Its gradient with respect to the input; the result is tiled.
 *
 * One product per tap gives what each window passes back; along each axis, a product with a matrix of zeros and ones adds
 * it where the window was.
 */
export function patchInputGrad(node: NodeOf<'ConvInputGrad'>, context: LoweringContext): string {
  const { onnx } = context;
  const [dy, filter] = inputsOf(node);
  const [n, h, w, c] = nhwc(node.shape);
  const [, oh, ow, k] = nhwc(dy.shape);
  const [kh, kw] = node.attributes.kernel;
  const perTap = onnx.matMul(
    onnx.reshape(pixels(dy, context), [1, oh * ow * n, k]),
    onnx.reshape(context.rows(filter), [kh * kw, c, k]),
    false,
    true,
  );
  const split = onnx.reshape(perTap, [kh, kw, oh, ow * n * c]);
  const byRow = kw === 1 || oh === 1 ? split : onnx.transpose(split, [0, 2, 1, 3]);
  const placed = multiply(onnx, placement(w, ow, 1, node.attributes), byRow, kh * oh, n * c);
  return onnx.reshape(multiply(onnx, placement(h, oh, 0, node.attributes), placed, 1, w * n * c), tiledShape(node.shape));
}

/** [size, taps·outputs]: 1 where a tap of a window lies on a position of the image. */
function placement(size: number, outputs: number, axis: 0 | 1, { kernel, strides, dilations, padding }: Window): Matrix {
  return range(size).map((position) =>
    range(kernel[axis]).flatMap((tap) =>
      range(outputs).map((output) => Number(output * strides[axis] - padding[axis] + tap * dilations[axis] === position)),
    ),
  );
}

/** Left product of a matrix with x, stored as [batch, length, columns]. */
function multiply(onnx: OnnxGraph, matrix: Matrix, x: string, batch: number, columns: number): string {
  const length = matrix[0]?.length ?? 0;
  return onnx.matMul(onnx.constant(matrix.flat(), [matrix.length, length]), onnx.reshape(x, [batch, length, columns]));
}
