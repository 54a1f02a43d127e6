import type { OnnxNode } from './serialize.js';

/**
 * Nodes in an order that makes ONNX Runtime compute each result as soon as it can.
 *
 * It runs, for the last of the nodes that nothing depends on, all that this one needs, then goes on to the last but one. So
 * those nodes come at the end, those that need the most before those that need less: the gradients of a network's last
 * layers come first, while what they are made of is still in the cache, and its memory is free for the next.
 *
 * `nodes` must be in topological order; so is the result. `usedBy` names the values a node reads.
 */
export function earliestFirst(nodes: readonly OnnxNode[], usedBy: (node: OnnxNode) => readonly string[]): readonly OnnxNode[] {
  const used = new Set(nodes.flatMap(usedBy));
  const depths = new Map<string, number>();
  const depthOf = (node: OnnxNode) => usedBy(node).reduce((depth, name) => Math.max(depth, depths.get(name) ?? 0), 0) + 1;
  for (const node of nodes) for (const name of node.outputs) depths.set(name, depthOf(node));
  const isLast = (node: OnnxNode) => !node.outputs.some((name) => used.has(name));
  const last = nodes.filter(isLast).map((node) => ({ node, depth: depthOf(node) }));
  return [...nodes.filter((node) => !isLast(node)), ...last.sort((a, b) => b.depth - a.depth).map(({ node }) => node)];
}
