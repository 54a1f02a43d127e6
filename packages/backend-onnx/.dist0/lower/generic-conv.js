import { inputsOf } from './operands.js';
import { axisLength, nhwc } from './shape.js';
const NCHW = [0, 3, 1, 2];
/** [N, C, H, W] → [H, W, N, C]. */
const TO_TILES = [2, 3, 0, 1];
/** HWIO → OIHW. */
const OIHW = [3, 2, 0, 1];
const nchw = (node, context) => context.permuted(node, NCHW);
/** Any convolution, by ONNX `Conv`; the result is tiled. */
export function genericConv(node, context) {
    const [x, filter] = inputsOf(node);
    const { kernel, strides, dilations, padding } = node.attributes;
    const attributes = { kernel_shape: kernel, strides, dilations, pads: padding };
    const y = context.onnx.op('Conv', [nchw(x, context), context.permuted(filter, OIHW)], attributes);
    return context.onnx.transpose(y, TO_TILES);
}
/** Gradient of any convolution with respect to its input, by ONNX `ConvTranspose`; the result is tiled. */
export function genericInputGrad(node, context) {
    const [dy, filter] = inputsOf(node);
    const { kernel, strides, dilations, padding } = node.attributes;
    const [, h, w] = nhwc(node.shape);
    const [, oh, ow] = nhwc(dy.shape);
    const [top, left, bottom, right] = padding;
    // Rows and columns past the last window: their gradient is zero.
    const rest = (size, outputs, axis, pads) => size + pads - (strides[axis] * (outputs - 1) + dilations[axis] * (kernel[axis] - 1) + 1);
    const attributes = {
        kernel_shape: kernel,
        strides,
        dilations,
        pads: padding,
        output_padding: [rest(h, oh, 0, top + bottom), rest(w, ow, 1, left + right)],
    };
    const dx = context.onnx.op('ConvTranspose', [nchw(dy, context), context.permuted(filter, OIHW)], attributes);
    return context.onnx.transpose(dx, TO_TILES);
}
/**
 * Gradient of any convolution with respect to its filter; the result is HWIO.
 *
 * A convolution of x with dy as filter, the batch taking the part of the channels; strides and dilations change roles.
 */
export function genericFilterGrad(node, context) {
    const { onnx } = context;
    const [x, dy] = inputsOf(node);
    const { kernel, strides, dilations, padding } = node.attributes;
    const [, oh, ow] = nhwc(dy.shape);
    const [top, left, bottom, right] = padding;
    const [, h, w] = nhwc(x.shape);
    const attributes = { kernel_shape: [oh, ow], strides: dilations, dilations: strides, pads: padding };
    const gradient = onnx.op('Conv', [context.permuted(x, [3, 0, 1, 2]), context.permuted(dy, [3, 0, 1, 2])], attributes);
    // Positions past the filter appear where the last window ends before the image does.
    const found = (size, outputs, axis, pads) => Math.floor((size + pads - strides[axis] * (outputs - 1) - 1) / dilations[axis]) + 1;
    const excess = found(h, oh, 0, top + bottom) > kernel[0] || found(w, ow, 1, left + right) > kernel[1];
    const cropped = excess ? onnx.slice(gradient, [0, 0], [axisLength(kernel, 0), axisLength(kernel, 1)], [2, 3]) : gradient;
    return onnx.transpose(cropped, TO_TILES);
}
//# sourceMappingURL=generic-conv.js.map