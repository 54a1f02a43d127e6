import type { Binary, Compare, Unary } from '@bpc/compiler';
import { BINARY, COMPARE, UNARY } from '@bpc/compiler';
import { describe, expect, it } from 'vitest';
import { evaluate, graph, input, node, noise, relativeError } from './graphs.js';

function erf(x: number): number {
  // Maclaurin series: independent of the kernel's rational approximation, exact in float64 for |x| ≤ 3.
  let term = x;
  let sum = x;
  for (let k = 1; k < 120; k++) {
    term *= (-x * x) / k;
    sum += term / (2 * k + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

const halfToEven = (x: number): number => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));

const UNARY_MATH: Record<Exclude<Unary, 'LogicalNot'>, (x: number) => number> = {
  Neg: (x) => -x,
  Exp: Math.exp,
  Expm1: Math.expm1,
  Log: Math.log,
  Log1p: Math.log1p,
  Relu: (x) => (Number.isNaN(x) ? x : Math.max(x, 0)),
  Sqrt: Math.sqrt,
  Sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  Softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  Tanh: Math.tanh,
  Abs: Math.abs,
  Sign: Math.sign,
  Reciprocal: (x) => 1 / x,
  Step: (x) => (x > 0 ? 1 : 0),
  Sin: Math.sin,
  Cos: Math.cos,
  Tan: Math.tan,
  Asin: Math.asin,
  Acos: Math.acos,
  Atan: Math.atan,
  Sinh: Math.sinh,
  Cosh: Math.cosh,
  Asinh: Math.asinh,
  Acosh: Math.acosh,
  Atanh: Math.atanh,
  Floor: Math.floor,
  Ceil: Math.ceil,
  Round: halfToEven,
  Erf: erf,
};

const BINARY_MATH: Record<Binary, (a: number, b: number) => number> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
  Pow: (a, b) => a ** b,
  Maximum: Math.max,
  Minimum: Math.min,
  FloorDiv: (a, b) => Math.floor(a / b),
  FloorMod: (a, b) => a - b * Math.floor(a / b),
  Atan2: Math.atan2,
  BitwiseAnd: (a, b) => a & b,
};

const COMPARE_MATH: Record<Compare, (a: number, b: number) => boolean> = {
  Greater: (a, b) => a > b,
  GreaterEqual: (a, b) => a >= b,
  Less: (a, b) => a < b,
  LessEqual: (a, b) => a <= b,
  Equal: (a, b) => a === b,
  NotEqual: (a, b) => a !== b,
  LogicalAnd: (a, b) => a !== 0 && b !== 0,
  LogicalOr: (a, b) => a !== 0 || b !== 0,
};

/** Lowest and highest argument, where not every number is one. */
const DOMAIN: Readonly<Partial<Record<Unary, readonly [number, number]>>> = {
  Log: [0.01, 3],
  Sqrt: [0.01, 3],
  Log1p: [0.01, 3],
  Tan: [-1.4, 1.4],
  Asin: [-1, 1],
  Acos: [-1, 1],
  Acosh: [1, 9],
  Atanh: [-0.99, 0.99],
};

async function unary(op: Unary, x: Float32Array): Promise<readonly number[]> {
  const parameter = input(0, [x.length]);
  const [result = []] = await evaluate(graph([parameter], [node(op, [parameter], {}, [x.length])]), [x]);
  return result;
}

describe('functions of one argument', () => {
  it.each(UNARY.filter((op) => op !== 'LogicalNot'))('%s agrees with its definition in float64', async (op) => {
    const [low, high] = DOMAIN[op] ?? [-3, 3];
    const x = noise([257], 3).map((value) => low + ((Math.tanh(value) + 1) / 2) * (high - low));
    const expected = Array.from(x, UNARY_MATH[op]);
    expect(relativeError(await unary(op, x), expected)).toBeLessThanOrEqual(1e-5);
  });

  it.each(['Log1p', 'Expm1'] as const)('%s keeps relative accuracy near 0 and its limits', async (op) => {
    const x = Float32Array.from([1e-12, -1e-9, 3e-8, 1e-6, -1e-4, 1e-3, 0.03, -0.4, 0.5, 3, 80]);
    const result = await unary(op, x);
    for (const [i, value] of x.entries()) expect(relativeError([result[i] ?? NaN], [UNARY_MATH[op](value)])).toBeLessThanOrEqual(5e-7);
    const limits = op === 'Log1p' ? [0, -1, Infinity] : [0, -Infinity, Infinity];
    expect(await unary(op, Float32Array.from(limits))).toEqual(limits.map(UNARY_MATH[op]));
  });

  it('Sigmoid and Softplus stay finite for large arguments', async () => {
    const x = Float32Array.from([-1000, -90, -20, 20, 90, 1000]);
    expect(relativeError(await unary('Softplus', x), Array.from(x, UNARY_MATH.Softplus))).toBeLessThanOrEqual(1e-6);
    expect(relativeError(await unary('Sigmoid', x), Array.from(x, UNARY_MATH.Sigmoid))).toBeLessThanOrEqual(1e-6);
  });

  it('Step is 1 exactly where x > 0: not at 0, -0 or NaN, but at the smallest positive number', async () => {
    const x = Float32Array.from([NaN, -Infinity, -1, -1e-45, -0, 0, 1e-45, 1e-39, 1, Infinity]);
    expect(await unary('Step', x)).toEqual([0, 0, 0, 0, 0, 0, 1, 1, 1, 1]);
  });

  it('int32 values stay integers', async () => {
    const x = input(0, [5], 'int32');
    const values = Int32Array.from([-2147483000, -1, 0, 1, 16777217]);
    const ops = (['Neg', 'Abs', 'Sign'] as const).map((op) => node(op, [x], {}, [5], 'int32'));
    const [negative, absolute, sign] = await evaluate(graph([x], ops), [values]);
    expect(negative).toEqual([2147483000, 1, 0, -1, -16777217]);
    expect(absolute).toEqual([2147483000, 1, 0, 1, 16777217]);
    expect(sign).toEqual([-1, -1, 0, 1, 1]);
  });
});

const SHAPES: readonly (readonly [readonly number[], readonly number[], readonly number[]])[] = [
  [
    [4, 6],
    [4, 6],
    [4, 6],
  ],
  [[4, 6], [6], [4, 6]],
  [
    [4, 1],
    [1, 6],
    [4, 6],
  ],
  [[4, 6], [], [4, 6]],
  [[], [4, 6], [4, 6]],
  [[], [], []],
];

function broadcastIndex(shape: readonly number[], result: readonly number[], flat: number): number {
  let rest = flat;
  let index = 0;
  let stride = 1;
  for (let axis = result.length - 1; axis >= 0; axis--) {
    const position = rest % (result[axis] ?? 1);
    rest = Math.floor(rest / (result[axis] ?? 1));
    const own = shape[axis - (result.length - shape.length)] ?? 1;
    if (own !== 1) index += position * stride;
    stride *= own;
  }
  return index;
}

describe('functions of two arguments', () => {
  it.each(BINARY.filter((op) => op !== 'BitwiseAnd'))('%s agrees with its definition and broadcasts', async (op) => {
    for (const [left, right, shape] of SHAPES) {
      const [a, b] = [input(0, left), input(1, right)];
      const [x, y] = [noise(left, 5).map((v) => (op === 'Pow' ? Math.abs(v) : v * 4) + 0.01), noise(right, 6).map((v) => v * 3 + 0.01)];
      const count = shape.reduce((p, q) => p * q, 1);
      const expected = Array.from({ length: count }, (_, i) =>
        BINARY_MATH[op](x[broadcastIndex(left, shape, i)] ?? NaN, y[broadcastIndex(right, shape, i)] ?? NaN),
      );
      const [result = []] = await evaluate(graph([a, b], [node(op, [a, b], {}, shape)]), [x, y]);
      expect(relativeError(result, expected), `${op} ${left} ${right}`).toBeLessThanOrEqual(1e-5);
    }
  });

  it.each(['Add', 'Sub', 'Mul', 'Maximum', 'Minimum', 'FloorDiv', 'FloorMod', 'BitwiseAnd'] as const)(
    '%s of int32 values is exact, signs included',
    async (op) => {
      const [x, y] = [Int32Array.from([7, -7, 7, -7, 16777217, 0]), Int32Array.from([3, 3, -3, -3, 1, 5])];
      const [a, b] = [input(0, [6], 'int32'), input(1, [6], 'int32')];
      const expected = Array.from(x, (value, i) => BINARY_MATH[op](value, y[i] ?? NaN) + 0);
      const [result] = await evaluate(graph([a, b], [node(op, [a, b], {}, [6], 'int32')]), [x, y]);
      expect(result).toEqual(expected);
    },
  );

  it('an int32 operand beside a float32 one is promoted', async () => {
    const [a, b] = [input(0, [3], 'int32'), input(1, [3])];
    const [result] = await evaluate(graph([a, b], [node('Mul', [a, b], {}, [3])]), [
      Int32Array.from([1, 2, 3]),
      Float32Array.from([0.5, 0.5, 0.5]),
    ]);
    expect(result).toEqual([0.5, 1, 1.5]);
  });

  it.each(COMPARE)('%s gives bools', async (op) => {
    const logic = op.startsWith('Logical');
    const x = Int32Array.from([0, 1, 2, 0, 1, 2, 0, 1, 2].map((v) => (logic ? v % 2 : v)));
    const y = Int32Array.from([0, 0, 0, 1, 1, 1, 2, 2, 2].map((v) => (logic ? v % 2 : v)));
    for (const type of logic ? (['bool'] as const) : (['float32', 'int32'] as const)) {
      const [a, b] = [input(0, [9], type), input(1, [9], type)];
      const as = (values: Int32Array) =>
        type === 'bool' ? Uint8Array.from(values) : type === 'int32' ? values : Float32Array.from(values);
      const [result] = await evaluate(graph([a, b], [node(op, [a, b], {}, [9], 'bool')]), [as(x), as(y)]);
      expect(result).toEqual(Array.from(x, (value, i) => Number(COMPARE_MATH[op](value, y[i] ?? NaN))));
    }
  });

  it('LogicalNot inverts, and Equal compares bools', async () => {
    const [a, b] = [input(0, [4], 'bool'), input(1, [4], 'bool')];
    const outputs = [node('LogicalNot', [a], {}, [4], 'bool'), node('Equal', [a, b], {}, [4], 'bool')];
    expect(await evaluate(graph([a, b], outputs), [Uint8Array.from([0, 1, 0, 1]), Uint8Array.from([0, 0, 1, 1])])).toEqual([
      [1, 0, 1, 0],
      [1, 0, 0, 1],
    ]);
  });
});

describe('select and cast', () => {
  it.each(['float32', 'int32', 'bool'] as const)('Select chooses %s values and broadcasts the condition', async (type) => {
    const [condition, a, b] = [input(0, [2, 1], 'bool'), input(1, [2, 3], type), input(2, [], type)];
    const of = (values: number[]) =>
      type === 'float32' ? Float32Array.from(values) : type === 'int32' ? Int32Array.from(values) : Uint8Array.from(values);
    const [result] = await evaluate(graph([condition, a, b], [node('Select', [condition, a, b], {}, [2, 3], type)]), [
      Uint8Array.from([1, 0]),
      of([1, 0, 1, 1, 1, 1]),
      of([0]),
    ]);
    expect(result).toEqual([1, 0, 1, 0, 0, 0]);
  });

  it('Cast truncates towards zero, and bool is non-zero', async () => {
    const x = input(0, [5]);
    const outputs = [node('Cast', [x], {}, [5], 'int32'), node('Cast', [x], {}, [5], 'bool')];
    expect(await evaluate(graph([x], outputs), [Float32Array.from([-1.7, -0.2, 0, 0.2, 2.9])])).toEqual([
      [-1, 0, 0, 0, 2],
      [1, 1, 0, 1, 1],
    ]);
  });
});
