import type { Node } from '@bpc/compiler';
import { describe, expect, it } from 'vitest';
import * as ir from '../src/ir/index.js';
import { BINARY, type Builder, COMPARE, graphBuilder, type Reduce, UNARY } from '../src/ir/index.js';
import { binaryFunction, compareFunction, unaryFunction } from '../src/ir/scalar-functions.js';
import { sizeOf } from '../src/ir/shape.js';
import { lowerGraph } from '../src/targets/js/lower.js';
import { compileToJs } from '../src/targets/js/target.js';
import { generateWasm } from '../src/targets/js/wasm/index.js';
import { interpret } from './interpreter.js';

type Lanes = 'f64x2' | 'f32x4';
type Make = (g: Builder, ...inputs: Node[]) => Node | Node[];

const INFINITY = Number.POSITIVE_INFINITY;
const SPECIAL = [0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 3, -3.7, 1e-300, -1e300, 700, -700, INFINITY, -INFINITY, Number.NaN];
/** Ordinary numbers between special ones, the same for every length. */
const numbers = (size: number, seed = 0) =>
  Float64Array.from({ length: size }, (_, i) => (i % 3 === 1 ? SPECIAL[(i + seed) % SPECIAL.length]! : 2.4 * Math.sin(i * 1.7 + seed)));
const ordinary = (size: number, seed = 0) => Float64Array.from({ length: size }, (_, i) => 1.3 * Math.sin(i * 1.7 + seed));

function graphOf(shapes: readonly number[][], make: Make) {
  const g = graphBuilder();
  const made = make(g, ...shapes.map((shape) => g.input(shape, 'float32')));
  return g.finish(Array.isArray(made) ? made : [made], 'test');
}

function run(graph: ReturnType<typeof graphOf>, inputs: readonly Float64Array[], lanes: Lanes = 'f64x2'): Float64Array[] {
  const outputs = graph.outputs.map(({ shape }) => new Float64Array(sizeOf(shape)));
  const wasm = generateWasm(lowerGraph(graph), { lanes });
  // Twice: what the first call leaves behind must not show.
  wasm.run(
    inputs.map((each) => each.map((x) => (Number.isInteger(x) ? x : -x))),
    outputs,
  );
  wasm.run(inputs, outputs);
  return outputs;
}

function expectClose(found: ArrayLike<number>, want: ArrayLike<number>, tolerance: number, name = ''): void {
  expect(found.length).toBe(want.length);
  const scale = (x: number) => Math.max(1, Math.abs(x));
  for (let i = 0; i < want.length; i++) {
    const [a, b] = [found[i]!, want[i]!];
    if (a === b || (Number.isNaN(a) && Number.isNaN(b))) continue;
    expect(Math.abs(a - b), `${name}[${i}] is ${a}, expected ${b}`).toBeLessThanOrEqual(tolerance * scale(b));
  }
}

/** Around the limits of scalars and vectors: one number, short tensors, whole vectors and every number of left-over lanes. */
const SIZES = [1, 5, 24, 25, 26, 27, 28, 64, 101];
const FLOAT32 = 2e-5;

describe('every operation has the values of its definition, special ones included', () => {
  it.each(UNARY)('%s', (op) => {
    for (const size of SIZES) {
      const x = numbers(size, size);
      const graph = graphOf([[size]], (g, a) => ir.unary(g, op, a!));
      expectClose(run(graph, [x])[0]!, Array.from(x, unaryFunction[op]), 4e-15, op);
    }
  });

  it.each([...BINARY, ...COMPARE])('%s', (op) => {
    const meaning = op in binaryFunction ? binaryFunction[op as 'Add'] : compareFunction[op as 'Less'];
    for (const size of SIZES) {
      const [x, y] = [numbers(size), numbers(size, 5)];
      const graph = graphOf([[size], [size]], (g, a, b) =>
        op in binaryFunction ? ir.binary(g, op as 'Add', a!, b!) : ir.compare(g, op as 'Less', a!, b!),
      );
      // NaN is no truth value: that it counts as false here is nobody's business.
      const want = Array.from(x, (v, i) => (op.startsWith('Logical') && Number.isNaN(v + y[i]! * 0) ? Number.NaN : meaning(v, y[i]!)));
      const found = run(graph, [x, y])[0]!.map((v, i) => (Number.isNaN(want[i]!) && op.startsWith('Logical') ? Number.NaN : v));
      expectClose(found, want, 4e-15, op);
    }
  });

  it('in float32 lanes to float32 accuracy', () => {
    for (const op of UNARY) {
      const x = ordinary(53).map((v) => Math.fround(v));
      const graph = graphOf([[53]], (g, a) => ir.unary(g, op, a!));
      expectClose(run(graph, [x], 'f32x4')[0]!, Array.from(x, unaryFunction[op]), FLOAT32, op);
    }
    for (const op of BINARY) {
      const [x, y] = [ordinary(53).map(Math.fround), ordinary(53, 2).map((v) => Math.fround(v + 1.4))];
      const graph = graphOf([[53], [53]], (g, a, b) => ir.binary(g, op, a!, b!));
      expectClose(
        run(graph, [x, y], 'f32x4')[0]!,
        Array.from(x, (v, i) => binaryFunction[op](v, y[i]!)),
        FLOAT32,
        op,
      );
    }
  });

  it('conditions select, count and combine, in lanes and alone', () => {
    const make: Make = (g, a, b) => {
      const positive = ir.compare(g, 'Greater', a!, ir.scalar(g, 0));
      const both = ir.compare(g, 'LogicalAnd', positive, ir.compare(g, 'LessEqual', b!, a!));
      const either = ir.compare(g, 'LogicalOr', both, ir.unary(g, 'LogicalNot', ir.compare(g, 'Equal', a!, b!)));
      return [
        ir.select(g, either, a!, ir.binary(g, 'Mul', b!, b!)),
        ir.cast(g, both, 'float32'),
        ir.reduce(g, 'Sum', ir.cast(g, either, 'float32'), [0], false),
      ];
    };
    for (const size of SIZES) {
      const graph = graphOf([[size], [size]], make);
      const inputs = [ordinary(size), ordinary(size, 3)];
      interpret(graph, inputs).forEach((want, i) => expectClose(run(graph, inputs)[i]!, want, 1e-14));
      interpret(graph, inputs).forEach((want, i) => expectClose(run(graph, inputs, 'f32x4')[i]!, want, FLOAT32));
    }
  });
});

describe('reductions', () => {
  const REDUCES: Reduce[] = ['Sum', 'Max', 'Min', 'Prod'];
  const shapes: [string, number[], number[]][] = [
    ['to a scalar', [101], [0]],
    ['to a scalar, over two axes', [37, 9], [0, 1]],
    ['of rows', [40, 103], [1]],
    ['of short rows', [40, 33], [1]],
    ['of columns', [50, 31], [0]],
    ['of columns that are few', [2000, 3], [0]],
    ['over the outer and inner axis', [6, 41, 11], [0, 2]],
    ['of rows over two axes', [29, 7, 9], [1, 2]],
  ];
  it.each(shapes)('%s', (_, shape, axes) => {
    const graph = graphOf([shape], (g, a) =>
      REDUCES.map((op) => ir.reduce(g, op, ir.unary(g, 'Sin', ir.binary(g, 'Add', a!, ir.scalar(g, 1))), axes, false)),
    );
    const inputs = [ordinary(sizeOf(shape))];
    const want = interpret(graph, inputs);
    want.forEach((each, i) => expectClose(run(graph, inputs)[i]!, each, 2e-13));
    want.forEach((each, i) => expectClose(run(graph, inputs, 'f32x4')[i]!, each, 1e-4));
  });

  it.each([40, 41, 42, 43, 47])('of %d numbers: NaN and infinities come through wherever they are, lanes past the end do not', (size) => {
    const graph = graphOf([[size]], (g, a) => REDUCES.map((op) => ir.reduce(g, op, ir.unary(g, 'Exp', a!), [0], false)));
    for (const at of [0, 1, size - 2, size - 1]) {
      for (const value of [Number.NaN, INFINITY, -INFINITY]) {
        const x = ordinary(size);
        x[at] = value;
        interpret(graph, [x]).forEach((want, i) => expectClose(run(graph, [x])[i]!, want, 1e-14));
      }
    }
  });

  it('of many float32 terms keep float64 totals', () => {
    const size = 1_000_003;
    const graph = graphOf([[size]], (g, a) => ir.reduce(g, 'Sum', a!, [0], false));
    const x = new Float64Array(size).fill(Math.fround(0.1));
    // One running float32 sum per lane would be off by 1e-3.
    expect(run(graph, [x], 'f32x4')[0]![0]! / (size * Math.fround(0.1)) - 1).toBeLessThan(1e-6);
  });
});

describe('places in memory', () => {
  const index = (values: number[]) => Float64Array.from(values);
  const rows = [5, 39, 3, 3, 1, 0, 44, 29, -1, 30, 12, 12, 7, 8, 2];

  it('computed rows are read in lanes and alone; one that does not exist is NaN', () => {
    for (const shape of [[40], [40, 1], [40, 7], [40, 30], [3000, 2]]) {
      const g = graphBuilder();
      const [x, i] = [g.input(shape, 'float32'), g.input([rows.length * 3], 'int32')];
      const graph = g.finish([ir.gather(g, ir.unary(g, 'Neg', x), i), ir.gather(g, x, ir.slice(g, i, [0], [2]))], 'gather');
      const inputs = [ordinary(sizeOf(shape)), index([...rows, ...rows, ...rows])];
      const width = sizeOf(shape) / shape[0]!;
      const want = [...inputs[1]!].flatMap((row) =>
        Array.from({ length: width }, (_, c) => (row >= 0 && row < shape[0]! ? -inputs[0]![row * width + c]! : Number.NaN)),
      );
      const [found, few] = run(graph, inputs);
      expectClose(found!, want, 0);
      expectClose(
        few!,
        want.slice(0, 2 * width).map((v) => -v),
        0,
      );
      expectClose(run(graph, inputs, 'f32x4')[0]!, want, FLOAT32);
    }
  });

  it('rows are added up where they meet; one that does not exist is left out', () => {
    for (const width of [1, 2, 7, 33]) {
      const g = graphBuilder();
      const [x, i] = [g.input([rows.length, width], 'float32'), g.input([rows.length], 'int32')];
      const graph = g.finish([ir.scatterAdd(g, ir.unary(g, 'Neg', x), i, 40)], 'scatter');
      const inputs = [ordinary(rows.length * width), index(rows)];
      const want = new Float64Array(40 * width);
      rows.forEach((row, k) => {
        for (let c = 0; c < width; c++) if (row >= 0 && row < 40) want[row * width + c]! -= inputs[0]![k * width + c]!;
      });
      expectClose(run(graph, inputs)[0]!, want, 1e-15);
      expectClose(run(graph, inputs, 'f32x4')[0]!, want, FLOAT32);
    }
  });

  it.each<[string, number[], Make]>([
    ['reversed', [7, 31], (g, a) => ir.reverse(g, ir.unary(g, 'Sin', a!), [1])],
    ['reversed rows', [31, 7], (g, a) => ir.reverse(g, a!, [0])],
    ['transposed', [13, 11], (g, a) => ir.binary(g, 'Add', ir.transpose(g, a!, [1, 0]), ir.scalar(g, 1))],
    ['every third', [200], (g, a) => ir.slice(g, a!, [1], [66], [3])],
    [
      'padded',
      [9, 10],
      (g, a) =>
        ir.pad(
          g,
          ir.unary(g, 'Sin', a!),
          [
            [1, 2],
            [3, 0],
          ],
          -2,
        ),
    ],
    ['joined', [9, 10], (g, a) => ir.concat(g, [a!, ir.reduce(g, 'Sum', a!, [1], true), a!], 1)],
    ['repeated', [30], (g, a) => ir.broadcast(g, ir.unary(g, 'Exp', a!), [4, 30])],
    [
      'with kernels before and after',
      [40, 50],
      (g, a) => {
        const along = ir.cumSum(g, ir.unary(g, 'Cos', a!), { axis: 1, exclusive: false, reverse: false });
        return ir.cumSum(g, ir.unary(g, 'Sin', along), { axis: 0, exclusive: true, reverse: true });
      },
    ],
    ['through products', [40, 50], (g, a) => ir.matMul(g, ir.unary(g, 'Sin', a!), ir.unary(g, 'Cos', a!), false, true)],
  ])('%s', (_, shape, make) => {
    const graph = graphOf([shape], make);
    const inputs = [ordinary(sizeOf(shape))];
    const [want] = interpret(graph, inputs);
    expectClose(run(graph, inputs)[0]!, want!, 1e-12);
    expectClose(run(graph, inputs, 'f32x4')[0]!, want!, 5e-5);
    const outputs = [new Float64Array(want!.length)];
    compileToJs(graph, { printer: 'javascript' }).runSync(inputs, outputs);
    expectClose(run(graph, inputs)[0]!, outputs[0]!, 1e-12);
  });

  it('empty tensors leave neutral elements', () => {
    const graph = graphOf([[0, 30]], (g, a) => [
      ir.reduce(g, 'Sum', a!, [0], false),
      ir.reduce(g, 'Max', a!, [0, 1], false),
      ir.unary(g, 'Exp', a!),
    ]);
    const [sums, most, none] = run(graph, [new Float64Array(0)]);
    expect([...sums!]).toEqual(new Array(30).fill(0));
    expect([...most!, ...none!]).toEqual([-INFINITY]);
  });
});
