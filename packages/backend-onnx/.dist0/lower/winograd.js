import { inputsOf } from './operands.js';
import { axisLength, nhwc, range } from './shape.js';
import { WINOGRAD } from './winograd-matrices.js';
const transposed = (matrix) => range(matrix[0]?.length ?? 0).map((j) => matrix.map((row) => row[j] ?? 0));
// The larger tile does 2.25 times fewer products than the smaller, unless most of its last tile hangs over the edge.
function tileSize(outputs) {
    return 6 * Math.ceil(outputs / 4) < 4 * Math.ceil(outputs / 2) ? 4 : 2;
}
function axisOf(inputs, outputs, padding) {
    const m = tileSize(outputs);
    const matrices = WINOGRAD[m];
    const points = m + 2;
    const tiles = Math.ceil(outputs / m);
    const input = range(points).flatMap((p) => range(tiles).map((t) => {
        const row = Array(inputs).fill(0);
        for (const q of range(points)) {
            const position = t * m - padding + q;
            if (position >= 0 && position < inputs)
                row[position] = matrices.inputTransform[p]?.[q] ?? 0;
        }
        return row;
    }));
    const output = range(outputs).map((position) => {
        const row = Array(points * tiles).fill(0);
        for (const p of range(points))
            row[p * tiles + Math.floor(position / m)] = matrices.outputTransform[position % m]?.[p] ?? 0;
        return row;
    });
    return { matrices, points, tiles, input, output };
}
function geometryOf(inputShape, outputShape, window) {
    const [, h, w] = nhwc(inputShape);
    const [, oh, ow] = nhwc(outputShape);
    return { rows: axisOf(h, oh, window.padding[0]), columns: axisOf(w, ow, window.padding[1]) };
}
const constant = (onnx, matrix) => onnx.constant(matrix.flat(), [matrix.length, matrix[0]?.length ?? 0]);
/** Applies a matrix along the first and another along the second axis of x, stored as [first, second, columns]. */
function transform(onnx, first, second, x, columns) {
    const [height, width] = [first[0]?.length ?? 0, second[0]?.length ?? 0];
    const along = onnx.matMul(constant(onnx, first), onnx.reshape(x, [height, width * columns]));
    return onnx.matMul(constant(onnx, second), onnx.reshape(along, [first.length, width, columns]));
}
/** V, shaped [points, tiles, points, tiles·N, C]. */
function transformInput(x, { rows, columns }, context) {
    const [n, , , c] = nhwc(x.shape);
    const v = transform(context.onnx, rows.input, columns.input, context.tiles(x), n * c);
    return context.onnx.reshape(v, [rows.points, rows.tiles, columns.points, columns.tiles * n, c]);
}
/** U, shaped [points, 1, points, C, K]. */
function transformFilter(filter, { rows, columns }, context) {
    const [c, k] = [axisLength(filter.shape, 2), axisLength(filter.shape, 3)];
    const u = transform(context.onnx, rows.matrices.filterTransform, columns.matrices.filterTransform, context.rows(filter), c * k);
    return context.onnx.reshape(u, [rows.points, 1, columns.points, c, k]);
}
/** dM, shaped [points, tiles, points, tiles·N, K]. */
function transformGradient(dy, { rows, columns }, context) {
    const [n, , , k] = nhwc(dy.shape);
    const m = transform(context.onnx, transposed(rows.output), transposed(columns.output), context.tiles(dy), n * k);
    return context.onnx.reshape(m, [rows.points, rows.tiles, columns.points, columns.tiles * n, k]);
}
/** A 3×3 stride-1 convolution; the result is tiled. */
export function winogradConv(node, context) {
    const { onnx } = context;
    const [x, filter] = inputsOf(node);
    const geometry = geometryOf(x.shape, node.shape, node.attributes);
    const [n, , , k] = nhwc(node.shape);
    const product = onnx.matMul(transformInput(x, geometry, context), transformFilter(filter, geometry, context));
    return onnx.reshape(transform(onnx, geometry.rows.output, geometry.columns.output, product, n * k), context.storedShape(node));
}
/** Its gradient with respect to the input; the result is tiled. */
export function winogradInputGrad(node, context) {
    const { onnx } = context;
    const [dy, filter] = inputsOf(node);
    const geometry = geometryOf(node.shape, dy.shape, node.attributes);
    const [n, , , c] = nhwc(node.shape);
    const dv = onnx.matMul(transformGradient(dy, geometry, context), transformFilter(filter, geometry, context), false, true);
    return onnx.reshape(transform(onnx, transposed(geometry.rows.input), transposed(geometry.columns.input), dv, n * c), context.storedShape(node));
}
/** Its gradient with respect to the filter; the result is HWIO. */
export function winogradFilterGrad(node, context) {
    const { onnx } = context;
    const [x, dy] = inputsOf(node);
    const geometry = geometryOf(x.shape, dy.shape, node.attributes);
    const [c, k] = [axisLength(node.shape, 2), axisLength(node.shape, 3)];
    const perTileRow = onnx.matMul(transformInput(x, geometry, context), transformGradient(dy, geometry, context), true);
    const du = geometry.rows.tiles === 1 ? perTileRow : onnx.op('ReduceSum', [perTileRow, onnx.integers([1])], { keepdims: 0 });
    const { rows, columns } = geometry;
    return onnx.reshape(transform(onnx, transposed(rows.matrices.filterTransform), transposed(columns.matrices.filterTransform), du, c * k), node.shape);
}
//# sourceMappingURL=winograd.js.map