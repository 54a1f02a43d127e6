import { ConfigError } from '@bpc/core';
import type { Attributes, DType, Graph, Node, NodeOf, Op, Shape } from './node.js';
import { topologicalOrder } from './order.js';
import { pruneScans } from './scan-prune.js';

export { topologicalOrder } from './order.js';

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
  /** A stand-in for what a loop's body gets at each iteration; no input of the program. */
  placeholder(shape: Shape, dtype: DType): NodeOf<'Input'>;
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
  const builder: Builder = {
    simplify: options.simplify ?? true,
    inputs,
    input(shape, dtype) {
      const node: NodeOf<'Input'> = { id: count++, op: 'Input', inputs: [], attributes: { index: inputs.length }, shape, dtype };
      inputs.push(node);
      return node;
    },
    placeholder: (shape, dtype) => ({ id: count++, op: 'Input', inputs: [], attributes: { index: -1 }, shape, dtype }),
    emit(op, operands, attributes, shape, dtype) {
      // Of no elements there is nothing to compute; targets never see such a value, except as an input.
      if (op !== 'Const' && op !== 'Scan' && shape.includes(0)) return builder.emit('Const', [], { values: [] }, shape, dtype);
      const large = 'body' in attributes || ('values' in attributes && attributes.values.length > HASHED_CONSTANT);
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
    finish(results, name) {
      const outputs = pruneScans(builder, results);
      const foreign = topologicalOrder(outputs).some((node) => node.op === 'Input' && inputs[node.attributes.index] !== node);
      if (foreign) {
        throw new ConfigError(
          `'${name}' uses a tensor of a scan's step outside of the scan`,
          "return it from the step, as part of the state or as the step's second result",
        );
      }
      return { inputs: [...inputs], outputs, name };
    },
  };
  return builder;
}
