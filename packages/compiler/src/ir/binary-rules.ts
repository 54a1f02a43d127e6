import type { Builder } from './builder.js';
import { scalar, uniformValue } from './constant.js';
import { binary, unary } from './elementwise.js';
import { logisticBinary } from './logistic-rules.js';
import type { Binary, DType, Node, Shape } from './node.js';
import { broadcastShapes, item, sizeOf } from './shape.js';
import { broadcast } from './views.js';

export const isCommutative = (op: Binary): boolean =>
  op === 'Add' || op === 'Mul' || op === 'Maximum' || op === 'Minimum' || op === 'BitwiseAnd';

/** A factor that can be merged with others without over- or underflow, in float32 as well. */
const moderate = (value: number): boolean => Math.abs(value) > 1e-30 && Math.abs(value) < 1e30;

/**
 * Algebra on two operands. Never x·0 → 0 or x − x → 0: both are NaN for some x. Rules that merge constants change the
 * rounding, not more.
 */
export function binaryRules(g: Builder, op: Binary, a: Node, b: Node, shape: Shape, dtype: DType): Node | undefined {
  const whole = (node: Node) => broadcast(g, node, shape);
  const left = uniformValue(a);
  const right = uniformValue(b);
  // max(x, x) = x
  if ((op === 'Maximum' || op === 'Minimum') && a === b) return a;
  // Below, results take the dtype of the operands.
  if (a.dtype !== dtype || b.dtype !== dtype) return undefined;
  // 1·x = x, x·1 = x
  if (op === 'Mul' && left === 1) return whole(b);
  if (op === 'Mul' && right === 1) return whole(a);
  // x + 0 = x, x − 0 = x (up to the sign of a zero)
  if ((op === 'Add' || op === 'Sub') && right === 0) return whole(a);
  if (op === 'Add' && left === 0) return whole(b);
  if (dtype !== 'float32') return undefined;
  // 0 − x = −1·x
  if (op === 'Sub' && left === 0) return whole(binary(g, 'Mul', b, scalar(g, -1)));
  // x / c = x·(1/c)
  if (op === 'Div' && right !== undefined && moderate(right)) return whole(binary(g, 'Mul', a, scalar(g, 1 / right)));
  // 1 / x = reciprocal(x)
  if (op === 'Div' && left === 1) return whole(unary(g, 'Reciprocal', b));
  // x / sqrt(y)… stays: merging would change more than rounding at 0.
  if (op === 'Pow') {
    // x² = x·x, x¹ = x, x⁻¹ = 1/x, x⁰ = 1 (for NaN too)
    if (right === 2) return whole(binary(g, 'Mul', a, a));
    if (right === 1) return whole(a);
    if (right === -1) return whole(unary(g, 'Reciprocal', a));
    if (right === 0) return whole(scalar(g, 1));
  }
  return logisticBinary(g, op, a, b) ?? cancelCommonTerm(g, op, a, b) ?? shareSmallOperands(g, op, a, b);
}

/** (x + s) − (m + s) = x − m: the bias in front of a normalisation. */
function cancelCommonTerm(g: Builder, op: Binary, a: Node, b: Node): Node | undefined {
  if (op !== 'Sub' || a.op !== 'Add' || b.op !== 'Add') return undefined;
  for (const i of [0, 1]) {
    for (const j of [0, 1]) {
      const rest: [Node, Node] = [item(a.inputs, 1 - i), item(b.inputs, 1 - j)];
      const same = a.inputs[i] === b.inputs[j];
      const shape = broadcastShapes(rest[0].shape, rest[1].shape);
      if (same) return broadcast(g, binary(g, 'Sub', ...rest), broadcastShapes(broadcastShapes(a.shape, b.shape), shape));
    }
  }
  return undefined;
}

/** (big·s)·t = big·(s·t), and the same for sums: one pass over a big tensor instead of two. */
function shareSmallOperands(g: Builder, op: Binary, a: Node, b: Node): Node | undefined {
  if (op !== 'Mul' && op !== 'Add') return undefined;
  const [x, t] = sizeOf(a.shape) >= sizeOf(b.shape) ? [a, b] : [b, a];
  const constants = uniformValue(t) !== undefined && sizeOf(x.shape) === 1;
  if (x.op !== op || (sizeOf(t.shape) >= sizeOf(x.shape) && !constants)) return undefined;
  const [p, q] = [item(x.inputs, 0), item(x.inputs, 1)];
  const [big, s] = constants ? (uniformValue(p) === undefined ? [p, q] : [q, p]) : sizeOf(p.shape) >= sizeOf(q.shape) ? [p, q] : [q, p];
  const u = uniformValue(s);
  const v = uniformValue(t);
  if (constants && u === undefined) return undefined;
  if (!constants && (sizeOf(s.shape) >= sizeOf(big.shape) || sizeOf(broadcastShapes(s.shape, t.shape)) >= sizeOf(x.shape)))
    return undefined;
  if (op === 'Mul' && u !== undefined && v !== undefined && !(moderate(u) && moderate(v) && moderate(u * v))) return undefined;
  return broadcast(g, binary(g, op, big, binary(g, op, s, t)), broadcastShapes(a.shape, b.shape));
}
