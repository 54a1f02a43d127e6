import type { GradConfig, Tensor } from '@tensorflow/tfjs-core';
import { add, batchToSpaceND, pad, reshape, reverse, slice, slice_util, spaceToBatchND, transpose } from '@tensorflow/tfjs-core';
import { rule, zeros } from './rule.js';

type Pairs = [number, number][];
type Strided = {
  readonly begin: number[];
  readonly end: number[];
  readonly strides: number[];
  readonly beginMask: number;
  readonly endMask: number;
  readonly ellipsisMask: number;
  readonly newAxisMask: number;
  readonly shrinkAxisMask: number;
};

const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** `before` and `after` zeros around one axis. */
const around = (x: Tensor, axis: number, before: number, after: number): Tensor =>
  pad(
    x,
    x.shape.map((_, i): [number, number] => (i === axis ? [before, after] : [0, 0])),
  );

/** The window of `count` elements from `begin` along one axis. */
const window = (x: Tensor, axis: number, begin: number, count: number): Tensor =>
  slice(
    x,
    x.shape.map((_, i) => (i === axis ? begin : 0)),
    x.shape.map((length, i) => (i === axis ? count : length)),
  );

/** Elements along one axis `stride` apart, with zeros between them. */
function spread(x: Tensor, axis: number, stride: number): Tensor {
  if (stride === 1) return x;
  const [before, length, after] = [size(x.shape.slice(0, axis)), x.shape[axis] ?? 1, size(x.shape.slice(axis + 1))];
  const gaps = around(reshape(x, [before, length, 1, after]), 2, 0, stride - 1);
  const cut = window(reshape(gaps, [before, length * stride, after]), 1, 0, (length - 1) * stride + 1);
  return reshape(cut, [...x.shape.slice(0, axis), (length - 1) * stride + 1, ...x.shape.slice(axis + 1)]);
}

/** Puts every element back to where a strided slice took it from. */
function unslice(dy: Tensor, shape: readonly number[], a: Strided): Tensor {
  const info = slice_util.sliceInfo(
    [...shape],
    a.begin,
    a.end,
    a.strides,
    a.beginMask,
    a.endMask,
    a.ellipsisMask,
    a.newAxisMask,
    a.shrinkAxisMask,
  );
  const lengths = shape.map((_, i) => Math.max(0, Math.ceil(((info.end[i] ?? 0) - (info.begin[i] ?? 0)) / (info.strides[i] ?? 1))));
  if (size(lengths) === 0) return zeros(shape);
  return shape.reduce(
    (placed: Tensor, length, axis) => {
      const [begin, stride, count] = [info.begin[axis] ?? 0, info.strides[axis] ?? 1, lengths[axis] ?? 1];
      const forward = stride < 0 ? reverse(placed, axis) : placed;
      const first = stride < 0 ? begin + (count - 1) * stride : begin;
      const apart = spread(forward, axis, Math.abs(stride));
      return around(apart, axis, first, length - first - (apart.shape[axis] ?? 0));
    },
    reshape(dy, lengths),
  );
}

/** Adds mirrored edges back to what they mirror, the last axis first. */
function unmirror(dy: Tensor, shape: readonly number[], paddings: Pairs, mode: string): Tensor {
  const edge = mode === 'reflect' ? 1 : 0;
  return shape.reduceRight((gradient: Tensor, length, axis) => {
    const [before, after] = paddings[axis] ?? [0, 0];
    if (before === 0 && after === 0) return gradient;
    const inside = window(gradient, axis, before, length);
    const left = around(reverse(window(gradient, axis, 0, before), axis), axis, edge, length - before - edge);
    const right = around(reverse(window(gradient, axis, before + length, after), axis), axis, length - after - edge, edge);
    return add(before === 0 ? inside : add(inside, left), after === 0 ? zeros(inside.shape) : right);
  }, dy);
}

/** Rules of views through windows: strides, mirrors, blocks. */
export const windowedViewRules: readonly GradConfig[] = [
  rule<Strided, 'x'>('StridedSlice', ['x'], (dy, { x }, attributes) => ({ x: () => unslice(dy, x.shape, attributes) })),
  rule<{ paddings: Pairs; mode: string }, 'x'>('MirrorPad', ['x'], (dy, { x }, { paddings, mode }) => ({
    x: () => unmirror(dy, x.shape, paddings, mode),
  })),
  rule<{ blockShape: number[]; paddings: number[][] }>('SpaceToBatchND', [], (dy, _, { blockShape, paddings }) => ({
    x: () => batchToSpaceND(dy, blockShape, paddings),
  })),
  rule<{ blockShape: number[]; crops: number[][] }>('BatchToSpaceND', [], (dy, _, { blockShape, crops }) => ({
    x: () => spaceToBatchND(dy, blockShape, crops),
  })),
  rule<{ blockSize: number }, 'x'>('DepthToSpace', ['x'], (dy, { x }, { blockSize: b }) => ({
    x: () => {
      const [n = 1, h = 1, w = 1, c = 1] = x.shape;
      return reshape(transpose(reshape(dy, [n, h, b, w, b, c / (b * b)]), [0, 1, 3, 2, 4, 5]), x.shape);
    },
  })),
];
