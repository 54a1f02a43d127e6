import { ShapeError } from '@bpc/core';
import type { Shape } from './node.js';

/** Number of elements. */
export const sizeOf = (shape: Shape): number => shape.reduce((a, b) => a * b, 1);

/** The element at `index`, which must exist: an internal error otherwise. */
export function item<T>(list: ArrayLike<T>, index: number): T {
  const value = list[index];
  if (value === undefined) throw new RangeError(`no element ${index} among ${list.length}`);
  return value;
}

export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((length, i) => length === b[i]);

/** NumPy broadcasting of two shapes. */
export function broadcastShapes(a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x !== y && x !== 1 && y !== 1) {
      throw new ShapeError(`shapes [${a}] and [${b}] do not broadcast`, 'use shapes that are equal or 1 in every axis');
    }
    return x === 1 ? y : x;
  });
}

/** Row-major strides. */
export function stridesOf(shape: Shape): number[] {
  const strides: number[] = new Array(shape.length).fill(1);
  for (let i = shape.length - 2; i >= 0; i--) strides[i] = item(strides, i + 1) * item(shape, i + 1);
  return strides;
}

/** Coordinates of the `index`-th element in row-major order. */
export function unravel(index: number, shape: Shape): number[] {
  return stridesOf(shape).map((stride, i) => Math.floor(index / stride) % item(shape, i));
}

/** `shape` with leading ones, so that it has `rank` axes. */
export const padRank = (shape: Shape, rank: number): number[] => [...new Array<number>(rank - shape.length).fill(1), ...shape];

/** Axes as non-negative, sorted, distinct numbers. */
export function normalizeAxes(axes: readonly number[], rank: number): number[] {
  return [...new Set(axes.map((axis) => (axis < 0 ? axis + rank : axis)))].sort((a, b) => a - b);
}
