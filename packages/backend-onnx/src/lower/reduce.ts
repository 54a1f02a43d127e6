import type { NodeOf, Reduce } from '@bpc/compiler';
import type { LoweringContext } from './context.js';
import { inputOf } from './operands.js';
import { sameShape } from './shape.js';

const OPERATOR: Readonly<Record<Reduce, string>> = { Sum: 'ReduceSum', Max: 'ReduceMax', Min: 'ReduceMin', Prod: 'ReduceProd' };

/**
 * Lowers a reduction that keeps its axes.
 *
 * Neighbouring axes that are both reduced or both kept are merged first: ONNX Runtime has fast loops for at most three
 * alternating groups only.
 */
export function lowerReduce(node: NodeOf<Reduce>, context: LoweringContext): string {
  const { onnx } = context;
  const input = inputOf(node);
  const x = context.inLayout(input, context.layoutOf(node));
  const shape = context.layoutOf(node) === 'tiles' ? context.storedList(node, input.shape) : input.shape;
  const reduced = new Set(node.attributes.axes.map((axis) => context.storedAxis(node, axis)));
  const groups: { size: number; reduced: boolean }[] = [];
  for (const [axis, size] of shape.entries()) {
    if (size === 1) continue;
    const last = groups.at(-1);
    if (last !== undefined && last.reduced === reduced.has(axis)) last.size *= size;
    else groups.push({ size, reduced: reduced.has(axis) });
  }
  const target = shape.map((size, axis) => (reduced.has(axis) ? 1 : size));
  const axes = groups.flatMap((group, i) => (group.reduced ? [i] : []));
  if (axes.length === 0) return x;
  const merged = groups.map((group) => group.size);
  const grouped = sameShape(merged, shape) ? x : onnx.reshape(x, merged);
  const result = onnx.op(OPERATOR[node.op], [grouped, onnx.integers(axes)], { keepdims: 1 });
  return sameShape(merged.map((size, i) => (axes.includes(i) ? 1 : size)), target) ? result : onnx.reshape(result, target);
}

/** Lowers the index of the first maximum. */
export function lowerArgMax(node: NodeOf<'ArgMax'>, context: LoweringContext): string {
  const { onnx } = context;
  const index = onnx.op('ArgMax', [context.rows(inputOf(node))], { axis: node.attributes.axis, keepdims: 0, select_last_index: 0 });
  return onnx.op('Cast', [index], { to: 6 });
}

/** Lowers the cumulative sum along an axis. */
export function lowerCumSum(node: NodeOf<'CumSum'>, context: LoweringContext): string {
  const { onnx } = context;
  const input = inputOf(node);
  const { axis, exclusive, reverse } = node.attributes;
  // The axis is a scalar tensor, unlike other axis lists.
  const at = onnx.constant([context.storedAxis(node, axis)], [], 'int64');
  return onnx.op('CumSum', [context.inLayout(input, context.layoutOf(node)), at], { exclusive: Number(exclusive), reverse: Number(reverse) });
}
