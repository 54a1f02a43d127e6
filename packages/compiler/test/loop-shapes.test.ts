import { describe, expect, it } from 'vitest';
import * as ir from '../src/ir/index.js';
import { type Builder, type Graph, graphBuilder, type Node } from '../src/ir/index.js';
import { sizeOf } from '../src/ir/shape.js';
import { lowerGraph } from '../src/targets/js/lower.js';
import { compileToJs } from '../src/targets/js/target.js';
import { PRINTERS } from './helpers.js';
import { interpret } from './interpreter.js';

type Make = (g: Builder, ...inputs: Node[]) => Node | Node[];

function graphOf(shapes: readonly number[][], make: Make): Graph {
  const g = graphBuilder();
  const made = make(g, ...shapes.map((shape) => g.input(shape, 'float32')));
  return g.finish(Array.isArray(made) ? made : [made], 'test');
}

/** Extents of the loops of a program, in order. */
const extentsOf = (graph: Graph) => lowerGraph(graph).items.flatMap((each) => (each.kind === 'loop' ? [each.extents] : []));

function expectComputed(graph: Graph): void {
  const inputs = graph.inputs.map(({ shape }, i) => Float64Array.from({ length: sizeOf(shape) }, (_, k) => Math.sin(k * 1.7 + i)));
  const want = interpret(graph, inputs);
  for (const printer of PRINTERS) {
    const outputs = want.map((values) => new Float64Array(values.length));
    compileToJs(graph, { printer }).runSync(inputs, outputs);
    want.forEach((values, i) =>
      values.forEach((v, k) => expect(Math.abs(outputs[i]![k]! - v)).toBeLessThan(1e-12 * Math.max(1, Math.abs(v)))),
    );
  }
}

const sin = (g: Builder, x: Node) => ir.unary(g, 'Sin', x);

describe('contiguous axes are one loop', () => {
  it.each<[string, number[][], Make, number[][]]>([
    ['of an element-wise chain', [[8, 5, 7, 3]], (g, x) => sin(g, x!), [[840]]],
    ['of a sum over everything', [[40, 5, 3]], (g, x) => ir.reduce(g, 'Sum', sin(g, x!), [0, 1, 2], false), [[600]]],
    [
      'apart where an operand is repeated',
      [
        [40, 5, 7],
        [40, 1, 1],
      ],
      (g, x, y) => ir.binary(g, 'Add', x!, y!),
      [[40, 35]],
    ],
    ['apart where axes are exchanged', [[40, 6, 7]], (g, x) => sin(g, ir.transpose(g, x!, [0, 2, 1])), [[40, 7, 6]]],
    ['together where two of three axes move together', [[9, 6, 7]], (g, x) => sin(g, ir.transpose(g, x!, [2, 0, 1])), [[7, 54]]],
    [
      'in the rows of a sum, but not with the rows themselves',
      [[30, 8, 9]],
      (g, x) => ir.reduce(g, 'Sum', sin(g, x!), [1, 2], false),
      [[30, 72], [30]],
    ],
    ['of what is left after a slice', [[30, 8, 9]], (g, x) => sin(g, ir.slice(g, x!, [3, 0, 0], [20, 8, 9])), [[1440]]],
    ['apart where a slice leaves gaps', [[30, 8, 9]], (g, x) => sin(g, ir.slice(g, x!, [0, 1, 0], [30, 6, 9])), [[30, 54]]],
  ])('%s', (_, shapes, make, extents) => {
    const graph = graphOf(shapes, make);
    expect(extentsOf(graph)).toEqual(extents);
    expectComputed(graph);
  });

  it('with computed rows moved along', () => {
    const g = graphBuilder();
    const [x, index] = [g.input([50, 3, 6], 'float32'), g.input([20], 'int32')];
    const graph = g.finish([ir.gather(g, x, index)], 'gather');
    expect(extentsOf(graph)).toEqual([[20, 18]]);
    const inputs = [Float64Array.from({ length: 900 }, (_, k) => k), Float64Array.from({ length: 20 }, (_, k) => (k * 7) % 50)];
    for (const printer of PRINTERS) {
      const output = new Float64Array(360);
      compileToJs(graph, { printer }).runSync(inputs, [output]);
      expect([...output]).toEqual([...inputs[1]!].flatMap((row) => Array.from({ length: 18 }, (_, c) => row * 18 + c)));
    }
  });
});

describe('short innermost axes', () => {
  const pairs: Make = (g, x, y) => ir.unary(g, 'Exp', ir.binary(g, 'Sub', x!, y!));
  it('are written out under a long one, and the loops fuse', () => {
    const graph = graphOf(
      [
        [200, 3],
        [200, 1],
      ],
      (g, x, y) => [pairs(g, x!, y!) as Node, sin(g, y!)],
    );
    expect(extentsOf(graph)).toEqual([[200]]);
    expectComputed(graph);
  });

  it('stay loops where the outer one is short too, where they are longer, or where they reduce', () => {
    for (const [rows, columns] of [
      [20, 3],
      [200, 5],
    ]) {
      const graph = graphOf(
        [
          [rows!, columns!],
          [rows!, 1],
        ],
        pairs,
      );
      expect(extentsOf(graph)).toEqual([[rows, columns]]);
      expectComputed(graph);
    }
    const sums = graphOf(
      [
        [200, 3],
        [200, 1],
      ],
      (g, x, y) => ir.reduce(g, 'Sum', pairs(g, x!, y!) as Node, [0, 1], false),
    );
    expect(extentsOf(sums)).toEqual([[200, 3]]);
    expectComputed(sums);
  });

  it('are written out where sums go into memory', () => {
    const graph = graphOf(
      [
        [40, 64, 3],
        [1, 64, 1],
      ],
      (g, x, y) => ir.reduce(g, 'Max', ir.binary(g, 'Mul', sin(g, x!), y!), [0], true),
    );
    expect(extentsOf(graph)).toEqual([[40, 64]]);
    expectComputed(graph);
  });
});

describe('products of a long matrix with a vector read the matrix in order', () => {
  it.each<[string, number[], number[], boolean, boolean, number[]]>([
    ['X·w', [50, 40], [40, 1], false, false, [50, 40]],
    ['Xᵀ·r', [50, 40], [50, 1], true, false, [50, 40]],
    ['wᵀ·X', [1, 50], [50, 40], false, false, [50, 40]],
    ['rᵀ·Xᵀ', [1, 40], [50, 40], false, true, [50, 40]],
    ['a batch of Xᵀ·r', [3, 50, 40], [3, 50, 1], true, false, [3, 50, 40]],
    ['a batch of wᵀ·X for one w', [1, 50], [3, 50, 40], false, false, [3, 50, 40]],
  ])('%s', (_, a, b, transposeA, transposeB, extents) => {
    const graph = graphOf([a, b], (g, x, y) => ir.matMul(g, x!, y!, transposeA, transposeB));
    expect(extentsOf(graph)).toEqual([extents]);
    expectComputed(graph);
  });
});
