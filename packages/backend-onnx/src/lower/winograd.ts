import type { Node, NodeOf, Shape, Window } from '@bpc/compiler';
import type { OnnxGraph } from '../model/onnx-graph.js';
import type { LoweringContext } from './context.js';
import type { TileSize } from './conv-plan.js';
import { inputsOf } from './operands.js';
import { axisLength, nhwc, range, tiledShape } from './shape.js';
import { type Matrix, WINOGRAD } from './winograd-matrices.js';

/**
 * 3×3 stride-1 convolution as Winograd F(m×m, 3×3) (Lavin & Gray 2016), written as matrix products:
 *
 *   V = Bᵀ x B,  U = G w Gᵀ,  M = V·U,  y = Aᵀ M A
 *
 * All of it is linear, so the gradients reuse the transforms:
 *
 *   dM = A dy Aᵀ,  dU = Vᵀ dM,  dw = Gᵀ dU G,  dV = dM Uᵀ,  dx = B dV Bᵀ
 *
 * V is shared by the convolution and dw, U by the convolution and dx, dM by dw and dx: the ONNX graph holds each once.
 *
 * Transformed values are stored [point, point, tile column, tile row, N, C]: one product per point, over all tiles at
 * once. Getting there takes one transposition of long contiguous runs per transform, which costs less than packing a
 * filter once per row of tiles. Tiles of x overlap, so Bᵀ is applied to all tiles of an axis by one banded matrix, which
 * also absorbs the padding; tiles of y do not, so Aᵀ stays as small as it is.
 */
type Axis = {
  readonly matrices: (typeof WINOGRAD)[TileSize];
  /** Outputs per tile. */
  readonly m: TileSize;
  /** Points per tile: m + 2. */
  readonly points: number;
  readonly tiles: number;
  readonly inputs: number;
  readonly outputs: number;
  /** [points·tiles, inputs]: input transform of every tile along this axis. */
  readonly input: Matrix;
};

type Tile = readonly [TileSize, TileSize];

type Geometry = { readonly rows: Axis; readonly columns: Axis };

const transposed = (matrix: Matrix): Matrix => range(matrix[0]?.length ?? 0).map((j) => matrix.map((row) => row[j] ?? 0));

// G ⊗ G: for the 3×3 filter, one product with it is cheaper than two small ones.
const kronecker = (a: Matrix, b: Matrix): Matrix =>
  a.flatMap((rowA) => b.map((rowB) => rowA.flatMap((valueA) => rowB.map((valueB) => valueA * valueB))));

function axisOf(inputs: number, outputs: number, padding: number, m: TileSize): Axis {
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
  return { matrices, m, points, tiles, inputs, outputs, input };
}

function geometryOf(inputShape: Shape, outputShape: Shape, window: Window, tile: Tile): Geometry {
  const [, h, w] = nhwc(inputShape);
  const [, oh, ow] = nhwc(outputShape);
  return { rows: axisOf(h, oh, window.padding[0], tile[0]), columns: axisOf(w, ow, window.padding[1], tile[1]) };
}

/** Left product of a matrix with x, stored as [batch, length, columns]. */
function multiply(onnx: OnnxGraph, matrix: Matrix, x: string, batch: number, columns: number): string {
  const length = matrix[0]?.length ?? 0;
  const constant = onnx.constant(matrix.flat(), [matrix.length, length]);
  const product = onnx.matMul(constant, onnx.reshape(x, batch === 1 ? [length, columns] : [batch, length, columns]));
  onnx.describe(product, batch === 1 ? [matrix.length, columns] : [batch, matrix.length, columns]);
  return product;
}

/** Swaps the middle two axes of x, stored as `shape`; a reshape where one of them has length 1. */
function swap(onnx: OnnxGraph, x: string, shape: readonly [number, number, number, number]): string {
  return shape[1] === 1 || shape[2] === 1 ? x : onnx.transpose(onnx.reshape(x, shape), [0, 2, 1, 3]);
}

/** V, shaped [points², tiles·N, C]. */
function transformInput(x: Node, { rows, columns }: Geometry, context: LoweringContext): string {
  const { onnx } = context;
  const [n, , , c] = nhwc(x.shape);
  const shape = [rows.points, columns.inputs, rows.tiles, n * c] as const;
  let byPoint: string;
  if (context.layoutOf(x) === 'rows' && n > 1) {
    // The one transposition also brings the images in.
    const alongRows = multiply(onnx, rows.input, context.rows(x), n, columns.inputs * c);
    const split = onnx.reshape(alongRows, [n, rows.points, rows.tiles, columns.inputs, c]);
    byPoint = onnx.transpose(split, [1, 3, 2, 0, 4]);
  } else {
    const alongRows = multiply(onnx, rows.input, context.tiles(x), 1, columns.inputs * n * c);
    byPoint = swap(onnx, alongRows, [rows.points, rows.tiles, columns.inputs, n * c]);
  }
  const v = multiply(onnx, columns.input, onnx.reshape(byPoint, shape), rows.points, rows.tiles * n * c);
  return onnx.reshape(v, [rows.points * columns.points, columns.tiles * rows.tiles * n, c]);
}

/** U, shaped [points², C, K]. */
function transformFilter(filter: Node, { rows, columns }: Geometry, context: LoweringContext): string {
  const { onnx } = context;
  const [c, k] = [axisLength(filter.shape, 2), axisLength(filter.shape, 3)];
  const both = kronecker(rows.matrices.filterTransform, columns.matrices.filterTransform);
  return onnx.reshape(multiply(onnx, both, context.rows(filter), 1, c * k), [both.length, c, k]);
}

/** dM, shaped [points², tiles·N, K]. */
function transformGradient(dy: Node, { rows, columns }: Geometry, context: LoweringContext): string {
  const { onnx } = context;
  const [n, , , k] = nhwc(dy.shape);
  const missing = [rows.tiles * rows.m - rows.outputs, columns.tiles * columns.m - columns.outputs] as const;
  const whole = onnx.pad(context.tiles(dy), [0, 0, 0, 0], [...missing, 0, 0]);
  const tiled = onnx.reshape(whole, [rows.tiles, rows.m, columns.tiles, columns.m, n * k]);
  const byOffset = onnx.transpose(tiled, [1, 3, 2, 0, 4]);
  const size = columns.tiles * rows.tiles * n * k;
  const both = transposed(kronecker(rows.matrices.outputTransform, columns.matrices.outputTransform));
  const m = multiply(onnx, both, byOffset, 1, size);
  return onnx.reshape(m, [rows.points * columns.points, columns.tiles * rows.tiles * n, k]);
}

/** y from M; tiled. */
function transformOutput(m: string, node: Node, { rows, columns }: Geometry, context: LoweringContext): string {
  const { onnx } = context;
  const [n, , , k] = nhwc(node.shape);
  const size = columns.tiles * rows.tiles * n * k;
  const both = kronecker(rows.matrices.outputTransform, columns.matrices.outputTransform);
  const byOffset = multiply(onnx, both, m, 1, size);
  const split = onnx.reshape(byOffset, [rows.m, columns.m, columns.tiles, rows.tiles, n * k]);
  const whole = onnx.reshape(onnx.transpose(split, [3, 0, 2, 1, 4]), [rows.tiles * rows.m, columns.tiles * columns.m, n, k]);
  const exact = rows.tiles * rows.m === rows.outputs && columns.tiles * columns.m === columns.outputs;
  return exact ? whole : onnx.slice(whole, [0, 0], [rows.outputs, columns.outputs], [0, 1]);
}

/** dx from dV, in the layout of the node. */
function transformInputGradient(dv: string, node: Node, { rows, columns }: Geometry, context: LoweringContext): string {
  const { onnx } = context;
  const [n, , , c] = nhwc(node.shape);
  const alongColumns = multiply(onnx, transposed(columns.input), dv, rows.points, rows.tiles * n * c);
  if (context.layoutOf(node) === 'rows' && n > 1) {
    const split = onnx.reshape(alongColumns, [rows.points, columns.inputs, rows.tiles, n, c]);
    const byImage = onnx.transpose(split, [3, 0, 2, 1, 4]);
    return onnx.reshape(multiply(onnx, transposed(rows.input), byImage, n, columns.inputs * c), node.shape);
  }
  const byTile = swap(onnx, alongColumns, [rows.points, columns.inputs, rows.tiles, n * c]);
  const dx = multiply(onnx, transposed(rows.input), byTile, 1, columns.inputs * n * c);
  return context.fromTiles(onnx.reshape(dx, tiledShape(node.shape)), node);
}

/** A 3×3 stride-1 convolution; the result is tiled. */
export function winogradConv(node: NodeOf<'Conv'>, tile: Tile, context: LoweringContext): string {
  const [x, filter] = inputsOf(node);
  const geometry = geometryOf(x.shape, node.shape, node.attributes, tile);
  const m = context.onnx.matMul(transformInput(x, geometry, context), transformFilter(filter, geometry, context));
  return transformOutput(m, node, geometry, context);
}

/** Its gradient with respect to the input, in the layout of the node. */
export function winogradInputGrad(node: NodeOf<'ConvInputGrad'>, tile: Tile, context: LoweringContext): string {
  const [dy, filter] = inputsOf(node);
  const geometry = geometryOf(node.shape, dy.shape, node.attributes, tile);
  const dv = context.onnx.matMul(transformGradient(dy, geometry, context), transformFilter(filter, geometry, context), false, true);
  return transformInputGradient(dv, node, geometry, context);
}

/** Its gradient with respect to the filter; the result is HWIO. */
export function winogradFilterGrad(node: NodeOf<'ConvFilterGrad'>, tile: Tile, context: LoweringContext): string {
  const { onnx } = context;
  const [x, dy] = inputsOf(node);
  const geometry = geometryOf(x.shape, dy.shape, node.attributes, tile);
  const { rows, columns } = geometry;
  const du = onnx.matMul(transformInput(x, geometry, context), transformGradient(dy, geometry, context), true);
  const both = transposed(kronecker(rows.matrices.filterTransform, columns.matrices.filterTransform));
  return onnx.reshape(multiply(onnx, both, du, 1, axisLength(node.shape, 2) * axisLength(node.shape, 3)), node.shape);
}
