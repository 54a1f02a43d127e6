import type { Attributes, DType, Graph, Node, NodeOf, Op, Shape } from './node.js';

export type BuilderOptions = {
  /** Apply the algebraic rules. Default true; tests switch it off to compare. */
  readonly simplify?: boolean;
};

/**
 * Where nodes are made. Equal nodes are one node (hash-consing), so common subexpressions vanish as they are built; the
 * constructors in this folder (`binary`, `reduce`, `reshape`, …) may return an existing or a simpler node. Nodes that no
 * output reaches are never seen by a target: that is all the dead-code elimination there is.
 */
export interface Builder {
  readonly simplify: boolean;
  readonly inputs: readonly NodeOf<'Input'>[];
  /** A new program input. */
  input(shape: Shape, dtype: DType): NodeOf<'Input'>;
  /** The node with exactly these parts, without simplification. Use the constructors instead. */
  emit<O extends Exclude<Op, 'Input'>>(op: O, inputs: readonly Node[], attributes: Attributes<O>, shape: Shape, dtype: DType): Node;
  /** The program that computes `outputs`. */
  finish(outputs: readonly Node[], name: string): Graph;
}

/** Constants above this size are told apart by identity: comparing them costs more than it saves. */
const HASHED_CONSTANT = 64;

// JSON has no NaN, infinities or negative zero, which are different constants here.
const exact = (value: unknown): unknown =>
  typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))
    ? `#${Object.is(value, -0) ? '-0' : value}`
    : ArrayBuffer.isView(value)
      ? Array.from(value as unknown as ArrayLike<number>, exact)
      : value;

/** An empty graph builder. */
export function graphBuilder(options: BuilderOptions = {}): Builder {
  const inputs: NodeOf<'Input'>[] = [];
  const known = new Map<string, Node>();
  let count = 0;
  return {
    simplify: options.simplify ?? true,
    inputs,
    input(shape, dtype) {
      const node: NodeOf<'Input'> = { id: count++, op: 'Input', inputs: [], attributes: { index: inputs.length }, shape, dtype };
      inputs.push(node);
      return node;
    },
    emit(op, operands, attributes, shape, dtype) {
      const large = 'values' in attributes && attributes.values.length > HASHED_CONSTANT;
      const key = large
        ? undefined
        : `${op}|${operands.map((x) => x.id)}|${JSON.stringify(attributes, (_, value) => exact(value))}|${shape}|${dtype}`;
      const found = key === undefined ? undefined : known.get(key);
      if (found !== undefined) return found;
      // The parts were checked against `op` by the signature, which TypeScript cannot carry into the union.
      const node = { id: count++, op, inputs: operands, attributes, shape, dtype } as unknown as Node;
      if (key !== undefined) known.set(key, node);
      return node;
    },
    finish: (outputs, name) => ({ inputs: [...inputs], outputs, name }),
  };
}

/** Nodes that `outputs` need, operands first. */
export function topologicalOrder(outputs: readonly Node[]): Node[] {
  const order: Node[] = [];
  const seen = new Set<Node>();
  // An explicit stack: unrolled chains are deeper than the call stack allows.
  const stack = [...outputs].reverse().map((node) => ({ node, next: 0 }));
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const operand = seen.has(top.node) ? undefined : top.node.inputs[top.next++];
    if (operand !== undefined) {
      if (!seen.has(operand)) stack.push({ node: operand, next: 0 });
      continue;
    }
    stack.pop();
    if (!seen.has(top.node)) {
      seen.add(top.node);
      order.push(top.node);
    }
  }
  return order;
}
