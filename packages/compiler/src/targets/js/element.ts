import type { Node } from '../../ir/index.js';
import { scanResults } from '../../ir/scan.js';
import { item, sizeOf, unravel } from '../../ir/shape.js';
import { type Affine, addScaled, flatIndex, isKnown, known } from './affine.js';
import type { Lowering } from './context.js';
import { type Expression, isBinary, isCompare, isUnary } from './expression.js';
import { termsOf } from './plan.js';
import { sigmoidOf, softplusOf } from './stable.js';
import { productIndices } from './totals.js';

/** Pairwise, so that rounding errors do not add up and the processor finds independent work. */
function tree(values: readonly Expression[], join: (a: Expression, b: Expression) => Expression): Expression {
  let rest = [...values];
  while (rest.length > 1) {
    rest = Array.from({ length: Math.ceil(rest.length / 2) }, (_, i) => {
      const [a, b] = [item(rest, 2 * i), rest[2 * i + 1]];
      return b ? join(a, b) : a;
    });
  }
  return item(rest, 0);
}

/** The index of an operand that is broadcast to the node. */
function aligned(operand: Node, index: readonly Affine[]): Affine[] {
  const offset = index.length - operand.shape.length;
  return operand.shape.map((length, axis) => (length === 1 ? known(0) : item(index, axis + offset)));
}

/** One element of a node, computed from elements of its operands where it is needed. */
export function elementOf(lower: Lowering, node: Node, index: readonly Affine[]): Expression {
  const { x } = lower;
  const at = (operand: Node) => lower.element(operand, aligned(operand, index));
  const p = item(node.inputs, 0);
  const second = () => item(node.inputs, 1);
  if (node.op === 'Sigmoid') return sigmoidOf(x, at(p));
  if (node.op === 'Softplus') return softplusOf(x, at(p));
  if (isUnary(node.op)) return x.unary(node.op, at(p));
  if (isBinary(node.op)) return x.binary(node.op, at(p), at(second()));
  if (isCompare(node.op)) return x.compare(node.op, at(p), at(second()));
  switch (node.op) {
    case 'Select':
      return x.select(at(p), at(second()), at(item(node.inputs, 2)));
    case 'Cast': {
      const value = at(p);
      if (node.dtype === 'bool') return p.dtype === 'bool' ? value : x.compare('NotEqual', value, x.number(0));
      return node.dtype === 'int32' && p.dtype === 'float32' ? x.apply('Truncate', [value]) : value;
    }
    case 'Broadcast':
      return at(p);
    case 'ScanOutput': {
      const offset = p.op === 'Scan' ? item(scanResults(p.attributes), node.attributes.index).offset : 0;
      return x.load(lower.inMemory(p), addScaled(known(offset), flatIndex(node.shape, index)));
    }
    case 'Reshape':
      return reshaped(lower, node, p, index);
    case 'Transpose': {
      const source: Affine[] = [];
      node.attributes.perm.forEach((axis, i) => {
        source[axis] = item(index, i);
      });
      return lower.element(p, source);
    }
    case 'Slice': {
      const { begin, strides } = node.attributes;
      return lower.element(
        p,
        index.map((each, axis) => addScaled(known(item(begin, axis)), each, item(strides, axis))),
      );
    }
    case 'Reverse': {
      const { axes } = node.attributes;
      return lower.element(
        p,
        index.map((each, axis) => (axes.includes(axis) ? addScaled(known(item(p.shape, axis) - 1), each, -1) : each)),
      );
    }
    case 'Gather': {
      const rank = second().shape.length;
      const row = lower.element(second(), index.slice(0, rank));
      const within = flatIndex(p.shape.slice(1), index.slice(rank));
      return x.load(lower.inMemory(p), within, row, sizeOf(p.shape.slice(1)));
    }
    case 'Pad': {
      const { paddings, value } = node.attributes;
      const source = index.map((each, axis) => each.constant - item(item(paddings, axis), 0));
      return source.every((c, axis) => c >= 0 && c < item(p.shape, axis)) ? lower.element(p, source.map(known)) : x.number(value);
    }
    case 'Concat': {
      const { axis } = node.attributes;
      let position = item(index, axis).constant;
      for (const part of node.inputs) {
        const length = item(part.shape, axis);
        if (position < length)
          return lower.element(
            part,
            index.map((each, i) => (i === axis ? known(position) : each)),
          );
        position -= length;
      }
      throw new RangeError(`element ${index} is outside %${node.id}`);
    }
    case 'MatMul':
      return tree(
        Array.from({ length: termsOf(node) }, (_, k) => {
          const [a, b] = productIndices(node, index, known(k));
          return x.binary('Mul', lower.element(p, a), lower.element(second(), b));
        }),
        (a, b) => x.binary('Add', a, b),
      );
    case 'Sum':
    case 'Max':
    case 'Min':
    case 'Prod': {
      const { axes } = node.attributes;
      const reduced = p.shape.map((length, axis) => (axes.includes(axis) ? length : 1));
      const join = { Sum: 'Add', Max: 'Maximum', Min: 'Minimum', Prod: 'Mul' } as const;
      const op = join[node.op];
      return tree(
        Array.from({ length: sizeOf(reduced) }, (_, k) => {
          const inner = unravel(k, reduced);
          return lower.element(
            p,
            index.map((each, axis) => (axes.includes(axis) ? known(item(inner, axis)) : each)),
          );
        }),
        (a, b) => x.binary(op, a, b),
      );
    }
    default:
      throw new Error(`${node.op} is not computed element by element`);
  }
}

/** Row-major position kept: axis by axis where axes correspond, else through memory. */
function reshaped(lower: Lowering, node: Node, source: Node, index: readonly Affine[]): Expression {
  const flat = flatIndex(node.shape, index);
  if (isKnown(flat)) return lower.element(source, unravel(flat.constant, source.shape).map(known));
  const long = (shape: readonly number[]) => shape.flatMap((length, axis) => (length === 1 ? [] : [axis]));
  const [from, to] = [long(source.shape), long(node.shape)];
  if (from.length === to.length && from.every((axis, i) => source.shape[axis] === node.shape[item(to, i)])) {
    const own = source.shape.map(() => known(0));
    from.forEach((axis, i) => {
      own[axis] = item(index, item(to, i));
    });
    return lower.element(source, own);
  }
  // One axis that runs over all elements, and storage in the same order.
  const storage = lower.inMemory(source);
  return lower.x.load(storage, flat);
}
