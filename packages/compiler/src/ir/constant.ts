import type { Builder } from './builder.js';
import type { DType, Node, NodeOf, Shape } from './node.js';
import { item, sizeOf, stridesOf } from './shape.js';
import { broadcast } from './views.js';

/** Element-wise results up to this size are computed while building. */
const FOLD_LIMIT = 64;

/** Values known when the program is built. A tensor of equal values becomes the broadcast of a scalar. */
export function constant(g: Builder, values: ArrayLike<number>, shape: Shape, dtype: DType = 'float32'): Node {
  const first = values[0];
  if (g.simplify && shape.length > 0 && first !== undefined && allEqual(values, first)) {
    return broadcast(g, constant(g, [first], [], dtype), shape);
  }
  return g.emit('Const', [], { values }, shape, dtype);
}

/** A rank-0 constant. */
export const scalar = (g: Builder, value: number, dtype: DType = 'float32'): Node => constant(g, [value], [], dtype);

function allEqual(values: ArrayLike<number>, first: number): boolean {
  for (let i = 1; i < values.length; i++) if (!Object.is(values[i], first)) return false;
  return true;
}

export const isConst = (node: Node): node is NodeOf<'Const'> => node.op === 'Const';

/** The value of a node known to be one number everywhere, else undefined. */
export function uniformValue(node: Node): number | undefined {
  if (node.op === 'Broadcast') return uniformValue(item(node.inputs, 0));
  return isConst(node) && node.attributes.values.length === 1 ? node.attributes.values[0] : undefined;
}

/** The operand without its broadcast: element-wise operations broadcast anyway. */
export const unbroadcast = (node: Node): Node => (node.op === 'Broadcast' ? item(node.inputs, 0) : node);

/** f(constants…) computed now, if every operand is a small constant. */
export function fold(
  g: Builder,
  operands: readonly Node[],
  shape: Shape,
  dtype: DType,
  f: (...values: number[]) => number,
): Node | undefined {
  const total = sizeOf(shape);
  if (!g.simplify || total > FOLD_LIMIT || !operands.every(isConst)) return undefined;
  const strides = stridesOf(shape);
  const values = Array.from({ length: total }, (_, k) =>
    f(
      ...operands.map((operand) => {
        const own = stridesOf(operand.shape);
        const offset = shape.length - operand.shape.length;
        const flat = operand.shape.reduce(
          (sum, length, i) => sum + (length === 1 ? 0 : Math.floor(k / item(strides, i + offset)) % item(shape, i + offset)) * item(own, i),
          0,
        );
        return item(operand.attributes.values, flat);
      }),
    ),
  );
  return constant(g, values, shape, dtype);
}
