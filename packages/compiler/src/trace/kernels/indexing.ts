import { backend_util, gather_util } from '@tensorflow/tfjs-core';
import {
  type Builder,
  binary,
  broadcast,
  cast,
  compare,
  constant,
  type DType,
  gather,
  type Node,
  reduce,
  reshape,
  scalar,
  scatterAdd,
  select,
  topK,
  transpose,
} from '../../ir/index.js';
import { item, sizeOf, stridesOf } from '../../ir/shape.js';
import { axisOf, range } from './axes.js';
import { kernel, type TraceKernel } from './kernel.js';

/** 0, 1, … as int32. */
export const positions = (g: Builder, count: number): Node => constant(g, range(0, count), [count], 'int32');

/** Gather along `axis` from each of the leading `batchDims` parts: [batch, outer, axis, inner] by [batch, k] to [batch, outer, k, inner]. */
export function gatherAlong(g: Builder, x: Node, index: Node, axis: number, batchDims = 0): Node {
  const batch = x.shape.slice(0, batchDims);
  const outer = x.shape.slice(batchDims, axis);
  const inner = x.shape.slice(axis + 1);
  const length = item(x.shape, axis);
  // The gathered axis comes right after the batch, so that both are rows of one matrix.
  const order = [...range(0, batchDims), axis, ...range(batchDims, outer.length), ...range(axis + 1, inner.length)];
  const rows = reshape(g, transpose(g, x, order), [sizeOf(batch) * length, ...outer, ...inner]);
  const taken = index.shape.slice(batchDims);
  const start = reshape(
    g,
    constant(
      g,
      range(0, sizeOf(batch)).map((b) => b * length),
      [sizeOf(batch)],
      'int32',
    ),
    [...batch, ...taken.map(() => 1)],
  );
  const picked = gather(g, rows, batchDims === 0 ? index : binary(g, 'Add', index, start));
  const back = [
    ...range(0, batchDims),
    ...range(batchDims + taken.length, outer.length),
    ...range(batchDims, taken.length),
    ...range(batchDims + taken.length + outer.length, inner.length),
  ];
  return transpose(g, picked, back);
}

/** Positions in the flattened leading axes of `shape` of index vectors `[…, k]`. */
function flatIndex(g: Builder, indices: Node, shape: readonly number[]): { index: Node; depth: number; rows: number } {
  const depth = item(indices.shape, indices.shape.length - 1);
  const strides = constant(g, stridesOf(shape.slice(0, depth)), [depth], 'int32');
  const index = reduce(g, 'Sum', binary(g, 'Mul', indices, strides), [-1], false);
  return { index, depth, rows: sizeOf(shape.slice(0, depth)) };
}

/** A list of numbers is a list of index vectors of length 1, for kernels that write. */
const asVectors = (g: Builder, indices: Node): Node => (indices.shape.length === 1 ? reshape(g, indices, [...indices.shape, 1]) : indices);

/** Sums of the updates at each index vector. */
function scatter(g: Builder, indices: Node, updates: Node, shape: readonly number[]): Node {
  const { index, depth, rows } = flatIndex(g, indices, shape);
  const count = sizeOf(index.shape);
  return reshape(g, scatterAdd(g, reshape(g, updates, [count, ...shape.slice(depth)]), reshape(g, index, [count]), rows), shape);
}

/**
 * `base` with updates written over it, the last one where several have the same place: earlier ones are left out, which
 * takes a comparison of every update with every other.
 */
function overwrite(g: Builder, base: Node, indices: Node, updates: Node): Node {
  const { index, depth, rows } = flatIndex(g, indices, base.shape);
  const count = sizeOf(index.shape);
  const width = sizeOf(base.shape.slice(depth));
  const flat = reshape(g, index, [count]);
  const [row, column] = [reshape(g, flat, [1, count]), reshape(g, flat, [count, 1])];
  const order = positions(g, count);
  const later = compare(g, 'Greater', reshape(g, order, [1, count]), reshape(g, order, [count, 1]));
  const repeated = reduce(g, 'Max', cast(g, compare(g, 'LogicalAnd', compare(g, 'Equal', row, column), later), 'int32'), [1], false);
  const last = select(g, cast(g, repeated, 'bool'), scalar(g, -1, 'int32'), flat);
  const number = base.dtype === 'bool' ? 'int32' : base.dtype;
  const written = scatterAdd(g, broadcast(g, scalar(g, 1), [count, 1]), last, rows);
  const values = scatterAdd(g, reshape(g, cast(g, updates, number), [count, width]), last, rows);
  const changed = select(g, compare(g, 'Greater', written, scalar(g, 0)), values, reshape(g, cast(g, base, number), [rows, width]));
  return reshape(g, cast(g, changed, base.dtype), base.shape);
}

function oneHot(g: Builder, indices: Node, depth: number, onValue: number, offValue: number, dtype: DType): Node {
  const hit = compare(g, 'Equal', reshape(g, indices, [...indices.shape, 1]), positions(g, depth));
  return select(g, hit, scalar(g, onValue, dtype), scalar(g, offValue, dtype));
}

/** How often each value below `size` occurs in each row of `x` [n, m], weighted if there are weights; [n, size]. */
function countRows(g: Builder, x: Node, weights: Node, size: number, binaryOutput: boolean): Node {
  const [n, m] = [item(x.shape, 0), item(x.shape, 1)];
  const inside = compare(
    g,
    'LogicalAnd',
    compare(g, 'GreaterEqual', x, scalar(g, 0, 'int32')),
    compare(g, 'Less', x, scalar(g, size, 'int32')),
  );
  const starts = binary(g, 'Mul', reshape(g, positions(g, n), [n, 1]), scalar(g, size, 'int32'));
  const index = select(g, inside, binary(g, 'Add', x, starts), scalar(g, -1, 'int32'));
  const weighted = sizeOf(weights.shape) > 0 && !binaryOutput;
  const amounts = weighted ? reshape(g, weights, [n * m]) : broadcast(g, scalar(g, 1, weights.dtype), [n * m]);
  const counts = reshape(g, scatterAdd(g, amounts, reshape(g, index, [n * m]), n * size), [n, size]);
  return binaryOutput ? binary(g, 'Minimum', counts, scalar(g, 1, weights.dtype)) : counts;
}

const bincount = (g: Builder, x: Node, weights: Node, size: number, binaryOutput: boolean): Node =>
  reshape(g, countRows(g, reshape(g, x, [1, sizeOf(x.shape)]), weights, size, binaryOutput), [size]);

/** What tfjs's checks of operands look at. */
const shaped = ({ shape, dtype }: Node) => ({ shape: [...shape], dtype }) as never;

/** Kernels that read or write at computed positions. */
export const indexingKernels: readonly TraceKernel[] = [
  kernel<'x' | 'indices', { axis: number; batchDims: number }>('GatherV2', (g, { x, indices }, { axis, batchDims }) => {
    const along = axisOf(axis, x.shape.length);
    backend_util.segment_util.collectGatherOpShapeInfo(shaped(x), shaped(indices), along, batchDims);
    return gatherAlong(g, x, indices, along, axisOf(batchDims, indices.shape.length));
  }),
  kernel<'params' | 'indices'>('GatherNd', (g, { params, indices }) => {
    gather_util.prepareAndValidate(shaped(params), shaped(indices));
    const { index, depth, rows } = flatIndex(g, indices, params.shape);
    return gather(g, reshape(g, params, [rows, ...params.shape.slice(depth)]), index);
  }),
  kernel<'indices' | 'updates', { shape: number[] }>('ScatterNd', (g, { indices, updates }, { shape }) =>
    scatter(g, asVectors(g, indices), updates, shape),
  ),
  kernel<'tensor' | 'indices' | 'updates'>('TensorScatterUpdate', (g, { tensor, indices, updates }) =>
    overwrite(g, tensor, asVectors(g, indices), updates),
  ),
  kernel<'sparseIndices' | 'sparseValues' | 'defaultValue', { outputShape: number[] }>(
    'SparseToDense',
    (g, { sparseIndices, sparseValues, defaultValue }, { outputShape }) => {
      const depth = outputShape.length;
      const count = sizeOf(sparseIndices.shape) / depth;
      const base = broadcast(g, reshape(g, cast(g, defaultValue, sparseValues.dtype), []), outputShape);
      const updates = broadcast(g, reshape(g, sparseValues, sizeOf(sparseValues.shape) === 1 ? [1] : [count]), [count]);
      return overwrite(g, base, reshape(g, sparseIndices, [count, depth]), updates);
    },
  ),
  kernel<'x' | 'segmentIds', { numSegments: number }>('UnsortedSegmentSum', (g, { x, segmentIds }, { numSegments }) => {
    const rows = sizeOf(segmentIds.shape);
    const rest = x.shape.slice(segmentIds.shape.length);
    return scatterAdd(g, reshape(g, x, [rows, ...rest]), reshape(g, segmentIds, [rows]), numSegments);
  }),
  kernel<'indices', { depth: number; onValue: number; offValue: number; dtype?: DType }>(
    'OneHot',
    (g, { indices }, { depth, onValue, offValue, dtype }) => oneHot(g, indices, depth, onValue, offValue, dtype ?? 'int32'),
  ),
  kernel<'x' | 'weights', { size: number }>('Bincount', (g, { x, weights }, { size }) => bincount(g, x, weights, size, false)),
  kernel<'x' | 'weights', { size: number; binaryOutput?: boolean }>('DenseBincount', (g, { x, weights }, { size, binaryOutput = false }) =>
    x.shape.length === 1 ? bincount(g, x, weights, size, binaryOutput) : countRows(g, x, weights, size, binaryOutput),
  ),
  // A count instead of a search: programs do not branch on data.
  kernel<'sortedSequence' | 'values', { side: 'left' | 'right' }>('SearchSorted', (g, { sortedSequence, values }, { side }) => {
    const sequence = reshape(g, sortedSequence, [item(sortedSequence.shape, 0), 1, item(sortedSequence.shape, 1)]);
    const sought = reshape(g, values, [...values.shape, 1]);
    const below = compare(g, side === 'left' ? 'Less' : 'LessEqual', sequence, sought);
    return reduce(g, 'Sum', cast(g, below, 'int32'), [2], false);
  }),
  kernel<'x', { k: number }>('TopK', (g, { x }, { k }) => {
    const index = topK(g, x, k);
    const last = x.shape.length - 1;
    return [gatherAlong(g, x, index, last, last), index];
  }),
  kernel<'x'>('Diag', (g, { x }) => {
    const n = sizeOf(x.shape);
    const index = positions(g, n);
    const diagonal = compare(g, 'Equal', reshape(g, index, [n, 1]), index);
    return reshape(g, select(g, diagonal, reshape(g, x, [1, n]), scalar(g, 0, x.dtype)), [...x.shape, ...x.shape]);
  }),
];
