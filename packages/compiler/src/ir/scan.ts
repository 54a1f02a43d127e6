import type { Builder } from './builder.js';
import { constant } from './constant.js';
import type { Graph, Node, NodeOf, ScanAttributes, Shape } from './node.js';
import { topologicalOrder } from './order.js';
import { renumber, substitute } from './rewrite.js';
import { item, sizeOf } from './shape.js';

/** A loop as it is built: what goes in, the stand-ins that its body was built on, and what the body gives. */
export type ScanParts = {
  /** Of the step. */
  readonly name: string;
  readonly length: number;
  readonly states: readonly { readonly initial: Node; readonly now: NodeOf<'Input'>; readonly next: Node }[];
  /** Stacked along axis 0, and one row. */
  readonly xs: readonly { readonly stacked: Node; readonly row: NodeOf<'Input'> }[];
  /** Results of an iteration. */
  readonly ys: readonly Node[];
};

/** One result of a loop; `offset` is where it starts if all of them lie one behind the other. */
export type ScanResult = { readonly shape: Shape; readonly dtype: Node['dtype']; readonly offset: number };

/** States after the loop and stacked results of its iterations, in order. */
export function scanResults({ length, states, body }: Pick<ScanAttributes, 'length' | 'states' | 'body'>): ScanResult[] {
  let offset = 0;
  return body.outputs.map(({ shape, dtype }, i) => {
    const result = { shape: i < states ? shape : [length, ...shape], dtype, offset };
    offset += sizeOf(result.shape);
    return result;
  });
}

/** Constants up to this size are repeated in a body; larger ones are passed in, so that they are stored once. */
const SMALL_CONSTANT = 64;

/**
 * The values that a body needs from outside. Whatever does not depend on the iteration is outside, which moves it out of
 * the loop, except what costs nothing but memory there: small constants, and repetitions.
 */
function invariantsOf(outputs: readonly Node[], varying: ReadonlySet<Node>): Node[] {
  const depends = new Set<Node>();
  const inside = new Set<Node>();
  const order = topologicalOrder(outputs);
  for (const node of order) if (varying.has(node) || node.inputs.some((operand) => depends.has(operand))) depends.add(node);
  const found = new Set<Node>();
  const need = (node: Node): void => {
    if (depends.has(node) || inside.has(node)) return;
    if (node.op === 'Const' && sizeOf(node.shape) <= SMALL_CONSTANT) return;
    if (node.op !== 'Broadcast') found.add(node);
    else {
      inside.add(node);
      node.inputs.forEach(need);
    }
  };
  outputs.forEach(need);
  for (const node of order) if (depends.has(node) && !varying.has(node)) node.inputs.forEach(need);
  return [...found];
}

/** A loop, as the nodes of its results. */
export function scan(g: Builder, { name, length, states, xs, ys }: ScanParts): { readonly states: Node[]; readonly ys: Node[] } {
  const outputs = [...states.map(({ next }) => next), ...ys];
  const varying = [...states.map(({ now }) => now), ...xs.map(({ row }) => row)];
  const invariants = invariantsOf(outputs, new Set(varying));
  const inside = [...varying, ...invariants];
  const inputs = inside.map(renumber);
  const body: Graph = { inputs, outputs: substitute(outputs, new Map(inside.map((node, i) => [node, item(inputs, i)]))), name };
  const operands = [...states.map(({ initial }) => initial), ...xs.map(({ stacked }) => stacked), ...invariants];
  const results = scanOutputs(g, operands, { length, states: states.length, xs: xs.length, body });
  return { states: results.slice(0, states.length), ys: results.slice(states.length) };
}

/** A loop with a given body, and the nodes of its results. */
export function scanOutputs(g: Pick<Builder, 'emit'>, operands: readonly Node[], attributes: ScanAttributes): Node[] {
  const results = scanResults(attributes);
  const total = results.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const loop = g.emit('Scan', operands, attributes, [total], 'float32');
  return results.map(({ shape, dtype }, index) => g.emit('ScanOutput', [loop], { index }, shape, dtype));
}

/** 0, 1, …, length − 1: an iteration's number is a row of it. */
export const iota = (g: Builder, length: number): Node =>
  constant(
    g,
    Int32Array.from({ length }, (_, i) => i),
    [length],
    'int32',
  );
