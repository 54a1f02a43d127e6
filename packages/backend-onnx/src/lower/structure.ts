import type { NodeOf } from '@bpc/compiler';
import { ELEMENT_TYPE } from '../model/serialize.js';
import type { LoweringContext } from './context.js';
import { inputOf, inputsOf } from './operands.js';
import { axisLength, sameShape, sizeOf } from './shape.js';

/** End of a Slice that runs down to and including index 0. */
const BEFORE_FIRST = -(2 ** 31);

export function lowerBroadcast(node: NodeOf<'Broadcast'>, context: LoweringContext): string {
  const input = inputOf(node);
  const x = context.inLayout(input, context.layoutOf(node));
  return sameShape(input.shape, node.shape) ? x : context.onnx.op('Expand', [x, context.onnx.integers(context.storedShape(node))]);
}

export function lowerReshape(node: NodeOf<'Reshape'>, context: LoweringContext): string {
  return context.onnx.reshape(context.rows(inputOf(node)), node.shape);
}

export function lowerTranspose(node: NodeOf<'Transpose'>, context: LoweringContext): string {
  return context.permuted(inputOf(node), node.attributes.perm);
}

export function lowerSlice(node: NodeOf<'Slice'>, context: LoweringContext): string {
  const input = inputOf(node);
  const x = context.inLayout(input, context.layoutOf(node));
  const { begin, strides } = node.attributes;
  const step = (axis: number) => strides[axis] ?? 1;
  const axes = node.shape.flatMap((size, axis) => (size === input.shape[axis] && step(axis) === 1 ? [] : [axis]));
  if (axes.length === 0) return x;
  const starts = axes.map((axis) => axisLength(begin, axis));
  const ends = axes.map((axis, i) => (starts[i] ?? 0) + (axisLength(node.shape, axis) - 1) * step(axis) + 1);
  return context.onnx.slice(
    x,
    starts,
    ends,
    axes.map((axis) => context.storedAxis(node, axis)),
    axes.map(step),
  );
}

export function lowerPad(node: NodeOf<'Pad'>, context: LoweringContext): string {
  const { onnx } = context;
  const { paddings, value } = node.attributes;
  const stored = context.storedList(node, paddings);
  const x = context.inLayout(inputOf(node), context.layoutOf(node));
  const fill = value === 0 ? undefined : onnx.constant([value], [], node.dtype);
  return onnx.pad(
    x,
    stored.map(([before]) => before),
    stored.map(([, after]) => after),
    fill,
  );
}

export function lowerConcat(node: NodeOf<'Concat'>, context: LoweringContext): string {
  const layout = context.layoutOf(node);
  return context.onnx.concat(
    node.inputs.map((input) => context.inLayout(input, layout)),
    context.storedAxis(node, node.attributes.axis),
  );
}

export function lowerReverse(node: NodeOf<'Reverse'>, context: LoweringContext): string {
  const axes = node.attributes.axes.map((axis) => context.storedAxis(node, axis));
  const all = (value: number) => axes.map(() => value);
  const x = context.inLayout(inputOf(node), context.layoutOf(node));
  return axes.length === 0 ? x : context.onnx.slice(x, all(-1), all(BEFORE_FIRST), axes, all(-1));
}

export function lowerGather(node: NodeOf<'Gather'>, context: LoweringContext): string {
  const [x, index] = inputsOf(node);
  return context.onnx.op('Gather', [context.rows(x), context.rows(index)], { axis: 0 });
}

// ScatterElements adds one element after the other; ScatterND adds in parallel, which loses repeated indices. Rows whose
// index is outside go to a row of their own, which is cut off: ONNX Runtime counts negative ones from the end.
export function lowerScatterAdd(node: NodeOf<'ScatterAdd'>, context: LoweringContext): string {
  const { onnx } = context;
  const [rows, index] = inputsOf(node);
  const width = sizeOf(node.shape.slice(1));
  const count = sizeOf(index.shape);
  const length = axisLength(node.shape, 0);
  const zeros = onnx.op('Expand', [onnx.constant([0], [1, 1], node.dtype), onnx.integers([length + 1, width])]);
  const given = onnx.op('Cast', [onnx.reshape(context.rows(index), [count, 1])], { to: ELEMENT_TYPE.int64 });
  const last = onnx.scalar(length, 2, 'int64');
  const negative = onnx.op('Less', [given, onnx.scalar(0, 2, 'int64')]);
  const column = onnx.op('Where', [negative, last, onnx.op('Min', [given, last])]);
  const indices = onnx.op('Expand', [column, onnx.integers([count, width])]);
  const updates = onnx.reshape(context.rows(rows), [count, width]);
  const sums = onnx.op('ScatterElements', [zeros, indices, updates], { axis: 0, reduction: 'add' });
  return onnx.reshape(onnx.slice(sums, [0], [length], [0]), node.shape);
}

export function lowerMatMul(node: NodeOf<'MatMul'>, context: LoweringContext): string {
  const { onnx } = context;
  const [a, b] = inputsOf(node);
  const { transposeA, transposeB } = node.attributes;
  if (node.dtype === 'float32') return onnx.matMul(context.rows(a), context.rows(b), transposeA, transposeB);
  const flip = (rank: number, flipped: boolean) =>
    Array.from({ length: rank }, (_, i) => (flipped && i >= rank - 2 ? 2 * rank - 3 - i : i));
  return onnx.matMul(context.permuted(a, flip(a.shape.length, transposeA)), context.permuted(b, flip(b.shape.length, transposeB)));
}
