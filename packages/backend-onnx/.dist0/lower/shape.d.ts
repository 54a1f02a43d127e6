import type { Shape } from '@bpc/compiler';
/** Number of elements. */
export declare const sizeOf: (shape: Shape) => number;
/** Length of an axis; 1 where the shape has no such axis, as in broadcasting. */
export declare const axisLength: (shape: Shape, axis: number) => number;
/** A rank-4 shape as four numbers. */
export declare function nhwc(shape: Shape): readonly [n: number, h: number, w: number, c: number];
export declare const sameShape: (a: Shape, b: Shape) => boolean;
/** Integers 0 … count − 1. */
export declare const range: (count: number) => number[];
//# sourceMappingURL=shape.d.ts.map