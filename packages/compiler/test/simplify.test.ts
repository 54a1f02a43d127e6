import type { Node } from '@bpc/compiler';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as ir from '../src/ir/index.js';
import { graphBuilder } from '../src/ir/index.js';
import { sizeOf } from '../src/ir/shape.js';
import { compileToJs } from '../src/targets/js/target.js';
import { interpret } from './interpreter.js';
import { build, data, expectEqual, huge, recipes } from './random-graph.js';

const recipe = recipes();

describe('simplification', () => {
  it('does not change what a random graph computes', () => {
    fc.assert(
      fc.property(recipe, (r) => {
        const [plain, simple] = [build(r, false), build(r, true)];
        if (huge(plain)) return;
        const [expected, found] = [interpret(plain, data(plain)), interpret(simple, data(simple))];
        expect(found.map((x) => x.length)).toEqual(expected.map((x) => x.length));
        expectEqual(found, expected, simple);
      }),
      { numRuns: 1500, seed: 7 },
    );
  });

  it('does not change sums and means of products and sums with smaller tensors', () => {
    const OPS = ['Add', 'Sub', 'Mul'] as const;
    const make = (simplify: boolean) => {
      const g = graphBuilder({ simplify });
      const operands = [g.input([5, 9], 'float32'), g.input([9], 'float32'), g.input([5, 1], 'float32'), g.input([], 'float32')];
      const outputs = operands.flatMap((p) =>
        operands.flatMap((q) =>
          operands.flatMap((r) =>
            OPS.flatMap((first) =>
              OPS.flatMap((second) => {
                const whole = ir.broadcast(g, ir.binary(g, second, ir.binary(g, first, p, q), r), [5, 9]);
                return [[0], [1], [0, 1]].flatMap((axes) => [ir.reduce(g, 'Sum', whole, axes, true), ir.mean(g, whole, axes, false)]);
              }),
            ),
          ),
        ),
      );
      return g.finish(outputs, 'exhaustive');
    };
    const [plain, simple] = [make(false), make(true)];
    expectEqual(interpret(simple, data(simple)), interpret(plain, data(plain)), simple);
  });

  it('and lowering to JavaScript compute what the definitions say', () => {
    fc.assert(
      fc.property(recipe, (r) => {
        for (const simplify of [false, true]) {
          const graph = build(r, simplify);
          if (huge(graph)) return;
          const outputs = graph.outputs.map((node) => new Float64Array(sizeOf(node.shape)));
          compileToJs(graph).runSync(data(graph), outputs);
          expectEqual(outputs, interpret(graph, data(graph)), graph);
        }
      }),
      { numRuns: 300, seed: 3 },
    );
  }, 120_000);
});

describe('each rule', () => {
  const f = graphBuilder();
  const x = f.input([7, 5], 'float32');
  const row = f.input([5], 'float32');
  const column = f.input([7, 1], 'float32');
  const c = (value: number) => ir.scalar(f, value);
  const { add, sub, mul, div } = { add: 'Add', sub: 'Sub', mul: 'Mul', div: 'Div' } as const;
  const big = ir.binary(f, mul, x, x);
  const cases: [string, Node, Node][] = [
    ['x·1 = x', ir.binary(f, mul, x, c(1)), x],
    ['x + 0 = x', ir.binary(f, add, c(0), x), x],
    ['x / c = x·(1/c)', ir.binary(f, div, x, c(4)), ir.binary(f, mul, x, c(0.25))],
    ['x² = x·x', ir.binary(f, 'Pow', x, c(2)), big],
    ['a + b = b + a', ir.binary(f, add, x, row), ir.binary(f, add, row, x)],
    ['−x = −1·x', ir.unary(f, 'Neg', x), ir.binary(f, mul, c(-1), x)],
    [
      '(x + s) − (m + s) = x − m',
      ir.binary(f, sub, ir.binary(f, add, x, row), ir.binary(f, add, column, row)),
      ir.binary(f, sub, x, column),
    ],
    ['(x·2)·3 = x·6', ir.binary(f, mul, ir.binary(f, mul, x, c(2)), c(3)), ir.binary(f, mul, x, c(6))],
    [
      'Σ s·x = s·Σx',
      ir.reduce(f, 'Sum', ir.binary(f, mul, x, column), [1], true),
      ir.binary(f, mul, column, ir.reduce(f, 'Sum', x, [1], true)),
    ],
    ['mean(x + s) = mean(x) + s', ir.mean(f, ir.binary(f, add, x, row), [0], true), ir.binary(f, add, ir.mean(f, x, [0], true), row)],
    [
      'f(broadcast(x)) = broadcast(f(x))',
      ir.unary(f, 'Exp', ir.broadcast(f, row, [7, 5])),
      ir.broadcast(f, ir.unary(f, 'Exp', row), [7, 5]),
    ],
    ['transpose(transpose(x)) = x', ir.transpose(f, ir.transpose(f, x, [1, 0]), [1, 0]), x],
    ['reshape(reshape(x)) = x', ir.reshape(f, ir.reshape(f, x, [35]), [7, 5]), x],
    [
      'slice(pad(x)) = x',
      ir.slice(
        f,
        ir.pad(
          f,
          x,
          [
            [1, 2],
            [0, 0],
          ],
          0,
        ),
        [1, 0],
        [7, 5],
      ),
      x,
    ],
    ['log(1 + exp x) = softplus x', ir.unary(f, 'Log', ir.binary(f, add, c(1), ir.unary(f, 'Exp', x))), ir.unary(f, 'Softplus', x)],
    ['cast(x > 0) = step(x)', ir.cast(f, ir.compare(f, 'Greater', x, c(0)), 'float32'), ir.unary(f, 'Step', x)],
    ['nothing is a constant', ir.unary(f, 'Exp', ir.slice(f, x, [2, 0], [0, 5])), ir.constant(f, [], [0, 5])],
    ['a product of no terms is 0', ir.matMul(f, ir.slice(f, x, [0, 0], [7, 0]), ir.constant(f, [], [0, 3])), ir.broadcast(f, c(0), [7, 3])],
    ['where(true, x, y) = x', ir.select(f, ir.constant(f, [1], [], 'bool'), x, big), x],
  ];
  it.each(cases)('%s', (_, found, expected) => expect(ir.printGraph(f.finish([found], ''))).toBe(ir.printGraph(f.finish([expected], ''))));

  it.each<[string, Node, number, number]>([
    ['x·0 is NaN for an infinite x', ir.binary(f, mul, x, c(0)), Number.POSITIVE_INFINITY, Number.NaN],
    ['x − x is NaN for an infinite x', ir.binary(f, sub, x, x), Number.POSITIVE_INFINITY, Number.NaN],
    ['x / x is NaN at zero', ir.binary(f, div, x, x), 0, Number.NaN],
    ['max(x, 1) of NaN is NaN', ir.binary(f, 'Maximum', x, c(1)), Number.NaN, Number.NaN],
    ['relu of NaN is NaN', ir.unary(f, 'Relu', x), Number.NaN, Number.NaN],
    ['Σ max of NaN is NaN', ir.reduce(f, 'Max', x, [0, 1], true), Number.NaN, Number.NaN],
    ['x / 1e-320 stays a division', ir.binary(f, div, x, c(1e-320)), 1e-320, 1],
    ['(x·1e200)·1e200 does not merge into infinity', ir.binary(f, mul, ir.binary(f, mul, x, c(1e200)), c(1e200)), 0, 0],
  ])('%s', (_, node, value, expected) => {
    const graph = f.finish([node], '');
    const outputs = [new Float64Array(sizeOf(node.shape))];
    compileToJs(graph).runSync([new Float64Array(35).fill(value), new Float64Array(5), new Float64Array(7)], outputs);
    expect(outputs[0]![0]).toBe(expected);
  });
});
