import type { Graph, Node, NodeOf, ScanAttributes } from './node.js';
import { topologicalOrder } from './order.js';
import { renumber, substitute } from './rewrite.js';
import { scanOutputs } from './scan.js';
import { item } from './shape.js';

type Emit = Parameters<typeof scanOutputs>[0];

/** Positions of a loop's operands and results that stay; the others are not computed. */
type Kept = {
  readonly states: readonly number[];
  readonly xs: readonly number[];
  readonly invariants: readonly number[];
  readonly ys: readonly number[];
};

const reached = (outputs: readonly Node[]): Set<Node> => new Set(topologicalOrder(outputs));
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

/** A state that the body passes on as it is: an invariant. */
const isConstant = ({ body }: ScanAttributes, state: number): boolean => body.outputs[state] === body.inputs[state];

function kept(attributes: ScanAttributes, used: ReadonlySet<number>): Kept {
  const { states, xs, body } = attributes;
  const changing = range(0, states).filter((i) => !isConstant(attributes, i));
  const ys = range(states, body.outputs.length).filter((i) => used.has(i));
  const wanted = new Set(changing.filter((i) => used.has(i)));
  // A state is needed if what is needed reads it, possibly through the next state of another.
  for (let before = -1; before !== wanted.size; ) {
    before = wanted.size;
    const needed = reached([...wanted, ...ys].map((i) => item(body.outputs, i)));
    for (const i of changing) if (needed.has(item(body.inputs, i))) wanted.add(i);
  }
  const needed = reached([...wanted, ...ys].map((i) => item(body.outputs, i)));
  const isNeeded = (i: number) => needed.has(item(body.inputs, i));
  return {
    states: changing.filter((i) => wanted.has(i)),
    xs: range(states, states + xs).filter(isNeeded),
    invariants: [...range(0, states).filter((i) => isConstant(attributes, i)), ...range(states + xs, body.inputs.length)].filter(isNeeded),
    ys,
  };
}

function pruned(g: Emit, loop: NodeOf<'Scan'>, used: ReadonlySet<number>): ReadonlyMap<number, Node> {
  const { attributes } = loop;
  const { body, states } = attributes;
  const inner: Graph = { ...body, outputs: pruneScans(g, body.outputs) };
  const { states: carried, xs, invariants, ys } = kept({ ...attributes, body: inner }, used);
  const results = new Map<number, Node>();
  for (const i of range(0, states)) if (isConstant(attributes, i)) results.set(i, item(loop.inputs, i));
  const outputs = [...carried, ...ys];
  if (outputs.length === 0) return results;
  const operands = [...carried, ...xs, ...invariants];
  const inputs = operands.map((from, to) => renumber(item(body.inputs, from), to));
  const replacement = new Map<Node, Node>(operands.map((from, to) => [item(body.inputs, from), item(inputs, to)]));
  const smaller: Graph = {
    ...body,
    inputs,
    outputs: substitute(
      outputs.map((i) => item(inner.outputs, i)),
      replacement,
    ),
  };
  const nodes = scanOutputs(
    g,
    operands.map((i) => item(loop.inputs, i)),
    { length: attributes.length, states: carried.length, xs: xs.length, body: smaller },
  );
  outputs.forEach((i, k) => results.set(i, item(nodes, k)));
  return results;
}

/** The same values without the states and results of loops that nothing needs: dead code inside of loops. */
export function pruneScans(g: Emit, outputs: readonly Node[]): readonly Node[] {
  let now = outputs;
  // Later loops first: without a dead result they may not need an earlier one.
  const loops = topologicalOrder(outputs).flatMap((node) => (node.op === 'Scan' ? [node] : []));
  for (const loop of loops.reverse()) {
    const uses = topologicalOrder(now).flatMap((node) => (node.op === 'ScanOutput' && node.inputs[0] === loop ? [node] : []));
    const results = pruned(g, loop, new Set(uses.map(({ attributes }) => attributes.index)));
    const replacement = uses.flatMap((use) => {
      const result = results.get(use.attributes.index);
      return result === undefined ? [] : [[use, result] as const];
    });
    now = substitute(now, new Map<Node, Node>(replacement));
  }
  return now;
}
