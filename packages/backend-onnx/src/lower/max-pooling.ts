import type { Node, NodeOf, Window } from '@bpc/compiler';
import type { LoweringContext } from './context.js';
import { withoutNaN } from './not-a-number.js';
import { inputOf, inputsOf } from './operands.js';
import { axisLength, nhwc, range } from './shape.js';

const tapsOf = ({ kernel }: Window) => range(kernel[0]).flatMap((i) => range(kernel[1]).map((j) => [i, j] as const));

/** The value each tap sees in every window, [OH, OW, N, C], in row-major order of the taps; `fill` in the padding. */
function tapViews(x: Node, window: Window, pooled: readonly number[], fill: number, context: LoweringContext): readonly string[] {
  const { onnx } = context;
  const { kernel, strides, dilations, padding } = window;
  const [, h, w] = nhwc(x.shape);
  const outputs = [axisLength(pooled, 1), axisLength(pooled, 2)] as const;
  const extent = (axis: 0 | 1) => (outputs[axis] - 1) * strides[axis] + (kernel[axis] - 1) * dilations[axis] + 1;
  const padded = [Math.max(extent(0), h + padding[0]), Math.max(extent(1), w + padding[1])] as const;
  const image = onnx.pad(
    // What is pooled is filled with −∞; what is gathered at its maxima keeps its NaN.
    fill === -Infinity ? withoutNaN(onnx, context.tiles(x), 4) : context.tiles(x),
    [padding[0], padding[1], 0, 0],
    [padded[0] - h - padding[0], padded[1] - w - padding[1], 0, 0],
    onnx.constant([fill], []),
  );
  return tapsOf(window).map(([i, j]) => {
    const start = [i * dilations[0], j * dilations[1]] as const;
    const end = [start[0] + (outputs[0] - 1) * strides[0] + 1, start[1] + (outputs[1] - 1) * strides[1] + 1];
    return onnx.slice(image, start, end, [0, 1], strides);
  });
}

/** Per tap, 1 where it holds the first maximum of its window and 0 elsewhere. */
function firstMaximum(values: readonly string[], context: LoweringContext): readonly string[] {
  const { onnx } = context;
  const maximum = values.length === 1 ? (values[0] ?? '') : onnx.op('Max', values);
  const masks: string[] = [];
  let taken: string | undefined;
  for (const value of values) {
    const equal = onnx.op('Equal', [value, maximum]);
    const first: string = taken === undefined ? equal : onnx.op('And', [equal, onnx.op('Not', [taken])]);
    taken = taken === undefined ? equal : onnx.or(taken, equal);
    masks.push(onnx.op('Cast', [first], { to: 1 }));
  }
  return masks;
}

function total(terms: readonly string[], context: LoweringContext): string {
  return context.onnx.sum(terms);
}

/** Lowers max pooling; the result is tiled. */
export function lowerMaxPool(node: NodeOf<'MaxPool'>, context: LoweringContext): string {
  const values = tapViews(inputOf(node), node.attributes, node.shape, -Infinity, context);
  return values.length === 1 ? (values[0] ?? '') : context.onnx.op('Max', values);
}

/** Lowers v ↦ v at the first maximum of each window; the result is tiled. */
export function lowerMaxPoolGather(node: NodeOf<'MaxPoolGather'>, context: LoweringContext): string {
  const { onnx } = context;
  const [v, x] = inputsOf(node);
  const masks = firstMaximum(tapViews(x, node.attributes, node.shape, -Infinity, context), context);
  const views = tapViews(v, node.attributes, node.shape, 0, context);
  return total(
    masks.map((mask, tap) => onnx.op('Mul', [mask, views[tap] ?? ''])),
    context,
  );
}

/**
 * Lowers the gradient of max pooling: dy goes to the first maximum of each window; the result is tiled.
 *
 * Each tap's share of dy is spread out by the strides and added at the tap's offset. Windows that do not overlap only
 * interleave, so there the shares are concatenated instead.
 */
export function lowerMaxPoolGrad(node: NodeOf<'MaxPoolGrad'>, context: LoweringContext): string {
  const { onnx } = context;
  const [dy, x] = inputsOf(node);
  const { kernel, strides, dilations, padding } = node.attributes;
  const [n, h, w, c] = nhwc(node.shape);
  const [, oh, ow] = nhwc(dy.shape);
  const taps = tapViews(x, node.attributes, dy.shape, -Infinity, context);
  const shares = firstMaximum(taps, context).map((mask) => onnx.op('Mul', [mask, context.tiles(dy)]));
  const interleaves = kernel[0] === strides[0] && kernel[1] === strides[1] && dilations.every((d) => d === 1);
  if (interleaves) {
    const rows = range(kernel[0]).map((i) => {
      const row = range(kernel[1]).map((j) => onnx.reshape(shares[i * kernel[1] + j] ?? '', [oh, 1, ow, 1, n * c]));
      return onnx.concat(row, 3);
    });
    const whole = onnx.reshape(onnx.concat(rows, 1), [oh * kernel[0], ow * kernel[1], n, c]);
    return onnx.pad(whole, [-padding[0], -padding[1], 0, 0], [h + padding[0] - oh * kernel[0], w + padding[1] - ow * kernel[1], 0, 0]);
  }
  const spread = (share: string): string => {
    if (strides.every((stride) => stride === 1)) return share;
    const gaps = onnx.pad(onnx.reshape(share, [oh, 1, ow, 1, n * c]), [0, 0, 0, 0, 0], [0, strides[0] - 1, 0, strides[1] - 1, 0]);
    return onnx.reshape(gaps, [oh * strides[0], ow * strides[1], n, c]);
  };
  const placed = tapsOf(node.attributes).map(([i, j], tap) => {
    const top = i * dilations[0] - padding[0];
    const left = j * dilations[1] - padding[1];
    const after = [h - top - oh * strides[0], w - left - ow * strides[1], 0, 0];
    return onnx.pad(spread(shares[tap] ?? ''), [top, left, 0, 0], after);
  });
  return total(placed, context);
}
