import type { Builder } from './builder.js';
import { constant, isConst } from './constant.js';
import type { Node, Shape } from './node.js';
import { item, padRank, sameShape, sizeOf, stridesOf, unravel } from './shape.js';
import { broadcast, reshape } from './views.js';

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** Elements `begin + k·strides` of `x`, `shape` of them. */
export function slice(g: Builder, x: Node, begin: readonly number[], shape: Shape, strides: readonly number[] = begin.map(() => 1)): Node {
  if (g.simplify) {
    const inner = x.inputs[0];
    if (sameShape(shape, x.shape) && strides.every((s) => s === 1)) return x;
    // slice(broadcast(x)) = broadcast(slice(x)): a repeated axis needs no window
    if (x.op === 'Broadcast' && inner) {
      const padded = padRank(inner.shape, x.shape.length);
      const long = padded.map((length) => length !== 1);
      const only = (values: readonly number[], otherwise: number) => values.map((v, i) => (long[i] ? v : otherwise));
      return broadcast(g, slice(g, reshape(g, inner, padded), only(begin, 0), only(shape, 1), only(strides, 1)), shape);
    }
    // slice(slice(x)) = slice(x)
    if (x.op === 'Slice' && inner) {
      const outer = x.attributes;
      return slice(
        g,
        inner,
        begin.map((b, i) => item(outer.begin, i) + b * item(outer.strides, i)),
        shape,
        strides.map((s, i) => s * item(outer.strides, i)),
      );
    }
    // slice(pad(x)) = slice(x) inside x, the padding value outside
    if (x.op === 'Pad' && inner) {
      const first = begin.map((b, i) => b - item(item(x.attributes.paddings, i), 0));
      const last = first.map((b, i) => b + (item(shape, i) - 1) * item(strides, i));
      if (first.every((b, i) => b >= 0 && item(last, i) < item(inner.shape, i))) return slice(g, inner, first, shape, strides);
      if (first.some((b, i) => b >= item(inner.shape, i) || item(last, i) < 0)) {
        return broadcast(g, constant(g, [x.attributes.value], [], x.dtype), shape);
      }
    }
    // slice(concat(…)) = slice of the one part it falls into
    if (x.op === 'Concat') {
      const { axis } = x.attributes;
      let start = item(begin, axis);
      const last = start + (item(shape, axis) - 1) * item(strides, axis);
      let end = last;
      for (const part of x.inputs) {
        const length = item(part.shape, axis);
        if (start >= 0 && end < length)
          return slice(
            g,
            part,
            begin.map((b, i) => (i === axis ? start : b)),
            shape,
            strides,
          );
        start -= length;
        end -= length;
      }
    }
    if (isConst(x) && sizeOf(shape) <= 64) {
      const own = stridesOf(x.shape);
      const at = (k: number) => sum(unravel(k, shape).map((c, i) => (item(begin, i) + c * item(strides, i)) * item(own, i)));
      return constant(
        g,
        Array.from({ length: sizeOf(shape) }, (_, k) => item(x.attributes.values, at(k))),
        shape,
        x.dtype,
      );
    }
  }
  return g.emit('Slice', [x], { begin, strides }, shape, x.dtype);
}

/** `x` with `paddings[i] = [before, after]` elements of `value` around axis `i`. */
export function pad(g: Builder, x: Node, paddings: readonly (readonly [number, number])[], value: number): Node {
  const inner = x.inputs[0];
  const shape = x.shape.map((length, i) => length + sum(item(paddings, i)));
  if (x.shape.includes(0)) return broadcast(g, constant(g, [value], [], x.dtype), shape);
  if (g.simplify) {
    if (paddings.every(([before, after]) => before === 0 && after === 0)) return x;
    // pad(pad(x)) = pad(x) for one value
    if (x.op === 'Pad' && inner && Object.is(x.attributes.value, value)) {
      const merged = x.attributes.paddings.map(([before, after], i): [number, number] => {
        const [b, a] = item(paddings, i);
        return [before + b, after + a];
      });
      return pad(g, inner, merged, value);
    }
  }
  return g.emit('Pad', [x], { paddings, value }, shape, x.dtype);
}

/** Tensors one after the other along `axis`. */
export function concat(g: Builder, parts: readonly Node[], axis: number): Node {
  const kept = g.simplify ? parts.filter((part) => part.shape[axis] !== 0) : parts;
  // concat(concat(…)) along one axis is one concat
  const flat = g.simplify ? kept.flatMap((part) => (part.op === 'Concat' && part.attributes.axis === axis ? part.inputs : [part])) : kept;
  const first = item(flat.length > 0 ? flat : parts, 0);
  if (g.simplify && flat.length <= 1) return first;
  const shape = first.shape.map((length, i) => (i === axis ? sum(flat.map((part) => item(part.shape, axis))) : length));
  return g.emit('Concat', flat, { axis }, shape, first.dtype);
}

/** `x` backwards along `axes`. */
export function reverse(g: Builder, x: Node, axes: readonly number[]): Node {
  const long = g.simplify ? axes.filter((axis) => x.shape[axis] !== 1) : axes;
  if (g.simplify && (long.length === 0 || (x.op === 'Broadcast' && sizeOf(item(x.inputs, 0).shape) === 1))) return x;
  return g.emit('Reverse', [x], { axes: long }, x.shape, x.dtype);
}
