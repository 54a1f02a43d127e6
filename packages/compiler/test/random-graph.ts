import type { Graph, Node } from '@bpc/compiler';
import fc from 'fast-check';
import { expect } from 'vitest';
import * as ir from '../src/ir/index.js';
import { graphBuilder } from '../src/ir/index.js';
import { sizeOf } from '../src/ir/shape.js';
import { interpret } from './interpreter.js';

/** Numbers that steer the construction of one random graph; the same numbers build the same mathematics twice. */
const FAMILIES: number[][][] = [
  [[4, 3], [3], [4, 1], [2, 4, 3], []],
  [[5, 9], [9], [5, 1], [5, 9], [2, 1, 1]],
];
/** Recipes over families of shapes that broadcast with each other. */
export const recipes = (families: number[][][] = FAMILIES) =>
  fc.record({
    inputs: fc.constantFrom(...families),
    steps: fc.array(fc.tuple(fc.nat(20), fc.nat(1000), fc.nat(1000), fc.nat(1000)), { minLength: 3, maxLength: 30 }),
  });
export type Recipe = { readonly inputs: number[][]; readonly steps: readonly [number, number, number, number][] };

const UNARY = ['Neg', 'Exp', 'Relu', 'Sigmoid', 'Tanh', 'Abs', 'Sin', 'Softplus'] as const;
const BINARY = ['Add', 'Sub', 'Mul', 'Maximum', 'Minimum', 'Add', 'Sub', 'Mul'] as const;
const CONSTANTS = [0, 1, 2, -1, 0.5, -3];

const broadcasts = (a: Node, b: Node) => {
  const rank = Math.max(a.shape.length, b.shape.length);
  return [...Array(rank).keys()].every((i) => {
    const [x, y] = [a.shape[a.shape.length - rank + i] ?? 1, b.shape[b.shape.length - rank + i] ?? 1];
    return x === y || x === 1 || y === 1;
  });
};

/** Mostly one of the latest, so that rules about chains of operations apply. */
const recent = (nodes: readonly Node[], i: number) => nodes[nodes.length - 1 - Math.floor((i / 1001) ** 2 * nodes.length)]!;

export function build({ inputs, steps }: Recipe, simplify: boolean): Graph {
  const g = graphBuilder({ simplify });
  // Shapes decide which steps are possible, and they are the same with and without simplification.
  const nodes: Node[] = [...inputs.map((shape) => g.input(shape, 'float32')), ...CONSTANTS.map((c) => ir.scalar(g, c))];
  const made: Node[] = [];
  // Bounded, so that a difference means a wrong rule and not a huge number.
  const add = (node: Node) => {
    const bounded = sizeOf(node.shape) > 400 ? ir.reduce(g, 'Sum', node, [0], false) : node;
    nodes.push(bounded);
    made.push(bounded);
  };
  for (const [kind, i, j, k] of steps) {
    const x = recent(nodes, i);
    const y = recent(nodes, j);
    const rank = x.shape.length;
    const axis = rank === 0 ? 0 : k % rank;
    const axes = x.shape.map((_, a) => a).filter((a) => (k >> a) % 2 === 0);
    if (kind < 3) add(ir.unary(g, UNARY[k % UNARY.length]!, UNARY[k % UNARY.length] === 'Exp' ? ir.unary(g, 'Tanh', x) : x));
    else if (kind < 9 && broadcasts(x, y)) add(ir.binary(g, BINARY[k % BINARY.length]!, x, y));
    else if (kind === 9) add(ir.binary(g, 'Div', x, ir.scalar(g, CONSTANTS[1 + (k % 5)]!)));
    else if (kind === 10) add(ir.binary(g, 'Pow', ir.unary(g, 'Abs', x), ir.scalar(g, [0, 1, 2, 0.5, 3][k % 5]!)));
    // Compared with a number that no other value equals: rounding must not decide.
    else if (kind === 11 && broadcasts(x, y)) add(ir.select(g, ir.compare(g, 'Greater', x, ir.scalar(g, 0.3779)), y, ir.scalar(g, 2)));
    else if (kind === 12) add(ir.reduce(g, (['Sum', 'Sum', 'Max', 'Min'] as const)[j % 4]!, x, axes, i % 2 === 0));
    else if (kind === 13) add(ir.mean(g, x, axes, i % 2 === 0));
    else if (kind === 14) add(ir.reshape(g, x, k % 2 === 0 ? [sizeOf(x.shape)] : [1, ...x.shape, 1]));
    else if (kind === 15) add(ir.transpose(g, x, [...x.shape.keys()].reverse()));
    else if (kind === 16) add(ir.broadcast(g, x, [(k % 3) + 1, ...x.shape.map((d) => (d === 1 ? 2 : d))]));
    else if (kind === 17 && rank > 0)
      add(
        ir.slice(
          g,
          x,
          x.shape.map((d, a) => (a === axis && d > 1 ? 1 : 0)),
          x.shape.map((d, a) => (a === axis && d > 1 ? d - 1 : d)),
        ),
      );
    else if (kind === 18 && rank > 0)
      add(
        ir.pad(
          g,
          x,
          x.shape.map((_, a): [number, number] => (a === axis ? [1, k % 2] : [0, 0])),
          j % 2,
        ),
      );
    else if (kind === 19 && rank > 0) add(k % 2 === 0 ? ir.reverse(g, x, [axis]) : ir.concat(g, [x, ir.unary(g, 'Sin', x), x], axis));
    else if (rank === 2 && y.shape.length === 2 && x.shape[1] === y.shape[1]) add(ir.matMul(g, x, y, false, true));
  }
  return g.finish(made.length > 0 ? made.slice(-3) : [nodes[0]!], 'random');
}

export const data = (graph: Graph) =>
  graph.inputs.map((node, i) => Float64Array.from({ length: sizeOf(node.shape) }, (_, k) => Math.sin(1 + i * 7 + k * 1.7)));

export function expectEqual(found: readonly ArrayLike<number>[], expected: readonly ArrayLike<number>[], graph: Graph, tolerance = 1e-12) {
  expected.forEach((want, i) => {
    // Sums are rearranged: the error is relative to the terms, not to a sum that may cancel.
    const scale = Math.max(1, ...Array.from(want, Math.abs).filter(Number.isFinite));
    for (let k = 0; k < want.length; k++) {
      const [a, b] = [found[i]![k]!, want[k]!];
      if (Object.is(a, b) || a === b) continue;
      if (!(Math.abs(a - b) <= tolerance * scale)) expect.fail(`output ${i}[${k}] is ${a}, expected ${b}\n${ir.printGraph(graph)}`);
    }
  });
}

export const huge = (graph: Graph) => interpret(graph, data(graph)).some((values) => values.some((v) => !(Math.abs(v) < 1e12)));
