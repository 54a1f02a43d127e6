import {
  argMax,
  type Builder,
  binary,
  cast,
  compare,
  constant,
  cumSum,
  type DType,
  gather,
  matMul,
  mean,
  type Node,
  type Reduce,
  reduce,
  reshape,
  scalar,
  scatterAdd,
  select,
  unary,
} from '../../ir/index.js';
import { item, sizeOf, stridesOf } from '../../ir/shape.js';
import { kernel, type TraceKernel } from './kernel.js';

type ReduceAttributes = { axis?: number | number[] | null; reductionIndices?: number | number[] | null; keepDims?: boolean };

function axesOf(x: Node, attributes: ReduceAttributes): number[] {
  const axes = attributes.axis ?? attributes.reductionIndices;
  return axes == null ? x.shape.map((_, i) => i) : typeof axes === 'number' ? [axes] : axes;
}

const numeric = (g: Builder, x: Node): Node => (x.dtype === 'bool' ? cast(g, x, 'int32') : x);

const reduction = (name: string, op: Reduce): TraceKernel =>
  kernel<'x', ReduceAttributes>(name, (g, { x }, attributes) =>
    reduce(g, op, numeric(g, x), axesOf(x, attributes), attributes.keepDims ?? false),
  );

/** All and Any are the minimum and maximum of 0 and 1. */
const logicalReduction = (name: string, op: Reduce): TraceKernel =>
  kernel<'x', ReduceAttributes>(name, (g, { x }, attributes) =>
    cast(g, reduce(g, op, numeric(g, x), axesOf(x, attributes), attributes.keepDims ?? false), 'bool'),
  );

/** x − max, and log Σ exp of it: finite whatever the size of x. */
function shifted(g: Builder, logits: Node, axis: number): { centred: Node; logSum: Node; exp: Node; sum: Node } {
  const centred = binary(g, 'Sub', logits, reduce(g, 'Max', logits, [axis], true));
  const exp = unary(g, 'Exp', centred);
  const sum = reduce(g, 'Sum', exp, [axis], true);
  return { centred, exp, sum, logSum: unary(g, 'Log', sum) };
}

function oneHot(g: Builder, indices: Node, depth: number, onValue: number, offValue: number, dtype: DType): Node {
  const classes = constant(
    g,
    Array.from({ length: depth }, (_, i) => i),
    [depth],
    'int32',
  );
  const hit = compare(g, 'Equal', reshape(g, indices, [...indices.shape, 1]), classes);
  return select(g, hit, scalar(g, onValue, dtype), scalar(g, offValue, dtype));
}

/** Positions in the flattened leading axes of `shape` of index vectors `[…, k]`. */
function flatIndex(g: Builder, indices: Node, shape: readonly number[]): { index: Node; depth: number; rows: number } {
  const depth = item(indices.shape, indices.shape.length - 1);
  const strides = constant(g, stridesOf(shape.slice(0, depth)), [depth], 'int32');
  const index = reduce(g, 'Sum', binary(g, 'Mul', indices, strides), [-1], false);
  return { index, depth, rows: sizeOf(shape.slice(0, depth)) };
}

/** Reductions, products and indexing. */
export const reductionKernels: readonly TraceKernel[] = [
  reduction('Sum', 'Sum'),
  reduction('Max', 'Max'),
  reduction('Min', 'Min'),
  reduction('Prod', 'Prod'),
  logicalReduction('All', 'Min'),
  logicalReduction('Any', 'Max'),
  kernel<'x', ReduceAttributes>('Mean', (g, { x }, attributes) =>
    mean(g, cast(g, x, 'float32'), axesOf(x, attributes), attributes.keepDims ?? false),
  ),
  kernel<'x', { axis: number }>('ArgMax', (g, { x }, { axis }) => argMax(g, x, axis < 0 ? axis + x.shape.length : axis)),
  kernel<'x', { axis: number }>('ArgMin', (g, { x }, { axis }) => argMax(g, unary(g, 'Neg', x), axis < 0 ? axis + x.shape.length : axis)),
  kernel<'a' | 'b', { transposeA?: boolean; transposeB?: boolean }>('BatchMatMul', (g, { a, b }, { transposeA, transposeB }) =>
    matMul(g, a, b, transposeA ?? false, transposeB ?? false),
  ),
  kernel<'logits', { dim: number }>('Softmax', (g, { logits }, { dim }) => {
    const { exp, sum } = shifted(g, logits, dim);
    return binary(g, 'Div', exp, sum);
  }),
  kernel<'logits', { axis: number }>('LogSoftmax', (g, { logits }, { axis }) => {
    const { centred, logSum } = shifted(g, logits, axis);
    return binary(g, 'Sub', centred, logSum);
  }),
  kernel<'x', { axis: number; exclusive?: boolean; reverse?: boolean }>(
    'Cumsum',
    (g, { x }, { axis, exclusive = false, reverse = false }) =>
      cumSum(g, x, { axis: axis < 0 ? axis + x.shape.length : axis, exclusive, reverse }),
  ),
  kernel<'indices', { depth: number; onValue: number; offValue: number; dtype?: DType }>(
    'OneHot',
    (g, { indices }, { depth, onValue, offValue, dtype }) => oneHot(g, indices, depth, onValue, offValue, dtype ?? 'int32'),
  ),
  kernel<'x' | 'segmentIds', { numSegments: number }>('UnsortedSegmentSum', (g, { x, segmentIds }, { numSegments }) => {
    const rows = sizeOf(segmentIds.shape);
    const rest = x.shape.slice(segmentIds.shape.length);
    return scatterAdd(g, reshape(g, x, [rows, ...rest]), reshape(g, segmentIds, [rows]), numSegments);
  }),
  kernel<'params' | 'indices'>('GatherNd', (g, { params, indices }) => {
    const { index, depth, rows } = flatIndex(g, indices, params.shape);
    return gather(g, reshape(g, params, [rows, ...params.shape.slice(depth)]), index);
  }),
  kernel<'indices' | 'updates', { shape: number[] }>('ScatterNd', (g, { indices, updates }, { shape }) => {
    const { index, depth, rows } = flatIndex(g, indices, shape);
    const count = sizeOf(index.shape);
    const rest = shape.slice(depth);
    return reshape(g, scatterAdd(g, reshape(g, updates, [count, ...rest]), reshape(g, index, [count]), rows), shape);
  }),
];
