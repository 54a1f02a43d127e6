import { binaryRules, isCommutative } from './binary-rules.js';
import type { Builder } from './builder.js';
import { fold, scalar, unbroadcast, uniformValue } from './constant.js';
import { logisticUnary } from './logistic-rules.js';
import type { Binary, Compare, DType, Node, Unary } from './node.js';
import { binaryFunction, compareFunction, unaryFunction } from './scalar-functions.js';
import { broadcastShapes, item, sameShape } from './shape.js';
import { broadcast } from './views.js';

/** f(broadcast(x), …) = broadcast(f(x, …)): a repeated operand is never stored. Undefined if nothing is repeated. */
function sink(g: Builder, operands: readonly Node[], build: (bare: readonly Node[]) => Node): Node | undefined {
  const bare = g.simplify ? operands.map(unbroadcast) : operands;
  if (bare.every((node, i) => node === operands[i])) return undefined;
  return broadcast(g, build(bare), operands.map((node) => node.shape).reduce(broadcastShapes));
}

const IDEMPOTENT: readonly Unary[] = ['Relu', 'Abs', 'Floor', 'Ceil', 'Round', 'Sign'];
const INTEGRAL: readonly Unary[] = ['Floor', 'Ceil', 'Round'];

/** An element-wise function of one argument. */
export function unary(g: Builder, op: Unary, x: Node): Node {
  const dtype: DType = op === 'LogicalNot' ? 'bool' : x.dtype;
  const simpler = sink(g, [x], ([bare]) => unary(g, op, bare ?? x)) ?? fold(g, [x], x.shape, dtype, unaryFunction[op]);
  if (simpler !== undefined) return simpler;
  if (g.simplify) {
    const inner = x.inputs[0];
    // −x = −1·x, so that the rules for factors see it
    if (op === 'Neg') return binary(g, 'Mul', x, scalar(g, -1, x.dtype));
    // f(f(x)) = f(x)
    if (x.op === op && IDEMPOTENT.includes(op)) return x;
    // rounding an integer
    if (INTEGRAL.includes(op) && x.dtype === 'int32') return x;
    if (op === 'LogicalNot' && x.op === 'LogicalNot' && inner) return inner;
    // exp(log(…)) and log(exp(…)) stay: they differ from x outside the domain.
    const logistic = logisticUnary(g, op, x);
    if (logistic) return logistic;
  }
  return g.emit(op, [x], {}, x.shape, dtype);
}

/** An element-wise function of two arguments, broadcasting. */
export function binary(g: Builder, op: Binary, a: Node, b: Node): Node {
  const dtype: DType = a.dtype === 'int32' && b.dtype === 'int32' ? 'int32' : 'float32';
  const shape = broadcastShapes(a.shape, b.shape);
  const simpler =
    sink(g, [a, b], ([x, y]) => binary(g, op, x ?? a, y ?? b)) ??
    fold(g, [a, b], shape, dtype, binaryFunction[op]) ??
    (g.simplify ? binaryRules(g, op, a, b, shape, dtype) : undefined);
  if (simpler !== undefined) return simpler;
  // One order for both ways of writing it, so that equal values are one node.
  const swap = g.simplify && isCommutative(op) && a.id > b.id;
  return g.emit(op, swap ? [b, a] : [a, b], {}, shape, dtype);
}

/** A comparison or logical function, broadcasting. */
export function compare(g: Builder, op: Compare, a: Node, b: Node): Node {
  const shape = broadcastShapes(a.shape, b.shape);
  return (
    sink(g, [a, b], ([x, y]) => compare(g, op, x ?? a, y ?? b)) ??
    fold(g, [a, b], shape, 'bool', compareFunction[op]) ??
    g.emit(op, [a, b], {}, shape, 'bool')
  );
}

const WIDTHS: readonly DType[] = ['bool', 'int32', 'float32'];
const wider = (a: DType, b: DType): DType => (WIDTHS.indexOf(a) >= WIDTHS.indexOf(b) ? a : b);

/** `a` where `condition`, else `b`; broadcasting, of the wider dtype. */
export function select(g: Builder, condition: Node, a: Node, b: Node): Node {
  const shape = [condition, a, b].map((node) => node.shape).reduce(broadcastShapes);
  if (g.simplify) {
    const known = uniformValue(condition);
    // a constant condition
    if (known !== undefined) return broadcast(g, cast(g, known !== 0 ? a : b, wider(a.dtype, b.dtype)), shape);
    // the same on both sides
    if (a === b) return broadcast(g, a, shape);
    // where(!c, a, b) = where(c, b, a)
    if (condition.op === 'LogicalNot') return select(g, item(condition.inputs, 0), b, a);
  }
  return (
    sink(g, [condition, a, b], ([c, x, y]) => select(g, c ?? condition, x ?? a, y ?? b)) ??
    g.emit('Select', [condition, a, b], {}, shape, wider(a.dtype, b.dtype))
  );
}

/** Conversion: towards zero to int32, "is not zero" to bool. */
export function cast(g: Builder, x: Node, dtype: DType): Node {
  if (x.dtype === dtype) return x;
  const convert = (v: number) => (dtype === 'int32' ? Math.trunc(v) : dtype === 'bool' ? +(v !== 0) : v);
  const simpler = sink(g, [x], ([bare]) => cast(g, bare ?? x, dtype)) ?? fold(g, [x], x.shape, dtype, convert);
  if (simpler !== undefined) return simpler;
  const inner = x.inputs[0];
  // x > 0 as a number
  if (g.simplify && x.op === 'Greater' && dtype === 'float32' && inner && sameShape(inner.shape, x.shape) && inner.dtype === 'float32') {
    const other = x.inputs[1];
    if (other && uniformValue(other) === 0) return unary(g, 'Step', inner);
  }
  // A bool or an int32 survives the way through a wider type.
  if (g.simplify && x.op === 'Cast' && inner && sameShape(inner.shape, x.shape) && inner.dtype !== 'float32' && x.dtype !== 'bool') {
    return cast(g, inner, dtype);
  }
  // 1 where x > 0, else 0: how gradients write their masks
  if (g.simplify && dtype === 'float32' && x.op === 'Greater' && inner?.dtype === 'float32' && sameShape(inner.shape, x.shape)) {
    if (uniformValue(item(x.inputs, 1)) === 0) return unary(g, 'Step', inner);
  }
  return g.emit('Cast', [x], {}, x.shape, dtype);
}
