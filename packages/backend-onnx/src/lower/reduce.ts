import type { NodeOf, Reduce } from '@bpc/compiler';
import type { OnnxGraph } from '../model/onnx-graph.js';
import type { LoweringContext } from './context.js';
import { withNaN, withoutNaN } from './not-a-number.js';
import { inputOf } from './operands.js';
import { axisLength, sizeOf } from './shape.js';

const OPERATOR: Readonly<Record<Reduce, string>> = { Sum: 'ReduceSum', Max: 'ReduceMax', Min: 'ReduceMin', Prod: 'ReduceProd' };

// Products with a row of ones, which take half the time of ReduceSum. One axis after the other: short sums of short sums
// round less than one long sum, and every axis after the first is small.
function sumLeading(onnx: OnnxGraph, x: string, lengths: readonly number[], columns: number): string {
  let sum = x;
  let rest = sizeOf(lengths) * columns;
  for (const length of lengths) {
    rest /= length;
    const ones = onnx.constant(Array<number>(length).fill(1), [1, length]);
    sum = onnx.matMul(ones, onnx.reshape(sum, [length, rest]));
  }
  return sum;
}

/** Lowers a reduction that keeps its axes. */
export function lowerReduce(node: NodeOf<Reduce>, context: LoweringContext): string {
  const { onnx } = context;
  const input = inputOf(node);
  const tiled = context.layoutOf(node) === 'tiles';
  const x = context.inLayout(input, context.layoutOf(node));
  const shape = tiled ? context.storedList(node, input.shape) : input.shape;
  const reduced = new Set(node.attributes.axes.map((axis) => context.storedAxis(node, axis)));
  const axes = [...shape.keys()].filter((axis) => reduced.has(axis) && shape[axis] !== 1);
  if (axes.length === 0) return x;
  const target = shape.map((length, axis) => (reduced.has(axis) ? 1 : length));
  const last = axes.at(-1) ?? 0;
  const leading = shape.every((length, axis) => length === 1 || reduced.has(axis) === axis <= last);
  const columns = sizeOf(target);
  if (node.op === 'Sum' && node.dtype === 'float32' && leading && columns > 1) {
    return onnx.reshape(
      sumLeading(
        onnx,
        x,
        axes.map((axis) => axisLength(shape, axis)),
        columns,
      ),
      target,
    );
  }
  const reducedValue = onnx.op(OPERATOR[node.op], [x, onnx.integers(axes)], { keepdims: 1 });
  const extreme = (node.op === 'Max' || node.op === 'Min') && input.dtype === 'float32';
  return extreme ? withNaN(onnx, reducedValue, x, axes, shape.length) : reducedValue;
}

/** Lowers the index of the first maximum. */
export function lowerArgMax(node: NodeOf<'ArgMax'>, context: LoweringContext): string {
  const { onnx } = context;
  const input = inputOf(node);
  const x = context.rows(input);
  const sought = input.dtype === 'float32' ? withoutNaN(onnx, x, input.shape.length) : x;
  const index = onnx.op('ArgMax', [sought], { axis: node.attributes.axis, keepdims: 0, select_last_index: 0 });
  return onnx.op('Cast', [index], { to: 6 });
}

/** Lowers the positions of the largest elements of the last axis. */
export function lowerTopK(node: NodeOf<'TopK'>, context: LoweringContext): string {
  const { onnx } = context;
  const [, indices = ''] = onnx.operation('TopK', [context.rows(inputOf(node)), onnx.integers([node.attributes.k])], 2, {
    axis: -1,
    largest: 1,
    sorted: 1,
  });
  return onnx.op('Cast', [indices], { to: 6 });
}

/** Lowers the cumulative sum along an axis. */
export function lowerCumSum(node: NodeOf<'CumSum'>, context: LoweringContext): string {
  const { onnx } = context;
  const input = inputOf(node);
  const { axis, exclusive, reverse } = node.attributes;
  // The axis is a scalar tensor, unlike other axis lists.
  const at = onnx.constant([context.storedAxis(node, axis)], [], 'int64');
  return onnx.op('CumSum', [context.inLayout(input, context.layoutOf(node)), at], {
    exclusive: Number(exclusive),
    reverse: Number(reverse),
  });
}
