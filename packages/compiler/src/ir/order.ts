import type { Node } from './node.js';

/** Nodes that `outputs` need, operands first. What only a node with `stop` needs is left out. */
export function topologicalOrder(outputs: readonly Node[], stop?: (node: Node) => boolean): Node[] {
  const order: Node[] = [];
  const seen = new Set<Node>();
  // An explicit stack: unrolled chains are deeper than the call stack allows.
  const stack = [...outputs].reverse().map((node) => ({ node, next: 0 }));
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const operand = seen.has(top.node) || stop?.(top.node) ? undefined : top.node.inputs[top.next++];
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
