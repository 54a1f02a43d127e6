import type { Node, NodeOf, Window } from '@bpc/compiler';
import type { LoweringContext } from './context.js';
import { inputsOf } from './operands.js';
import { axisLength, nhwc, sizeOf } from './shape.js';

const NCHW = [0, 3, 1, 2] as const;
/** [N, C, H, W] → [H, W, N, C]. */
const TO_TILES = [2, 3, 0, 1] as const;
/** ONNX's names for a window. */
type ConvAttributes = {
  readonly kernel_shape: Window['kernel'];
  readonly strides: Window['strides'];
  readonly dilations: Window['dilations'];
  readonly pads: Window['padding'];
};

/** HWIO → OIHW. */
const OIHW = [3, 2, 0, 1] as const;

/** Whether WebGPU's kernel takes the channels by three and goes wrong: it is right for three themselves only. */
const takenByThree = (channels: number, outputs: number) => channels > 3 && channels % 3 === 0 && channels % 4 !== 0 && outputs % 4 === 0;

/**
 * ONNX `Conv`, of images [N, C, H, W] with filters [K, C, h, w].
 *
 * ONNX Runtime 1.30's WebGPU kernel is wrong in two cases, which are written differently for it. It takes 1×1 filters for
 * plain products and forgets the padding; a second row and column of zeros is the same filter. (Padding apart would not do:
 * ONNX Runtime moves it back into the convolution.) And it mixes up channels that it takes by three; more channels of zeros
 * change nothing.
 */
function convolve(
  context: LoweringContext,
  x: string,
  filter: string,
  attributes: ConvAttributes,
  channels: number,
  outputs: number,
): string {
  const { onnx } = context;
  if (!context.options.webgpuConv) return onnx.op('Conv', [x, filter], attributes);
  const { kernel_shape: kernel, pads } = attributes;
  const [top, left, bottom, right] = pads;
  const missing = takenByThree(channels, outputs) ? 4 - (channels % 4) : 0;
  const images = onnx.pad(x, [0, 0, 0, 0], [0, missing, 0, 0]);
  const filters = onnx.pad(filter, [0, 0, 0, 0], [0, missing, 0, 0]);
  if (kernel.some((length) => length !== 1) || pads.every((count) => count === 0)) return onnx.op('Conv', [images, filters], attributes);
  const zeros = (shape: readonly number[]) => onnx.constant(Array<number>(sizeOf(shape)).fill(0), shape);
  const row = onnx.concat([filters, zeros([outputs, channels + missing, 1, 1])], 2);
  const square = onnx.concat([row, zeros([outputs, channels + missing, 2, 1])], 3);
  return onnx.op('Conv', [images, square], { ...attributes, kernel_shape: [2, 2], pads: [top, left, bottom + 1, right + 1] });
}

const nchw = (node: Node, context: LoweringContext) => context.permuted(node, NCHW);

/** Any convolution, by ONNX `Conv`; the result is tiled. */
export function genericConv(node: NodeOf<'Conv'>, context: LoweringContext): string {
  const [x, filter] = inputsOf(node);
  const { kernel, strides, dilations, padding } = node.attributes;
  const attributes = { kernel_shape: kernel, strides, dilations, pads: padding };
  const y = convolve(
    context,
    nchw(x, context),
    context.permuted(filter, OIHW),
    attributes,
    axisLength(filter.shape, 2),
    axisLength(filter.shape, 3),
  );
  return context.onnx.transpose(y, TO_TILES);
}

/** Gradient of any convolution with respect to its input, by ONNX `ConvTranspose`; the result is tiled. */
export function genericInputGrad(node: NodeOf<'ConvInputGrad'>, context: LoweringContext): string {
  const [dy, filter] = inputsOf(node);
  const { kernel, strides, dilations, padding } = node.attributes;
  const [, h, w] = nhwc(node.shape);
  const [, oh, ow] = nhwc(dy.shape);
  const [top, left, bottom, right] = padding;
  // Rows and columns past the last window: their gradient is zero.
  const rest = (size: number, outputs: number, axis: 0 | 1, pads: number) =>
    size + pads - (strides[axis] * (outputs - 1) + dilations[axis] * (kernel[axis] - 1) + 1);
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
export function genericFilterGrad(node: NodeOf<'ConvFilterGrad'>, context: LoweringContext): string {
  const { onnx } = context;
  const [x, dy] = inputsOf(node);
  const { kernel, strides, dilations, padding } = node.attributes;
  const [, oh, ow] = nhwc(dy.shape);
  const [top, left, bottom, right] = padding;
  const [, h, w] = nhwc(x.shape);
  const attributes = { kernel_shape: [oh, ow] as const, strides: dilations, dilations: strides, pads: padding };
  const gradient = convolve(
    context,
    context.permuted(x, [3, 0, 1, 2]),
    context.permuted(dy, [3, 0, 1, 2]),
    attributes,
    axisLength(x.shape, 0),
    axisLength(dy.shape, 3),
  );
  // Positions past the filter appear where the last window ends before the image does.
  const found = (size: number, outputs: number, axis: 0 | 1, pads: number) =>
    Math.floor((size + pads - strides[axis] * (outputs - 1) - 1) / dilations[axis]) + 1;
  const excess = found(h, oh, 0, top + bottom) > kernel[0] || found(w, ow, 1, left + right) > kernel[1];
  const cropped = excess ? onnx.slice(gradient, [0, 0], [axisLength(kernel, 0), axisLength(kernel, 1)], [2, 3]) : gradient;
  return onnx.transpose(cropped, TO_TILES);
}
