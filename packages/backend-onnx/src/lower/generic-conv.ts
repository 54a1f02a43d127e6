import type { Node, NodeOf, Window } from '@bpc/compiler';
import type { OnnxGraph } from '../model/onnx-graph.js';
import type { LoweringContext } from './context.js';
import { inputsOf } from './operands.js';
import { axisLength, nhwc } from './shape.js';

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

// ONNX Runtime's WebGPU kernel takes 1×1 filters for plain products and forgets the padding, so it is written out.
function convolve(onnx: OnnxGraph, x: string, filter: string, attributes: ConvAttributes): string {
  const { kernel_shape: kernel, pads } = attributes;
  if (kernel.some((length) => length !== 1) || pads.every((count) => count === 0)) return onnx.op('Conv', [x, filter], attributes);
  const [top, left, bottom, right] = pads;
  const padded = onnx.pad(x, [0, 0, top, left], [0, 0, bottom, right]);
  return onnx.op('Conv', [padded, filter], { ...attributes, pads: [0, 0, 0, 0] });
}

const nchw = (node: Node, context: LoweringContext) => context.permuted(node, NCHW);

/** Any convolution, by ONNX `Conv`; the result is tiled. */
export function genericConv(node: NodeOf<'Conv'>, context: LoweringContext): string {
  const [x, filter] = inputsOf(node);
  const { kernel, strides, dilations, padding } = node.attributes;
  const attributes = { kernel_shape: kernel, strides, dilations, pads: padding };
  const y = convolve(context.onnx, nchw(x, context), context.permuted(filter, OIHW), attributes);
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
  const gradient = convolve(onnx, context.permuted(x, [3, 0, 1, 2]), context.permuted(dy, [3, 0, 1, 2]), attributes);
  // Positions past the filter appear where the last window ends before the image does.
  const found = (size: number, outputs: number, axis: 0 | 1, pads: number) =>
    Math.floor((size + pads - strides[axis] * (outputs - 1) - 1) / dilations[axis]) + 1;
  const excess = found(h, oh, 0, top + bottom) > kernel[0] || found(w, ow, 1, left + right) > kernel[1];
  const cropped = excess ? onnx.slice(gradient, [0, 0], [axisLength(kernel, 0), axisLength(kernel, 1)], [2, 3]) : gradient;
  return onnx.transpose(cropped, TO_TILES);
}
