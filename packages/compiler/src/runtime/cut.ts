import { type Graph, type Node, type NodeOf, topologicalOrder } from '../ir/index.js';
import { renumber, substitute } from '../ir/rewrite.js';
import { item } from '../ir/shape.js';

/** A part of a program: what computes `graph.outputs` from the values of `given`, which are its inputs in order. */
export type Part = { readonly graph: Graph; readonly given: readonly Node[] };

/** The part that computes `outputs` once the values of `available` are known. */
export function cut(outputs: readonly Node[], available: ReadonlySet<Node>, name: string): Part {
  const given = topologicalOrder(outputs, (node) => available.has(node)).filter((node) => available.has(node));
  const inputs: NodeOf<'Input'>[] = given.map(renumber);
  const replacement = new Map<Node, Node>(given.map((node, i) => [node, item(inputs, i)]));
  return { graph: { inputs, outputs: substitute(outputs, replacement), name }, given };
}
