import type { Node, NodeOf, Window } from '@bpc/compiler';
import type { OnnxGraph } from '../model/onnx-graph.js';
import type { LoweringContext } from './context.js';
import { TILES } from './layout.js';
import { inputOf } from './operands.js';
import { nhwc, range } from './shape.js';
import { lowerUpsampling } from './upsample.js';
import { isUpsampling } from './upsampling.js';
import type { Matrix } from './winograd-matrices.js';

/**
 * [outputs, inputs] mean over the valid elements of each window along one axis. The mean over a window is the product of
 * the means along its axes, because the number of valid elements is.
 */
function poolMatrix(inputs: number, outputs: number, axis: 0 | 1, { kernel, strides, dilations, padding }: Window): Matrix {
  return range(outputs).map((output) => {
    const positions = range(kernel[axis])
      .map((tap) => output * strides[axis] - padding[axis] + tap * dilations[axis])
      .filter((position) => position >= 0 && position < inputs);
    const row = Array<number>(inputs).fill(0);
    for (const position of positions) row[position] = 1 / positions.length;
    return row;
  });
}

/** Transposed matrices along height and width of the pooling of an image of `shape` to `pooled`. */
function poolMatrices(shape: readonly number[], pooled: readonly number[], window: Window, context: LoweringContext) {
  const [, h, w] = nhwc(shape);
  const [, oh, ow] = nhwc(pooled);
  const transposed = (matrix: Matrix, rows: number, columns: number) =>
    context.onnx.constant(
      range(columns).flatMap((j) => matrix.map((row) => row[j] ?? 0)),
      [columns, rows],
    );
  return [transposed(poolMatrix(h, oh, 0, window), oh, h), transposed(poolMatrix(w, ow, 1, window), ow, w)] as const;
}

function applyBoth(x: Node, result: Node, matrices: readonly [string, string], context: LoweringContext): string {
  const { onnx } = context;
  const [n, h, w, c] = nhwc(x.shape);
  const [, oh] = nhwc(result.shape);
  const along = onnx.matMul(matrices[0], onnx.reshape(context.tiles(x), [h, w * n * c]));
  return onnx.reshape(onnx.matMul(matrices[1], onnx.reshape(along, [oh, w, n * c])), context.storedShape(result));
}

/** Mean over the valid elements of each window along height (0) or width (1) of tiles. */
function meanAlong(x: string, axis: 0 | 1, length: number, outputs: number, window: Window, onnx: OnnxGraph): string {
  const { kernel, strides, dilations, padding } = window;
  const extent = (outputs - 1) * strides[axis] + (kernel[axis] - 1) * dilations[axis] + 1;
  const along = (count: number, otherwise: number) => range(4).map((i) => (i === axis ? count : otherwise));
  const padded = onnx.pad(x, along(padding[axis], 0), along(Math.max(0, extent - length - padding[axis]), 0));
  // Sums of what each tap sees, not a product with a banded matrix, whose zeros would spread a NaN over the image.
  const taps = range(kernel[axis]).map((tap) => {
    const start = tap * dilations[axis];
    return onnx.slice(padded, [start], [start + (outputs - 1) * strides[axis] + 1], [axis], [strides[axis]]);
  });
  const shares = range(outputs).map((output) => {
    const positions = range(kernel[axis]).map((tap) => output * strides[axis] - padding[axis] + tap * dilations[axis]);
    return 1 / positions.filter((position) => position >= 0 && position < length).length;
  });
  return onnx.op('Mul', [onnx.sum(taps), onnx.constant(shares, along(outputs, 1))]);
}

/** Lowers average pooling: windows side by side to two products, others to sums along both axes; the result is tiled. */
export function lowerAvgPool(node: NodeOf<'AvgPool'>, context: LoweringContext): string {
  const { onnx } = context;
  const x = inputOf(node);
  const [n, h, w, c] = nhwc(x.shape);
  const [, oh, ow] = nhwc(node.shape);
  const { kernel, strides, dilations, padding } = node.attributes;
  const [kh, kw] = kernel;
  const exact =
    kh === strides[0] &&
    kw === strides[1] &&
    dilations.every((d) => d === 1) &&
    padding.every((p) => p === 0) &&
    oh * kh === h &&
    ow * kw === w;
  if (!exact) return meanAlong(meanAlong(context.tiles(x), 0, h, oh, node.attributes, onnx), 1, w, ow, node.attributes, onnx);
  const mean = (count: number) => onnx.constant(Array<number>(count).fill(1 / count), [1, count]);
  // Rows of an image stored by rows are averaged first: the rest, half as long, is what goes into tiles.
  const along =
    context.layoutOf(x) === 'tiles' || n === 1
      ? onnx.matMul(mean(kh), onnx.reshape(context.tiles(x), [oh, kh, w * n * c]))
      : onnx.transpose(onnx.reshape(onnx.matMul(mean(kh), onnx.reshape(context.rows(x), [n * oh, kh, w * c])), [n, oh, w, c]), TILES);
  return onnx.reshape(onnx.matMul(mean(kw), onnx.reshape(along, [oh * ow, kw, n * c])), context.storedShape(node));
}

/** Lowers the gradient of average pooling; the result is tiled. */
export function lowerAvgPoolGrad(node: NodeOf<'AvgPoolGrad'>, context: LoweringContext): string {
  const whole: Node = node;
  if (isUpsampling(whole)) return lowerUpsampling(whole, context);
  const dy = inputOf(node);
  return applyBoth(dy, node, poolMatrices(node.shape, dy.shape, node.attributes, context), context);
}
