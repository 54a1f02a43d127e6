import type { Shape } from '@bpc/compiler';

/** Number of elements. */
export const sizeOf = (shape: Shape): number => shape.reduce((product, size) => product * size, 1);

/** Length of an axis; 1 where the shape has no such axis, as in broadcasting. */
export const axisLength = (shape: Shape, axis: number): number => shape[axis] ?? 1;

/** A rank-4 shape as four numbers. */
export function nhwc(shape: Shape): readonly [n: number, h: number, w: number, c: number] {
  const [n = 1, h = 1, w = 1, c = 1] = shape;
  return [n, h, w, c];
}

export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((size, i) => size === b[i]);

/** Integers 0 … count − 1. */
export const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** A rank-4 shape as `tiles` stores it. */
export function tiledShape(shape: Shape): readonly [h: number, w: number, n: number, c: number] {
  const [n, h, w, c] = nhwc(shape);
  return [h, w, n, c];
}
