import type { Builder } from './builder.js';
import { isConst } from './constant.js';
import type { Node, Shape } from './node.js';
import { item, padRank, sameShape, sizeOf } from './shape.js';

/** `x` repeated to `shape` by NumPy's rules. Broadcasts of broadcasts merge. */
export function broadcast(g: Builder, x: Node, shape: Shape): Node {
  if (sameShape(x.shape, shape)) return x;
  if (g.simplify && x.op === 'Broadcast') return broadcast(g, item(x.inputs, 0), shape);
  return g.emit('Broadcast', [x], {}, shape, x.dtype);
}

const longAxes = (shape: Shape): number[] => shape.flatMap((length, i) => (length === 1 ? [] : [i]));

/** The same elements in the same row-major order. */
export function reshape(g: Builder, x: Node, shape: Shape): Node {
  if (sameShape(x.shape, shape)) return x;
  if (g.simplify) {
    const inner = x.inputs[0];
    // reshape(reshape(x)) = reshape(x)
    if (x.op === 'Reshape' && inner) return reshape(g, inner, shape);
    // A constant takes the new shape itself.
    if (isConst(x)) return g.emit('Const', [], x.attributes, shape, x.dtype);
    // reshape(broadcast(x)) = broadcast(reshape(x)) when only axes of length 1 come or go
    if (x.op === 'Broadcast' && inner) {
      const from = longAxes(x.shape);
      const to = longAxes(shape);
      if (sizeOf(inner.shape) === 1) return broadcast(g, reshape(g, inner, []), shape);
      if (from.length === to.length && from.every((axis, k) => x.shape[axis] === shape[item(to, k)])) {
        const padded = padRank(inner.shape, x.shape.length);
        const small = shape.map(() => 1);
        from.forEach((axis, k) => {
          small[item(to, k)] = item(padded, axis);
        });
        return broadcast(g, reshape(g, inner, small), shape);
      }
    }
  }
  return g.emit('Reshape', [x], {}, shape, x.dtype);
}

/** Axis `i` of the result is axis `perm[i]` of `x`. */
export function transpose(g: Builder, x: Node, perm: readonly number[]): Node {
  const shape = perm.map((axis) => item(x.shape, axis));
  if (g.simplify) {
    const inner = x.inputs[0];
    if (perm.every((axis, i) => axis === i)) return x;
    // Moving only axes of length 1 moves no element.
    const moved = perm.filter((axis) => x.shape[axis] !== 1);
    if (moved.every((axis, i) => i === 0 || axis > item(moved, i - 1))) return reshape(g, x, shape);
    // transpose(transpose(x)) = transpose(x)
    if (x.op === 'Transpose' && inner)
      return transpose(
        g,
        inner,
        perm.map((axis) => item(x.attributes.perm, axis)),
      );
    // transpose(broadcast(x)) = broadcast(transpose(x))
    if (x.op === 'Broadcast' && inner) {
      return broadcast(g, transpose(g, reshape(g, inner, padRank(inner.shape, x.shape.length)), perm), shape);
    }
  }
  return g.emit('Transpose', [x], { perm }, shape, x.dtype);
}
