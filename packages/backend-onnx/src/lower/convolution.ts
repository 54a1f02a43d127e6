import type { Node, NodeOf } from '@bpc/compiler';
import type { LoweringContext } from './context.js';
import { planConvolution } from './conv-plan.js';
import { genericConv, genericFilterGrad, genericInputGrad } from './generic-conv.js';
import { fewChannels, fewChannelsFilterGrad, fewChannelsInputGrad } from './im2col.js';
import { inputsOf } from './operands.js';
import { patchConv, patchFilterGrad, patchInputGrad } from './patches.js';
import { axisLength, nhwc, tiledShape } from './shape.js';
import { winogradConv, winogradFilterGrad, winogradInputGrad } from './winograd.js';

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
  const plan = planConvolution({ window: node.attributes, x: x.shape, filter: filter.shape, y: node.shape }, context.options);
  switch (plan.method) {
    case 'winograd':
      return winogradConv(node, plan.tile, context);
    case 'patches':
      return patchConv(node, context);
    case 'few-channels':
      return fewChannels(node, context);
    case 'pointwise': {
      const product = context.onnx.matMul(pixels(x, context), filterMatrix(filter, context));
      return context.onnx.reshape(product, context.storedShape(node));
    }
    case 'onnx':
      return genericConv(node, context);
  }
}

/** Lowers the gradient of a convolution with respect to its input, in the layout of the node. */
export function lowerConvInputGrad(node: NodeOf<'ConvInputGrad'>, context: LoweringContext): string {
  const [dy, filter] = inputsOf(node);
  const plan = planConvolution({ window: node.attributes, x: node.shape, filter: filter.shape, y: dy.shape }, context.options);
  const tiles = (): string => {
    switch (plan.method) {
      case 'patches':
        return patchInputGrad(node, context);
      case 'few-channels':
        return fewChannelsInputGrad(node, context);
      case 'pointwise': {
        const product = context.onnx.matMul(pixels(dy, context), filterMatrix(filter, context), false, true);
        return context.onnx.reshape(product, tiledShape(node.shape));
      }
      default:
        return genericInputGrad(node, context);
    }
  };
  return plan.method === 'winograd' ? winogradInputGrad(node, plan.tile, context) : context.fromTiles(tiles(), node);
}

/** Lowers the gradient of a convolution with respect to its filter; the result is HWIO. */
export function lowerConvFilterGrad(node: NodeOf<'ConvFilterGrad'>, context: LoweringContext): string {
  const [x, dy] = inputsOf(node);
  const plan = planConvolution({ window: node.attributes, x: x.shape, filter: node.shape, y: dy.shape }, context.options);
  switch (plan.method) {
    case 'winograd':
      return winogradFilterGrad(node, plan.tile, context);
    case 'patches':
      return patchFilterGrad(node, context);
    case 'few-channels':
      return fewChannelsFilterGrad(node, context);
    case 'pointwise':
      return context.onnx.reshape(context.onnx.matMul(pixels(x, context), pixels(dy, context), true), node.shape);
    case 'onnx':
      return genericFilterGrad(node, context);
  }
}
