import type { Node, NodeOf, Window } from '@bpc/compiler';
import type { LoweringContext } from './context.js';
import { genericConv, genericFilterGrad, genericInputGrad } from './generic-conv.js';
import { fewChannels, fewChannelsFilterGrad, fewChannelsInputGrad } from './im2col.js';
import { inputsOf } from './operands.js';
import { axisLength, nhwc } from './shape.js';
import { winogradConv, winogradFilterGrad, winogradInputGrad } from './winograd.js';

/** Fewest channels for which Winograd's matrix products outweigh its transforms; below, im2col has few taps to copy. */
const FEW_CHANNELS = 16;

type Method = 'winograd' | 'pointwise' | 'im2col' | 'generic';

function methodOf(window: Window, filterShape: readonly number[], forInputGrad: boolean, context: LoweringContext): Method {
  const { kernel, strides, dilations, padding } = window;
  const [inChannels, outChannels] = [axisLength(filterShape, 2), axisLength(filterShape, 3)];
  const unit = (pair: readonly number[]) => pair.every((value) => value === 1);
  if (unit(kernel) && unit(strides) && padding.every((count) => count === 0)) return 'pointwise';
  if (context.options.convolution === 'direct') return 'generic';
  if (kernel[0] === 3 && kernel[1] === 3 && unit(strides) && unit(dilations) && inChannels >= FEW_CHANNELS && outChannels >= FEW_CHANNELS) {
    return 'winograd';
  }
  return inChannels < FEW_CHANNELS && (!forInputGrad || unit(strides)) ? 'im2col' : 'generic';
}

/** [H·W·N, C] view of an activation. */
function pixels(node: Node, context: LoweringContext): string {
  const [n, h, w, c] = nhwc(node.shape);
  return context.onnx.reshape(context.tiles(node), [h * w * n, c]);
}

function filterMatrix(filter: Node, context: LoweringContext): string {
  return context.onnx.reshape(context.rows(filter), [axisLength(filter.shape, 2), axisLength(filter.shape, 3)]);
}

/** Lowers a convolution to the cheapest form that fits its geometry; the result is tiled. */
export function lowerConv(node: NodeOf<'Conv'>, context: LoweringContext): string {
  const [x, filter] = inputsOf(node);
  switch (methodOf(node.attributes, filter.shape, false, context)) {
    case 'winograd':
      return winogradConv(node, context);
    case 'im2col':
      return fewChannels(node, context);
    case 'pointwise': {
      const product = context.onnx.matMul(pixels(x, context), filterMatrix(filter, context));
      return context.onnx.reshape(product, context.storedShape(node));
    }
    case 'generic':
      return genericConv(node, context);
  }
}

/** Lowers the gradient of a convolution with respect to its input; the result is tiled. */
export function lowerConvInputGrad(node: NodeOf<'ConvInputGrad'>, context: LoweringContext): string {
  const [dy, filter] = inputsOf(node);
  switch (methodOf(node.attributes, filter.shape, true, context)) {
    case 'winograd':
      return winogradInputGrad(node, context);
    case 'im2col':
      return fewChannelsInputGrad(node, context);
    case 'pointwise': {
      const product = context.onnx.matMul(pixels(dy, context), filterMatrix(filter, context), false, true);
      return context.onnx.reshape(product, context.storedShape(node));
    }
    case 'generic':
      return genericInputGrad(node, context);
  }
}

/** Lowers the gradient of a convolution with respect to its filter; the result is HWIO. */
export function lowerConvFilterGrad(node: NodeOf<'ConvFilterGrad'>, context: LoweringContext): string {
  const [x, dy] = inputsOf(node);
  switch (methodOf(node.attributes, node.shape, false, context)) {
    case 'winograd':
      return winogradFilterGrad(node, context);
    case 'im2col':
      return fewChannelsFilterGrad(node, context);
    case 'pointwise':
      return context.onnx.reshape(context.onnx.matMul(pixels(x, context), pixels(dy, context), true), node.shape);
    case 'generic':
      return genericFilterGrad(node, context);
  }
}
