import { ShapeError } from '@bpc/core';
import { backend_util, slice_util, util } from '@tensorflow/tfjs-core';
import {
  type Builder,
  broadcast,
  concat,
  constant,
  type DType,
  type Node,
  pad,
  reshape,
  reverse,
  scalar,
  select,
  slice,
  transpose,
} from '../../ir/index.js';
import { item, normalizeAxes, padRank, sameShape, sizeOf } from '../../ir/shape.js';
import { axisOf } from './axes.js';
import { gatherAlong } from './indexing.js';
import { kernel, type TraceKernel, variadicKernel } from './kernel.js';

function expandDims(g: Builder, x: Node, dim: number): Node {
  if (dim < -x.shape.length - 1 || dim > x.shape.length) {
    throw new ShapeError(
      `expandDims got axis ${dim} for shape [${x.shape}]`,
      `pass an axis from ${-x.shape.length - 1} to ${x.shape.length}`,
    );
  }
  const shape = [...x.shape];
  shape.splice(dim < 0 ? dim + shape.length + 1 : dim, 0, 1);
  return reshape(g, x, shape);
}

/** Windows one after the other along `axis`. */
function split(g: Builder, x: Node, sizes: readonly number[], axis: number): Node[] {
  let start = 0;
  return sizes.map((length) => {
    const part = slice(
      g,
      x,
      x.shape.map((_, i) => (i === axis ? start : 0)),
      x.shape.map((d, i) => (i === axis ? length : d)),
    );
    start += length;
    return part;
  });
}

/** [a, b] → [1, a, 1, b] → repeated → [r·a, s·b]. */
function tile(g: Builder, x: Node, reps: readonly number[]): Node {
  const separated = reshape(
    g,
    x,
    x.shape.flatMap((length) => [1, length]),
  );
  const repeated = broadcast(
    g,
    separated,
    x.shape.flatMap((length, i) => [item(reps, i), length]),
  );
  return reshape(
    g,
    repeated,
    x.shape.map((length, i) => length * item(reps, i)),
  );
}

type StridedSlice = {
  begin: number[];
  end: number[];
  strides: number[];
  beginMask: number;
  endMask: number;
  ellipsisMask: number;
  newAxisMask: number;
  shrinkAxisMask: number;
};

function stridedSlice(g: Builder, x: Node, a: StridedSlice): Node {
  const info = slice_util.sliceInfo(
    [...x.shape],
    a.begin,
    a.end,
    a.strides,
    a.beginMask,
    a.endMask,
    a.ellipsisMask,
    a.newAxisMask,
    a.shrinkAxisMask,
  );
  const lengths = info.begin.map((b, i) => Math.max(0, Math.ceil((item(info.end, i) - b) / item(info.strides, i))));
  // A backward axis is read forward from its last element and then reversed.
  const backward = info.strides.flatMap((s, i) => (s < 0 ? [i] : []));
  const begin = info.begin.map((b, i) => (backward.includes(i) ? b + (item(lengths, i) - 1) * item(info.strides, i) : b));
  const source = reshape(g, x, padRank(x.shape, Math.max(x.shape.length, begin.length)));
  const window = slice(g, source, begin, lengths, info.strides.map(Math.abs));
  return reshape(g, reverse(g, window, backward), info.finalShape);
}

/** Mirrored edges, axis by axis, as a gather at constant positions. */
function mirrorPad(g: Builder, x: Node, paddings: readonly (readonly [number, number])[], mode: string): Node {
  return paddings.reduce((padded, [before, after], axis) => {
    if (before === 0 && after === 0) return padded;
    const length = item(padded.shape, axis);
    const edge = mode === 'reflect' ? 0 : 1;
    const positions = Array.from({ length: before + length + after }, (_, i) => {
      const k = i - before;
      return k < 0 ? -k - edge : k >= length ? 2 * (length - 1) - k + edge : k;
    });
    return gatherAlong(g, padded, constant(g, positions, [positions.length], 'int32'), axis);
  }, x);
}

const fill = (g: Builder, shape: readonly number[], value: number, dtype: DType): Node => broadcast(g, scalar(g, value, dtype), shape);

/** Kernels that move, repeat or make elements. */
export const shapeKernels: readonly TraceKernel[] = [
  kernel<'x', { shape: number[] }>('Reshape', (g, { x }, { shape }) => {
    const known = shape.filter((d) => d >= 0).reduce((a, b) => a * b, 1);
    return reshape(
      g,
      x,
      shape.map((d) => (d < 0 ? sizeOf(x.shape) / known : d)),
    );
  }),
  kernel<'input', { dim: number }>('ExpandDims', (g, { input }, { dim }) => expandDims(g, input, dim)),
  kernel<'x', { perm: number[] }>('Transpose', (g, { x }, { perm }) => transpose(g, x, perm)),
  kernel<'x', { begin: number[]; size: number[] }>('Slice', (g, { x }, attributes) => {
    const [begin, size] = slice_util.parseSliceParams({ shape: [...x.shape] } as never, attributes.begin, attributes.size);
    slice_util.assertParamsValid({ shape: [...x.shape] } as never, begin ?? [], size ?? []);
    return slice(g, x, begin ?? [], size ?? []);
  }),
  kernel<'x', StridedSlice>('StridedSlice', (g, { x }, attributes) => stridedSlice(g, x, attributes)),
  kernel<'x', { paddings: [number, number][]; constantValue: number }>('PadV2', (g, { x }, { paddings, constantValue }) =>
    pad(g, x, paddings, constantValue),
  ),
  kernel<'x', { paddings: [number, number][]; mode: string }>('MirrorPad', (g, { x }, { paddings, mode }) =>
    mirrorPad(g, x, paddings, mode),
  ),
  variadicKernel<{ axis: number }>('Concat', (g, parts, { axis }) => {
    const at = axisOf(axis, item(parts, 0).shape.length);
    backend_util.assertParamsConsistent(
      parts.map((part) => [...part.shape]),
      at,
    );
    return concat(g, parts, at);
  }),
  variadicKernel<{ axis: number }>('Pack', (g, parts, { axis }) => {
    const first = item(parts, 0);
    const other = parts.find((part) => part.dtype !== first.dtype || !sameShape(part.shape, first.shape));
    if (other) {
      throw new ShapeError(
        `stack got ${first.dtype}[${first.shape}] and ${other.dtype}[${other.shape}]`,
        'pass tensors of one shape and dtype',
      );
    }
    const at = axisOf(axis, first.shape.length + 1);
    return concat(
      g,
      parts.map((part) => expandDims(g, part, at)),
      at,
    );
  }),
  kernel<'value', { axis: number }>('Unpack', (g, { value }, { axis }) => {
    const at = axisOf(axis, value.shape.length);
    const shape = value.shape.filter((_, i) => i !== at);
    return split(g, value, new Array(item(value.shape, at)).fill(1), at).map((part) => reshape(g, part, shape));
  }),
  kernel<'x', { numOrSizeSplits: number | number[]; axis: number }>('SplitV', (g, { x }, { numOrSizeSplits, axis }) => {
    const at = axisOf(axis, x.shape.length);
    return split(g, x, backend_util.prepareSplitSize({ shape: [...x.shape] } as never, numOrSizeSplits, at), at);
  }),
  kernel<'x', { reps: number[] }>('Tile', (g, { x }, { reps }) => tile(g, x, reps)),
  kernel<'x', { shape: number[] }>('BroadcastTo', (g, { x }, { shape }) => broadcast(g, x, shape)),
  kernel<'image'>('FlipLeftRight', (g, { image }) => reverse(g, image, [2])),
  kernel<'x', { dims?: number | number[] }>('Reverse', (g, { x }, { dims }) =>
    reverse(g, x, normalizeAxes(util.parseAxisParam(dims ?? x.shape.map((_, axis) => axis), [...x.shape]), x.shape.length)),
  ),
  kernel<never, { shape: number[]; value: number; dtype?: DType }>('Fill', (g, _, { shape, value, dtype }) =>
    fill(g, shape, value, dtype ?? 'float32'),
  ),
  kernel<'x'>('ZerosLike', (g, { x }) => fill(g, x.shape, 0, x.dtype)),
  kernel<'x'>('OnesLike', (g, { x }) => fill(g, x.shape, 1, x.dtype)),
  kernel<never, { start: number; stop: number; num: number }>('LinSpace', (g, _, { start, stop, num }) =>
    constant(
      g,
      Array.from({ length: num }, (__, i) => start + (num === 1 ? 0 : (i * (stop - start)) / (num - 1))),
      [num],
    ),
  ),
  kernel<never, { start: number; stop: number; step: number; dtype?: DType }>('Range', (g, _, { start, stop, step, dtype }) => {
    const length = Math.max(0, Math.ceil((stop - start) / (stop < start && step === 1 ? -1 : step)));
    return constant(
      g,
      Array.from({ length }, (__, i) => start + i * (stop < start && step === 1 ? -1 : step)),
      [length],
      dtype ?? 'float32',
    );
  }),
  kernel<'condition' | 't' | 'e'>('Select', (g, { condition, t, e }) => {
    // A vector of conditions chooses whole rows.
    const rows = condition.shape.length === 1 && t.shape.length > 1;
    return select(g, rows ? reshape(g, condition, [...condition.shape, ...t.shape.slice(1).map(() => 1)]) : condition, t, e);
  }),
];
