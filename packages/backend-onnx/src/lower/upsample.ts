import type { Node, NodeOf } from '@bpc/compiler';
import type { LoweringContext } from './context.js';
import type { Layout } from './layout.js';
import { inputOf } from './operands.js';
import { nhwc, sameShape } from './shape.js';
import { isUpsampling } from './upsampling.js';

/** dy / area with unit axes where it is repeated: broadcasting it against `windowed` upsamples. */
function compact(node: NodeOf<'AvgPoolGrad'>, layout: Layout, context: LoweringContext): string {
  const { onnx } = context;
  const dy = inputOf(node);
  const [n, oh, ow, c] = nhwc(dy.shape);
  const [kh, kw] = node.attributes.kernel;
  const shape = layout === 'tiles' ? [oh, 1, ow, 1, n * c] : [n * oh, 1, ow, 1, c];
  return onnx.op('Mul', [onnx.reshape(context.inLayout(dy, layout), shape), onnx.scalar(1 / (kh * kw), 5)]);
}

const windowed = (node: NodeOf<'AvgPoolGrad'>, layout: Layout): number[] => {
  const [n, h, w, c] = nhwc(node.shape);
  const [kh, kw] = node.attributes.kernel;
  return layout === 'tiles' ? [h / kh, kh, w / kw, kw, n * c] : [(n * h) / kh, kh, w / kw, kw, c];
};

/** Writes an upsampling out; the result is tiled. */
export function lowerUpsampling(node: NodeOf<'AvgPoolGrad'>, context: LoweringContext): string {
  const { onnx } = context;
  const whole = onnx.op('Expand', [compact(node, 'tiles', context), onnx.integers(windowed(node, 'tiles'))]);
  return onnx.reshape(whole, context.storedShape(node));
}

/**
 * `op(full, upsampling)` as one broadcasting operation, so that the upsampled gradient is never written out.
 * Undefined if `node` is not of that form.
 */
export function broadcastUpsampled(op: string, node: Node, context: LoweringContext): string | undefined {
  if (node.inputs.length !== 2) return undefined;
  const upsampling = node.inputs.find(isUpsampling);
  const other = node.inputs.find((input) => input !== upsampling);
  if (upsampling === undefined || other === undefined || !sameShape(other.shape, node.shape)) return undefined;
  const { onnx } = context;
  const layout = context.layoutOf(node);
  const names = node.inputs.map((input) =>
    input === upsampling
      ? compact(upsampling, layout, context)
      : onnx.reshape(context.inLayout(input, layout), windowed(upsampling, layout)),
  );
  return onnx.reshape(onnx.op(op, names), context.storedShape(node));
}
