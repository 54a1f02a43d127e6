import type { Node } from '@bpc/compiler';
import { describe, expect, it } from 'vitest';
import { evaluate, graph, input, node, noise, relativeError, size } from './graphs.js';

/** Sums, maxima, … over `axes` in float64, by the definition. */
function reduced(
  values: ArrayLike<number>,
  shape: readonly number[],
  axes: readonly number[],
  join: (a: number, b: number) => number,
): number[] {
  const kept = shape.map((length, axis) => (axes.includes(axis) ? 1 : length));
  const result: (number | undefined)[] = Array(size(kept)).fill(undefined);
  for (let i = 0; i < size(shape); i++) {
    let [rest, to, stride] = [i, 0, 1];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const length = shape[axis] ?? 1;
      if (!axes.includes(axis)) {
        to += (rest % length) * stride;
        stride *= length;
      }
      rest = Math.floor(rest / length);
    }
    const before = result[to];
    const value = values[i] ?? Number.NaN;
    result[to] = before === undefined ? value : join(before, value);
  }
  return result.map((value) => value ?? Number.NaN);
}

const add = (a: number, b: number) => a + b;

// Each takes another way: products along leading or inner axes, runs of axes, slices.
const CASES = [
  { shape: [6, 5, 40], axes: [0, 1] },
  { shape: [3, 2, 4, 2, 300], axes: [1, 3] },
  { shape: [3, 4, 700], axes: [1] },
  { shape: [2, 3, 4, 5], axes: [0, 2] },
  { shape: [2, 7, 3, 9], axes: [1, 3] },
  { shape: [1, 3, 1, 4], axes: [0, 1, 2] },
  { shape: [5, 6], axes: [0, 1] },
  { shape: [4, 2, 3, 2, 5], axes: [1, 3] },
] as const;

describe.each(CASES)('reductions of [$shape] over axes [$axes]', ({ shape, axes }) => {
  const x = noise(shape, 3);
  const kept = shape.map((length, axis) => ((axes as readonly number[]).includes(axis) ? 1 : length));
  const run = async (build: (input: Node) => Node, data = x) => {
    const operand = input(0, shape);
    const [values = []] = await evaluate(graph([operand], [build(operand)]), [data]);
    return values;
  };

  it('sum', async () => {
    const found = await run((operand) => node('Sum', [operand], { axes }, kept));
    expect(relativeError(found, reduced(x, shape, axes, add))).toBeLessThan(1e-6);
  });

  it('take a mean, of axes that stay and of axes that go', async () => {
    const factor = 1 / (size(shape) / size(kept));
    const constant = node('Const', [], { values: [factor] }, []);
    const expected = reduced(x, shape, axes, add).map((value) => value * factor);
    const stay = await run((operand) => node('Mul', [node('Sum', [operand], { axes }, kept), constant], {}, kept));
    expect(relativeError(stay, expected)).toBeLessThan(1e-6);
    const rest = shape.filter((_, axis) => !(axes as readonly number[]).includes(axis));
    const go = await run((operand) =>
      node('Mul', [constant, node('Reshape', [node('Sum', [operand], { axes }, kept)], {}, rest)], {}, rest),
    );
    expect(relativeError(go, expected)).toBeLessThan(1e-6);
  });

  it.each(['Max', 'Min'] as const)('%s, NaN where one is', async (op) => {
    const join = op === 'Max' ? Math.max : Math.min;
    const data = x.map((value, i) => (i === 3 ? Number.NaN : value));
    expect(await run((operand) => node(op, [operand], { axes }, kept), data)).toEqual(reduced(data, shape, axes, join));
  });
});

describe('the mask of a rectifier', () => {
  it('is 1 for positive normal numbers and 0 for all others, whatever else the program computes', async () => {
    const values = [-3e38, -1, -1.2e-38, -0, 0, 1.2e-38, 1e-20, 1, 3e38, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    const x = input(0, [values.length]);
    const outputs = [node('Relu', [x], {}, [values.length]), node('Step', [x], {}, [values.length])];
    const [, mask] = await evaluate(graph([x], outputs), [Float32Array.from(values)]);
    expect(mask).toEqual(values.map((value) => Number(value > 0)));
  });
});

describe('outputs', () => {
  it('may be one value in several shapes', async () => {
    const x = input(0, [2, 6]);
    const product = node('Mul', [x, x], {}, [2, 6]);
    const outputs = [node('Reshape', [product], {}, [3, 4]), product, node('Reshape', [product], {}, [12])];
    const data = noise([2, 6], 5);
    const expected = Array.from(data, (value) => Math.fround(value * value));
    expect(await evaluate(graph([x], outputs), [data])).toEqual([expected, expected, expected]);
  });
});
