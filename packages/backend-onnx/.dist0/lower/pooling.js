import { inputOf } from './operands.js';
import { nhwc, range } from './shape.js';
import { isUpsampling, lowerUpsampling } from './upsample.js';
/**
 * [outputs, inputs] mean over the valid elements of each window along one axis. The mean over a window is the product of
 * the means along its axes, because the number of valid elements is.
 */
function poolMatrix(inputs, outputs, axis, { kernel, strides, dilations, padding }) {
    return range(outputs).map((output) => {
        const positions = range(kernel[axis])
            .map((tap) => output * strides[axis] - padding[axis] + tap * dilations[axis])
            .filter((position) => position >= 0 && position < inputs);
        const row = Array(inputs).fill(0);
        for (const position of positions)
            row[position] = 1 / positions.length;
        return row;
    });
}
/** Matrices along height and width of the pooling of an image of `shape` to `pooled`. */
function poolMatrices(shape, pooled, window, context, transpose) {
    const [, h, w] = nhwc(shape);
    const [, oh, ow] = nhwc(pooled);
    const named = (matrix, rows, columns) => transpose
        ? context.onnx.constant(range(columns).flatMap((j) => matrix.map((row) => row[j] ?? 0)), [columns, rows])
        : context.onnx.constant(matrix.flat(), [rows, columns]);
    return [named(poolMatrix(h, oh, 0, window), oh, h), named(poolMatrix(w, ow, 1, window), ow, w)];
}
function applyBoth(x, result, matrices, context) {
    const { onnx } = context;
    const [n, h, w, c] = nhwc(x.shape);
    const [, oh] = nhwc(result.shape);
    const along = onnx.matMul(matrices[0], onnx.reshape(context.tiles(x), [h, w * n * c]));
    return onnx.reshape(onnx.matMul(matrices[1], onnx.reshape(along, [oh, w, n * c])), context.storedShape(result));
}
/** Lowers average pooling, any window, to two products with banded matrices; the result is tiled. */
export function lowerAvgPool(node, context) {
    const { onnx } = context;
    const x = inputOf(node);
    const [n, h, w, c] = nhwc(x.shape);
    const [, oh, ow] = nhwc(node.shape);
    const { kernel, strides, dilations, padding } = node.attributes;
    const [kh, kw] = kernel;
    const exact = kh === strides[0] && kw === strides[1] && dilations.every((d) => d === 1) && padding.every((p) => p === 0) && oh * kh === h && ow * kw === w;
    if (!exact)
        return applyBoth(x, node, poolMatrices(x.shape, node.shape, node.attributes, context, false), context);
    const mean = (count) => onnx.constant(Array(count).fill(1 / count), [1, count]);
    const along = onnx.matMul(mean(kh), onnx.reshape(context.tiles(x), [oh, kh, w * n * c]));
    return onnx.reshape(onnx.matMul(mean(kw), onnx.reshape(along, [oh * ow, kw, n * c])), context.storedShape(node));
}
/** Lowers the gradient of average pooling; the result is tiled. */
export function lowerAvgPoolGrad(node, context) {
    const whole = node;
    if (isUpsampling(whole))
        return lowerUpsampling(whole, context);
    const dy = inputOf(node);
    return applyBoth(dy, node, poolMatrices(node.shape, dy.shape, node.attributes, context, true), context);
}
//# sourceMappingURL=pooling.js.map