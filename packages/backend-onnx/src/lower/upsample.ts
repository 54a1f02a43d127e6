import type { Node, NodeOf } from '@bpc/compiler';
import type { LoweringContext } from './context.js';
import { inputOf } from './operands.js';
import { nhwc, sameShape } from './shape.js';

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

/** dy / area as [OH, 1, OW, 1, N·C]: broadcasting it against [OH, k, OW, k, N·C] upsamples. */
function compact(node: NodeOf<'AvgPoolGrad'>, context: LoweringContext): string {
  const { onnx } = context;
  const dy = inputOf(node);
  const [n, oh, ow, c] = nhwc(dy.shape);
  const [kh, kw] = node.attributes.kernel;
  return onnx.op('Mul', [onnx.reshape(context.tiles(dy), [oh, 1, ow, 1, n * c]), onnx.scalar(1 / (kh * kw), 5)]);
}

const windowed = (node: NodeOf<'AvgPoolGrad'>): number[] => {
  const [n, h, w, c] = nhwc(node.shape);
  const [kh, kw] = node.attributes.kernel;
  return [h / kh, kh, w / kw, kw, n * c];
};

const tiledShape = (node: Node): number[] => {
  const [n, h, w, c] = nhwc(node.shape);
  return [h, w, n, c];
};

/** Writes an upsampling out. */
export function lowerUpsampling(node: NodeOf<'AvgPoolGrad'>, context: LoweringContext): string {
  const { onnx } = context;
  return onnx.reshape(onnx.op('Expand', [compact(node, context), onnx.integers(windowed(node))]), tiledShape(node));
}

/**
 * `op(full, upsampling)` as one broadcasting operation, so that the upsampled gradient is never written out.
 * Undefined if `node` is not of that form.
 */
export function broadcastUpsampled(op: string, node: Node, context: LoweringContext): string | undefined {
  if (node.inputs.length !== 2 || context.layoutOf(node) !== 'tiles') return undefined;
  const upsampling = node.inputs.find(isUpsampling);
  const other = node.inputs.find((input) => input !== upsampling);
  if (upsampling === undefined || other === undefined || !sameShape(other.shape, node.shape)) return undefined;
  const { onnx } = context;
  const names = node.inputs.map((input) =>
    input === upsampling ? compact(upsampling, context) : onnx.reshape(context.tiles(input), windowed(upsampling)),
  );
  return onnx.reshape(onnx.op(op, names), tiledShape(node));
}
