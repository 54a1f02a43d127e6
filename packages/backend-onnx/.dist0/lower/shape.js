/** Number of elements. */
export const sizeOf = (shape) => shape.reduce((product, size) => product * size, 1);
/** Length of an axis; 1 where the shape has no such axis, as in broadcasting. */
export const axisLength = (shape, axis) => shape[axis] ?? 1;
/** A rank-4 shape as four numbers. */
export function nhwc(shape) {
    const [n = 1, h = 1, w = 1, c = 1] = shape;
    return [n, h, w, c];
}
export const sameShape = (a, b) => a.length === b.length && a.every((size, i) => size === b[i]);
/** Integers 0 … count − 1. */
export const range = (count) => Array.from({ length: count }, (_, i) => i);
//# sourceMappingURL=shape.js.map