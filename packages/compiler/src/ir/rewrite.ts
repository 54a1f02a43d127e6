import type { Node } from './node.js';
import { topologicalOrder } from './order.js';

/**
 * The same computation with some nodes replaced. Unchanged nodes are kept, changed ones keep their numbers, so that a
 * printed graph shows where they come from.
 */
export function substitute(outputs: readonly Node[], replacement: ReadonlyMap<Node, Node>): Node[] {
  const made = new Map(replacement);
  const now = (node: Node): Node => made.get(node) ?? node;
  for (const node of topologicalOrder(outputs, (each) => replacement.has(each))) {
    if (made.has(node) || node.inputs.every((operand) => now(operand) === operand)) continue;
    // A node of the same operation: only operands differ.
    made.set(node, { ...node, inputs: node.inputs.map(now) } as Node);
  }
  return outputs.map(now);
}

/** Inputs numbered by their position. */
export function renumber(node: Node, index: number): Extract<Node, { op: 'Input' }> {
  return { id: node.id, op: 'Input', inputs: [], attributes: { index }, shape: node.shape, dtype: node.dtype };
}
