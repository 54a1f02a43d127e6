import { describe, expect, it } from 'vitest';
import * as ir from '../src/ir/index.js';
import { type Builder, type Graph, graphBuilder, type Node } from '../src/ir/index.js';
import { sizeOf } from '../src/ir/shape.js';
import { lowerGraph } from '../src/targets/js/lower.js';
import { compileToJs } from '../src/targets/js/target.js';
import { PRINTERS } from './helpers.js';
import { interpret } from './interpreter.js';

function graphOf(shapes: readonly number[][], make: (g: Builder, ...inputs: Node[]) => Node[]): Graph {
  const g = graphBuilder();
  return g.finish(make(g, ...shapes.map((shape) => g.input(shape, 'float32'))), 'test');
}

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

/** Kinds of the roots of each loop. */
const rootsOf = (graph: Graph) =>
  lowerGraph(graph).items.map((each) => (each.kind === 'loop' ? each.roots.map(({ kind }) => kind) : each.kernel));
/** Worth storing, since it is used twice and costs more than reading it back. */
const costly = (g: Builder, x: Node) => ir.unary(g, 'Tanh', ir.unary(g, 'Sin', ir.unary(g, 'Exp', x)));
const sum = (g: Builder, x: Node) => ir.reduce(g, 'Sum', x, [...x.shape.keys()], false);

describe('loops that read in place what others store', () => {
  it('become one loop, which does not write what nothing else reads', () => {
    const graph = graphOf([[200]], (g, x) => {
      const y = costly(g, x!);
      const z = costly(g, ir.binary(g, 'Mul', y, y));
      return [sum(g, y), sum(g, z), ir.binary(g, 'Add', ir.binary(g, 'Mul', y, z), z)];
    });
    const [only, ...more] = rootsOf(graph);
    expect(more).toEqual([]);
    expect([...only!].sort()).toEqual(['store', 'total', 'total']);
    expectComputed(graph);
  });

  it('stay apart where a sum has to be complete first', () => {
    const graph = graphOf([[200]], (g, x) => {
      const y = costly(g, x!);
      return [ir.binary(g, 'Div', y, sum(g, y)), sum(g, ir.binary(g, 'Mul', y, y))];
    });
    expect(rootsOf(graph)).toEqual([['store', 'total', 'total'], ['store']]);
    expectComputed(graph);
  });

  it('stay apart where the places are others', () => {
    const graph = graphOf([[201]], (g, x) => {
      const y = costly(g, x!);
      const later = ir.slice(g, y, [1], [200]);
      const earlier = ir.slice(g, y, [0], [200]);
      return [ir.binary(g, 'Sub', later, earlier), ir.reverse(g, y, [0])];
    });
    expect(rootsOf(graph).length).toBeGreaterThan(1);
    expectComputed(graph);
  });

  it('still write outputs, and what kernels read', () => {
    const graph = graphOf([[20, 30]], (g, x) => {
      const y = costly(g, x!);
      const z = costly(g, ir.binary(g, 'Add', y, ir.scalar(g, 1)));
      return [y, ir.cumSum(g, z, { axis: 1, exclusive: false, reverse: false }), sum(g, ir.binary(g, 'Mul', y, z))];
    });
    const [first, kernel, ...more] = rootsOf(graph);
    expect([[...first!].sort(), kernel, more]).toEqual([['store', 'store', 'total'], 'CumSum', []]);
    expectComputed(graph);
  });

  it('keep the order of what waits for each other through small tensors and kernels', () => {
    const graph = graphOf([[40, 6]], (g, x) => {
      const y = costly(g, x!);
      const columns = ir.reduce(g, 'Max', y, [0], true);
      const z = costly(g, ir.binary(g, 'Sub', y, columns));
      const sums = ir.reduce(g, 'Sum', z, [1], true);
      const along = ir.cumSum(g, ir.binary(g, 'Div', z, sums), { axis: 0, exclusive: true, reverse: false });
      return [ir.binary(g, 'Mul', along, y), sum(g, along), columns];
    });
    expectComputed(graph);
  });

  it('stay apart around a slow function between products and sums, if they are long', () => {
    const regression = (rows: number, columns: number) =>
      graphOf(
        [
          [rows, columns],
          [columns, 1],
        ],
        (g, x, q) => {
          const z = ir.matMul(g, x!, q!, false, false);
          return [ir.matMul(g, x!, ir.unary(g, 'Sigmoid', z), true, false), sum(g, ir.unary(g, 'Softplus', z))];
        },
      );
    const totals = (count: number) => new Array<string>(count).fill('total');
    // The sum of a softplus is two: of max(z, 0), and of logarithms.
    expect(rootsOf(regression(100, 8))).toEqual([['store'], ['store', 'total', 'total'], totals(8)]);
    // A short product is no reason for another loop, nor are few rows.
    expect(rootsOf(regression(100, 2))).toEqual([totals(4)]);
    expect(rootsOf(regression(40, 8))).toEqual([totals(10)]);
    for (const graph of [regression(100, 8), regression(100, 2), regression(40, 8)]) expectComputed(graph);
  });
});
