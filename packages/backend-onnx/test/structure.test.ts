import type { Node } from '@bpc/compiler';
import '@tensorflow/tfjs-backend-cpu';
import type { Tensor } from '@tensorflow/tfjs-core';
import {
  add,
  argMax,
  broadcastTo,
  concat,
  cumsum,
  gather,
  matMul,
  max,
  min,
  pad,
  prod,
  reshape,
  reverse,
  setBackend,
  slice,
  stridedSlice,
  sum,
  tensor,
  tensor1d,
  tidy,
  transpose,
  unsortedSegmentSum,
} from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { evaluate, graph, input, node, noise, relativeError, ties, window } from './graphs.js';

beforeAll(async () => {
  await setBackend('cpu');
});

type Shapes = readonly (readonly number[])[];

/** Runs a node over float32 inputs and its tfjs counterpart over the same values. */
async function expectSame(
  shapes: Shapes,
  build: (...inputs: Node[]) => Node,
  eager: (...inputs: Tensor[]) => Tensor,
  make = noise,
): Promise<void> {
  const data = shapes.map((shape, i) => make(shape, i + 1));
  const parameters = shapes.map((shape, i) => input(i, shape));
  const output = build(...parameters);
  const expected = tidy(() => {
    const result = eager(...data.map((values, i) => tensor(values, [...(shapes[i] ?? [])], 'float32')));
    return { data: Array.from(result.dataSync()), shape: result.shape };
  });
  expect(expected.shape).toEqual([...output.shape]);
  const [result = []] = await evaluate(graph(parameters, [output]), data);
  expect(relativeError(result, expected.data)).toBeLessThanOrEqual(1e-5);
}

const keep = (shape: readonly number[], axes: readonly number[]) => shape.map((length, axis) => (axes.includes(axis) ? 1 : length));

describe('reductions over any axes, axes kept', () => {
  const shape = [3, 4, 5, 6];
  const choices = [[0], [1], [2], [3], [0, 1], [1, 2], [0, 2], [1, 3], [0, 1, 2], [0, 2, 3], [0, 1, 2, 3]].map((axes) => ({ axes }));
  it.each(choices)('over $axes', async ({ axes }) => {
    await expectSame(
      [shape],
      (x) => node('Sum', [x], { axes }, keep(shape, axes)),
      (x) => sum(x, axes, true),
    );
    await expectSame(
      [shape],
      (x) => node('Max', [x], { axes }, keep(shape, axes)),
      (x) => max(x, axes, true),
    );
    await expectSame(
      [shape],
      (x) => node('Min', [x], { axes }, keep(shape, axes)),
      (x) => min(x, axes, true),
    );
    await expectSame(
      [shape],
      (x) => node('Prod', [x], { axes }, keep(shape, axes)),
      (x) => prod(x, axes, true),
      (s, seed) => noise(s, seed).map((value) => 1 + value / 20),
    );
  });

  it.each(choices)('of a value that a convolution left in its own layout, over $axes', async ({ axes }) => {
    const pool = window([1, 1]);
    await expectSame(
      [shape],
      (x) => node('Sum', [node('AvgPool', [x], pool, shape)], { axes }, keep(shape, axes)),
      (x) => sum(x, axes, true),
    );
  });

  it('of int32 values is exact', async () => {
    const x = input(0, [2, 3], 'int32');
    const outputs = [node('Sum', [x], { axes: [1] }, [2, 1], 'int32'), node('Max', [x], { axes: [0] }, [1, 3], 'int32')];
    expect(await evaluate(graph([x], outputs), [Int32Array.from([16777217, 1, 1, 2, 3, 4])])).toEqual([
      [16777219, 9],
      [16777217, 3, 4],
    ]);
  });

  it('ArgMax gives the first maximum', async () => {
    const shape2 = [4, 9];
    const x = input(0, shape2);
    const values = ties(shape2);
    const expected = [0, 1].map((axis) => Array.from(tidy(() => argMax(tensor(values, [4, 9]), axis).dataSync())));
    const outputs = [0, 1].map((axis) =>
      node(
        'ArgMax',
        [x],
        { axis },
        shape2.filter((_, i) => i !== axis),
        'int32',
      ),
    );
    expect(await evaluate(graph([x], outputs), [values])).toEqual(expected);
  });

  it.each([
    [0, false, false],
    [1, true, false],
    [2, false, true],
    [1, true, true],
  ] as const)('CumSum along %i, exclusive %s, reverse %s', async (axis, exclusive, reverseOrder) => {
    await expectSame(
      [[3, 4, 5]],
      (x) => node('CumSum', [x], { axis, exclusive, reverse: reverseOrder }, [3, 4, 5]),
      (x) => cumsum(x, axis, exclusive, reverseOrder),
    );
  });
});

describe('structural operations, in both layouts', () => {
  const shape = [2, 4, 5, 3];
  // A 1×1 pooling changes nothing but the layout its value is stored in.
  const tiled = (x: Node): Node => node('AvgPool', [x], window([1, 1]), x.shape);
  const layouts: readonly (readonly [string, (x: Node) => Node])[] = [
    ['rows', (x) => x],
    ['tiles', tiled],
  ];

  it.each(layouts)('%s: transpose, reshape, broadcast', async (_, to) => {
    await expectSame(
      [shape],
      (x) => node('Transpose', [to(x)], { perm: [3, 1, 0, 2] }, [3, 4, 2, 5]),
      (x) => transpose(x, [3, 1, 0, 2]),
    );
    await expectSame(
      [shape],
      (x) => node('Transpose', [to(x)], { perm: [1, 2, 0, 3] }, [4, 5, 2, 3]),
      (x) => transpose(x, [1, 2, 0, 3]),
    );
    await expectSame(
      [shape],
      (x) => node('Reshape', [to(x)], {}, [8, 15]),
      (x) => reshape(x, [8, 15]),
    );
    await expectSame(
      [[2, 1, 5, 1]],
      (x) => node('Broadcast', [to(x)], {}, shape),
      (x) => broadcastTo(x, [2, 4, 5, 3]),
    );
    await expectSame(
      [[5, 1]],
      (x) => node('Broadcast', [x], {}, shape),
      (x) => broadcastTo(x, [2, 4, 5, 3]),
    );
  });

  it.each(layouts)('%s: slice, also strided', async (_, to) => {
    await expectSame(
      [shape],
      (x) => node('Slice', [to(x)], { begin: [1, 0, 2, 1], strides: [1, 1, 1, 1] }, [1, 4, 3, 2]),
      (x) => slice(x, [1, 0, 2, 1], [1, 4, 3, 2]),
    );
    await expectSame(
      [shape],
      (x) => node('Slice', [to(x)], { begin: [0, 1, 0, 0], strides: [1, 2, 3, 2] }, [2, 2, 2, 2]),
      (x) => stridedSlice(x, [0, 1, 0, 0], [2, 4, 5, 3], [1, 2, 3, 2]),
    );
  });

  it.each(layouts)('%s: pad, concat, reverse, cumulative sum', async (_, to) => {
    const paddings = [
      [0, 1],
      [2, 0],
      [1, 1],
      [0, 3],
    ] as [number, number][];
    await expectSame(
      [shape],
      (x) => node('Pad', [to(x)], { paddings, value: 0 }, [3, 6, 7, 6]),
      (x) => pad(x, paddings),
    );
    await expectSame(
      [shape],
      (x) => node('Pad', [to(x)], { paddings, value: -2.5 }, [3, 6, 7, 6]),
      (x) => pad(x, paddings, -2.5),
    );
    for (const axis of [0, 1, 2, 3]) {
      const joined = shape.map((length, i) => (i === axis ? 2 * length : length));
      await expectSame(
        [shape, shape],
        (x, y) => node('Concat', [to(x), y], { axis }, joined),
        (x, y) => concat([x, y], axis),
      );
      await expectSame(
        [shape],
        (x) => node('CumSum', [to(x)], { axis, exclusive: false, reverse: false }, shape),
        (x) => cumsum(x, axis),
      );
    }
    await expectSame(
      [shape],
      (x) => node('Reverse', [to(x)], { axes: [1, 3] }, shape),
      (x) => reverse(x, [1, 3]),
    );
  });

  it.each(layouts)('%s: operands of lower rank broadcast along the axes tfjs would use', async (_, to) => {
    for (const other of [[], [3], [5, 1], [5, 3], [4, 1, 3], [1, 4, 1, 1], [2, 1, 1, 3]]) {
      await expectSame(
        [shape, other],
        (x, y) => node('Add', [to(x), y], {}, shape),
        (x, y) => add(x, y),
      );
    }
  });
});

describe('products and indexing', () => {
  it.each([
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ] as const)('MatMul, transposes %s %s, batched and broadcast', async (transposeA, transposeB) => {
    const flip = (shape: number[], flipped: boolean) => (flipped ? [...shape.slice(0, -2), ...shape.slice(-2).reverse()] : shape);
    for (const [lead, other] of [
      [[], []],
      [[3], [3]],
      [
        [2, 3],
        [1, 3],
      ],
    ] as [number[], number[]][]) {
      const [a, b] = [flip([...lead, 4, 5], transposeA), flip([...other, 5, 6], transposeB)];
      await expectSame(
        [a, b],
        (x, y) => node('MatMul', [x, y], { transposeA, transposeB }, [...lead, 4, 6]),
        (x, y) => matMul(x, y, transposeA, transposeB),
      );
    }
  });

  it('MatMul of int32 values is exact', async () => {
    const [a, b] = [input(0, [2, 2], 'int32'), input(1, [2, 2], 'int32')];
    const product = node('MatMul', [a, b], { transposeA: false, transposeB: true }, [2, 2], 'int32');
    const [result] = await evaluate(graph([a, b], [product]), [Int32Array.from([16777217, 0, 1, 2]), Int32Array.from([1, 5, 3, 4])]);
    expect(result).toEqual([16777217, 50331651, 11, 11]);
  });

  it('Gather takes rows by index of any rank', async () => {
    const [x, index] = [input(0, [5, 2, 3]), input(1, [2, 2], 'int32')];
    const [values, at] = [noise([5, 2, 3]), Int32Array.from([4, 0, 0, 3])];
    const expected = Array.from(tidy(() => gather(tensor(values, [5, 2, 3]), tensor(at, [2, 2], 'int32')).dataSync()));
    expect(await evaluate(graph([x, index], [node('Gather', [x, index], {}, [2, 2, 2, 3])]), [values, at])).toEqual([expected]);
  });

  it('ScatterAdd adds every repetition of an index', async () => {
    const [count, classes, width] = [5000, 7, 3];
    const [rows, index] = [input(0, [count, width]), input(1, [count], 'int32')];
    const at = Int32Array.from({ length: count }, (_, i) => (i * i) % classes);
    const values = noise([count, width]);
    const expected = Array.from(tidy(() => unsortedSegmentSum(tensor(values, [count, width]), tensor1d(at, 'int32'), classes).dataSync()));
    const [result = []] = await evaluate(graph([rows, index], [node('ScatterAdd', [rows, index], {}, [classes, width])]), [values, at]);
    expect(relativeError(result, expected)).toBeLessThanOrEqual(1e-5);
  });

  it('an output may be an input, a constant, or given twice, and unused inputs are accepted', async () => {
    const [x, unused] = [input(0, [2]), input(1, [3])];
    const constant = node('Const', [], { values: [7, 8, 9] }, [3]);
    const twice = node('Neg', [x], {}, [2]);
    const results = await evaluate(graph([x, unused], [x, constant, twice, twice, node('Broadcast', [x], {}, [2])]), [
      Float32Array.from([1, 2]),
      new Float32Array(3),
    ]);
    expect(results).toEqual([
      [1, 2],
      [7, 8, 9],
      [-1, -2],
      [-1, -2],
      [1, 2],
    ]);
  });
});
