import type { Node, NodeOf, Window } from '@bpc/compiler';
import type { OnnxGraph } from '../model/onnx-graph.js';
import type { LoweringContext } from './context.js';
import { inputsOf } from './operands.js';
import { axisLength, nhwc, range } from './shape.js';
import { type Matrix, WINOGRAD } from './winograd-matrices.js';

/**
 * 3×3 stride-1 convolution as Winograd F(m×m, 3×3) (Lavin & Gray 2016), written as matrix products with constant banded
 * matrices, which absorb padding and partial tiles:
 *
 *   V = Bᵀ x B,  U = G w Gᵀ,  M = V·U,  y = Aᵀ M A
 *
 * All of it is linear, so the gradients reuse the transforms:
 *
 *   dM = A dy Aᵀ,  dU = Vᵀ dM,  dw = Gᵀ dU G,  dV = dM Uᵀ,  dx = B dV Bᵀ
 *
 * V is shared by the convolution and dw, U by the convolution and dx, dM by dw and dx: the ONNX graph holds each once.
 */
type Axis = {
  readonly matrices: (typeof WINOGRAD)[2 | 4];
  /** Points per tile: m + 2. */
  readonly points: number;
  readonly tiles: number;
  /** [points·tiles, inputs]: input transform of every tile along this axis. */
  readonly input: Matrix;
  /** [outputs, points·tiles]: output transform. */
  readonly output: Matrix;
};

type Geometry = { readonly rows: Axis; readonly columns: Axis };

const transposed = (matrix: Matrix): Matrix => range(matrix[0]?.length ?? 0).map((j) => matrix.map((row) => row[j] ?? 0));

// G ⊗ G: for the 3×3 filter, one product with it is cheaper than two small ones.
const kronecker = (a: Matrix, b: Matrix): Matrix =>
  a.flatMap((rowA) => b.map((rowB) => rowA.flatMap((valueA) => rowB.map((valueB) => valueA * valueB))));

// The larger tile does 2.25 times fewer products than the smaller, unless most of its last tile hangs over the edge.
function tileSize(outputs: number): 2 | 4 {
  return 6 * Math.ceil(outputs / 4) < 4 * Math.ceil(outputs / 2) ? 4 : 2;
}

function axisOf(inputs: number, outputs: number, padding: number): Axis {
  const m = tileSize(outputs);
  const matrices = WINOGRAD[m];
  const points = m + 2;
  const tiles = Math.ceil(outputs / m);
  const input = range(points).flatMap((p) =>
    range(tiles).map((t) => {
      const row = Array<number>(inputs).fill(0);
      for (const q of range(points)) {
        const position = t * m - padding + q;
        if (position >= 0 && position < inputs) row[position] = matrices.inputTransform[p]?.[q] ?? 0;
      }
      return row;
    }),
  );
  const output = range(outputs).map((position) => {
    const row = Array<number>(points * tiles).fill(0);
    for (const p of range(points)) row[p * tiles + Math.floor(position / m)] = matrices.outputTransform[position % m]?.[p] ?? 0;
    return row;
  });
  return { matrices, points, tiles, input, output };
}

function geometryOf(inputShape: readonly number[], outputShape: readonly number[], window: Window): Geometry {
  const [, h, w] = nhwc(inputShape);
  const [, oh, ow] = nhwc(outputShape);
  return { rows: axisOf(h, oh, window.padding[0]), columns: axisOf(w, ow, window.padding[1]) };
}

const constant = (onnx: OnnxGraph, matrix: Matrix): string => onnx.constant(matrix.flat(), [matrix.length, matrix[0]?.length ?? 0]);

/** Applies a matrix along the first and another along the second axis of x, stored as [first, second, columns]. */
function transform(onnx: OnnxGraph, first: Matrix, second: Matrix, x: string, columns: number): string {
  const [height, width] = [first[0]?.length ?? 0, second[0]?.length ?? 0];
  const along = onnx.matMul(constant(onnx, first), onnx.reshape(x, [height, width * columns]));
  return onnx.matMul(constant(onnx, second), onnx.reshape(along, [first.length, width, columns]));
}

/** V, shaped [points, tiles, points, tiles·N, C]. */
function transformInput(x: Node, { rows, columns }: Geometry, context: LoweringContext): string {
  const [n, , , c] = nhwc(x.shape);
  const v = transform(context.onnx, rows.input, columns.input, context.tiles(x), n * c);
  return context.onnx.reshape(v, [rows.points, rows.tiles, columns.points, columns.tiles * n, c]);
}

/** U, shaped [points, 1, points, C, K]. */
function transformFilter(filter: Node, { rows, columns }: Geometry, context: LoweringContext): string {
  const [c, k] = [axisLength(filter.shape, 2), axisLength(filter.shape, 3)];
  const both = kronecker(rows.matrices.filterTransform, columns.matrices.filterTransform);
  const u = context.onnx.matMul(constant(context.onnx, both), context.onnx.reshape(context.rows(filter), [9, c * k]));
  return context.onnx.reshape(u, [rows.points, 1, columns.points, c, k]);
}

/** dM, shaped [points, tiles, points, tiles·N, K]. */
function transformGradient(dy: Node, { rows, columns }: Geometry, context: LoweringContext): string {
  const [n, , , k] = nhwc(dy.shape);
  const m = transform(context.onnx, transposed(rows.output), transposed(columns.output), context.tiles(dy), n * k);
  return context.onnx.reshape(m, [rows.points, rows.tiles, columns.points, columns.tiles * n, k]);
}

/** A 3×3 stride-1 convolution; the result is tiled. */
export function winogradConv(node: NodeOf<'Conv'>, context: LoweringContext): string {
  const { onnx } = context;
  const [x, filter] = inputsOf(node);
  const geometry = geometryOf(x.shape, node.shape, node.attributes);
  const [n, , , k] = nhwc(node.shape);
  const product = onnx.matMul(transformInput(x, geometry, context), transformFilter(filter, geometry, context));
  return onnx.reshape(transform(onnx, geometry.rows.output, geometry.columns.output, product, n * k), context.storedShape(node));
}

/** Its gradient with respect to the input; the result is tiled. */
export function winogradInputGrad(node: NodeOf<'ConvInputGrad'>, context: LoweringContext): string {
  const { onnx } = context;
  const [dy, filter] = inputsOf(node);
  const geometry = geometryOf(node.shape, dy.shape, node.attributes);
  const [n, , , c] = nhwc(node.shape);
  const dv = onnx.matMul(transformGradient(dy, geometry, context), transformFilter(filter, geometry, context), false, true);
  return onnx.reshape(
    transform(onnx, transposed(geometry.rows.input), transposed(geometry.columns.input), dv, n * c),
    context.storedShape(node),
  );
}

/** Its gradient with respect to the filter; the result is HWIO. */
export function winogradFilterGrad(node: NodeOf<'ConvFilterGrad'>, context: LoweringContext): string {
  const { onnx } = context;
  const [x, dy] = inputsOf(node);
  const geometry = geometryOf(x.shape, dy.shape, node.attributes);
  const [c, k] = [axisLength(node.shape, 2), axisLength(node.shape, 3)];
  const perTileRow = onnx.matMul(transformInput(x, geometry, context), transformGradient(dy, geometry, context), true);
  const du = geometry.rows.tiles === 1 ? perTileRow : onnx.op('ReduceSum', [perTileRow, onnx.integers([1])], { keepdims: 0 });
  const { rows, columns } = geometry;
  const both = transposed(kronecker(rows.matrices.filterTransform, columns.matrices.filterTransform));
  return onnx.reshape(onnx.matMul(constant(onnx, both), onnx.reshape(du, [rows.points * columns.points, c * k])), node.shape);
}
