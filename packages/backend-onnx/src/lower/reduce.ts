import type { Binary, NodeOf, Reduce } from '@bpc/compiler';
import type { OnnxGraph } from '../model/onnx-graph.js';
import type { LoweringContext } from './context.js';
import { withNaN, withoutNaN } from './not-a-number.js';
import { inputOf, inputsOf } from './operands.js';
import { axisLength, range, sameShape, sizeOf } from './shape.js';

const OPERATOR: Readonly<Record<Reduce, string>> = { Sum: 'ReduceSum', Max: 'ReduceMax', Min: 'ReduceMin', Prod: 'ReduceProd' };

/** Fewest columns that make a product of their own worth while, where it is one of many. */
const LONG_RUN = 512;

// Products with a row of ones, which take half the time of ReduceSum. One axis after the other: short sums of short sums
// round less than one long sum, and every axis after the first is small.
function sumByProducts(onnx: OnnxGraph, x: string, shape: readonly number[], axes: readonly number[], factor = 1): string {
  const lengths = [...shape];
  let sum = x;
  for (const axis of axes) {
    const length = axisLength(shape, axis);
    const before = sizeOf(lengths.slice(0, axis));
    const after = sizeOf(lengths.slice(axis + 1));
    const row = onnx.constant(Array<number>(length).fill(axis === axes.at(-1) ? factor : 1), [1, length]);
    sum = onnx.matMul(row, onnx.reshape(sum, before === 1 ? [length, after] : [before, length, after]));
    lengths[axis] = 1;
  }
  return onnx.reshape(sum, lengths);
}

/** Whether every axis has enough columns behind it: any number for the leading ones, long runs for those in the middle. */
function suitsProducts(shape: readonly number[], axes: readonly number[]): boolean {
  return axes.every((axis) => {
    const rest = (from: number, to?: number) => sizeOf(shape.slice(from, to).map((length, i) => (axes.includes(from + i) ? 1 : length)));
    const after = sizeOf(shape.slice(axis + 1));
    return rest(0, axis) === 1 ? rest(axis + 1) > 1 : after >= LONG_RUN;
  });
}

/** What a reduction reduces, as it is stored: axes of length 1 left out. */
function storedReduction(node: NodeOf<Reduce>, context: LoweringContext) {
  const input = inputOf(node);
  const layout = context.layoutOf(node);
  const shape = layout === 'tiles' ? context.storedList(node, input.shape) : input.shape;
  const reduced = new Set(node.attributes.axes.map((axis) => context.storedAxis(node, axis)));
  const axes = [...shape.keys()].filter((axis) => reduced.has(axis) && shape[axis] !== 1);
  return { x: context.inLayout(input, layout), shape, axes };
}

/** Lowers a reduction that keeps its axes. */
export function lowerReduce(node: NodeOf<Reduce>, context: LoweringContext): string {
  const { onnx } = context;
  const { x, shape, axes } = storedReduction(node, context);
  if (axes.length === 0) return x;
  if (node.op === 'Sum' && node.dtype === 'float32' && suitsProducts(shape, axes)) return sumByProducts(onnx, x, shape, axes);
  if (node.dtype !== 'float32' || node.op === 'Sum' || node.op === 'Prod') return reduceByRuns(onnx, OPERATOR[node.op], x, axes);
  if (axes.every((axis) => axisLength(shape, axis) <= FEW_ELEMENTS)) return extremeOfSlices(onnx, ELEMENT_WISE[node.op], x, shape, axes);
  return withNaN(onnx, reduceByRuns(onnx, OPERATOR[node.op], x, axes), x, axes, shape.length);
}

// ONNX Runtime is 4 times slower over axes that do not lie side by side than over one run of them after the other.
function reduceByRuns(onnx: OnnxGraph, op: string, x: string, axes: readonly number[]): string {
  const runs: number[][] = [];
  for (const axis of axes) {
    const run = runs.at(-1);
    if (run?.at(-1) === axis - 1) run.push(axis);
    else runs.push([axis]);
  }
  return runs.reduceRight((value, run) => onnx.op(op, [value, onnx.integers(run)], { keepdims: 1 }), x);
}

const ELEMENT_WISE = { Max: 'Max', Min: 'Min' } as const;

/** Longest axis along which an extreme is taken slice by slice, as in pooling. */
const FEW_ELEMENTS = 4;

// Element-wise maxima keep NaN, which reductions leave out and would have to be looked for.
function extremeOfSlices(onnx: OnnxGraph, op: 'Max' | 'Min', x: string, shape: readonly number[], axes: readonly number[]): string {
  return axes.reduce(
    (value, axis) =>
      onnx.op(
        op,
        range(axisLength(shape, axis)).map((i) => onnx.slice(value, [i], [i + 1], [axis])),
      ),
    x,
  );
}

/**
 * A sum times a number, as in a mean, in the products that sum; undefined if `node` is not of that form. Where the sum itself
 * is needed too, all but the last and smallest product are shared.
 */
export function lowerScaledSum(node: NodeOf<Binary>, context: LoweringContext): string | undefined {
  const [a, b] = inputsOf(node);
  const [reduced, factor] = b.op === 'Const' ? [a, b] : [b, a];
  // A sum that drops its axes is a reshape of one that keeps them.
  const sum = reduced.op === 'Reshape' ? inputOf(reduced) : reduced;
  if (sum.op !== 'Sum' || factor.op !== 'Const' || sizeOf(factor.shape) !== 1 || node.dtype !== 'float32') return undefined;
  if (!sameShape(reduced.shape, node.shape) || context.layoutOf(sum) !== context.layoutOf(node)) return undefined;
  const { x, shape, axes } = storedReduction(sum, context);
  if (axes.length < 2 || !suitsProducts(shape, axes)) return undefined;
  return context.onnx.reshape(sumByProducts(context.onnx, x, shape, axes, factor.attributes.values[0]), context.storedShape(node));
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
