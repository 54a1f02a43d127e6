import type { Node, NodeOf } from '@bpc/compiler';
import { nhwc } from './shape.js';

/**
 * True if the gradient of an average pooling is a plain upsampling divided by the window's area: windows that neither
 * overlap nor are padded, and cover the image exactly.
 */
export function isUpsampling(node: Node): node is NodeOf<'AvgPoolGrad'> {
  if (node.op !== 'AvgPoolGrad') return false;
  const { kernel, strides, dilations, padding } = node.attributes;
  const [, h, w] = nhwc(node.shape);
  return (
    kernel[0] === strides[0] &&
    kernel[1] === strides[1] &&
    (dilations[0] === 1 || kernel[0] === 1) &&
    (dilations[1] === 1 || kernel[1] === 1) &&
    padding.every((count) => count === 0) &&
    h % kernel[0] === 0 &&
    w % kernel[1] === 0
  );
}
