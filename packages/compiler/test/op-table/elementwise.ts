import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { bools, EDGES, floats, ints, type OpCase, PAIRS, SHAPES } from './case.js';

type Unary = { readonly run: (x: Tensor) => Tensor; readonly low?: number; readonly high?: number; readonly int?: boolean };

const UNARY: Readonly<Record<string, Unary>> = {
  neg: { run: tf.neg, int: true },
  exp: { run: tf.exp },
  expm1: { run: tf.expm1 },
  log: { run: tf.log, low: 0.01, high: 20 },
  log1p: { run: tf.log1p, low: -0.9, high: 20 },
  sqrt: { run: tf.sqrt, low: 0, high: 20 },
  rsqrt: { run: tf.rsqrt, low: 0.01, high: 20 },
  reciprocal: { run: tf.reciprocal, low: 0.1, high: 3 },
  square: { run: tf.square, int: true },
  abs: { run: tf.abs, int: true },
  sign: { run: tf.sign, int: true },
  floor: { run: tf.floor, low: -9, high: 9 },
  ceil: { run: tf.ceil, low: -9, high: 9 },
  round: { run: tf.round, low: -9, high: 9 },
  sin: { run: tf.sin, low: -9, high: 9 },
  cos: { run: tf.cos, low: -9, high: 9 },
  tan: { run: tf.tan, low: -1.4, high: 1.4 },
  asin: { run: tf.asin },
  acos: { run: tf.acos },
  atan: { run: tf.atan, low: -9, high: 9 },
  sinh: { run: tf.sinh, low: -4, high: 4 },
  cosh: { run: tf.cosh, low: -4, high: 4 },
  tanh: { run: tf.tanh, low: -4, high: 4 },
  asinh: { run: tf.asinh, low: -40, high: 40 },
  acosh: { run: tf.acosh, low: 1, high: 40 },
  atanh: { run: tf.atanh, low: -0.99, high: 0.99 },
  erf: { run: tf.erf, low: -3, high: 3 },
  sigmoid: { run: tf.sigmoid, low: -9, high: 9 },
  softplus: { run: tf.softplus, low: -9, high: 9 },
  relu: { run: tf.relu, int: true },
  relu6: { run: tf.relu6, low: -9, high: 9 },
  leakyRelu: { run: (x) => tf.leakyRelu(x, 0.3), int: true },
  elu: { run: tf.elu, low: -3, high: 3 },
  selu: { run: tf.selu, low: -3, high: 3 },
  step: { run: (x) => tf.step(x), int: true },
  'step with slope': { run: (x) => tf.step(x, 0.5) },
  clip: { run: (x) => tf.clipByValue(x, -0.3, 0.4) },
  isNaN: { run: tf.isNaN },
  isInf: { run: tf.isInf },
  isFinite: { run: tf.isFinite },
  zerosLike: { run: tf.zerosLike, int: true },
  onesLike: { run: tf.onesLike, int: true },
  clone: { run: tf.clone, int: true },
  'to int32': { run: (x) => tf.cast(x, 'int32'), low: -9, high: 9 },
  'to bool': { run: (x) => tf.cast(tf.round(x), 'bool') },
  not: { run: (x) => tf.logicalNot(tf.greater(x, 0)) },
};

/** Conversions of what has no integer: every platform has its own answer. */
const NO_EDGES = ['to int32'];

const unaryCases = Object.entries(UNARY).flatMap(([name, { run, low, high, int }]): OpCase[] => [
  ...SHAPES.map((shape): OpCase => ({ name: `${name} [${shape}]`, run: (x) => run(x!), args: () => [floats(shape, 1, low, high)] })),
  ...(NO_EDGES.includes(name) ? [] : [{ name: `${name} of edge values`, run: (x: Tensor) => run(x), args: () => [tf.tensor(EDGES)] }]),
  ...(int
    ? [
        {
          name: `${name} of int32`,
          run: (x: Tensor) => run(x),
          args: () => [tf.tensor([7, -7, 0, 3, 4000, -4095], [6], 'int32')],
        },
      ]
    : []),
]);

type Binary = {
  readonly run: (a: Tensor, b: Tensor) => Tensor;
  readonly low?: number;
  readonly int?: boolean;
  readonly edges?: false;
  readonly tolerance?: number;
};

const BINARY: Readonly<Record<string, Binary>> = {
  add: { run: tf.add, int: true },
  sub: { run: tf.sub, int: true },
  mul: { run: tf.mul, int: true },
  div: { run: tf.div },
  divNoNan: { run: tf.divNoNan, edges: false },
  maximum: { run: tf.maximum, int: true },
  minimum: { run: tf.minimum, int: true },
  squaredDifference: { run: tf.squaredDifference, int: true },
  pow: { run: tf.pow, low: 0.1, edges: false },
  mod: { run: tf.mod, int: true, edges: false },
  floorDiv: { run: tf.floorDiv, edges: false },
  atan2: { run: tf.atan2 },
  greater: { run: tf.greater, int: true },
  greaterEqual: { run: tf.greaterEqual, int: true },
  less: { run: tf.less, int: true },
  lessEqual: { run: tf.lessEqual, int: true },
  equal: { run: (a, b) => tf.equal(tf.round(a), tf.round(b)) },
  notEqual: { run: (a, b) => tf.notEqual(tf.round(a), tf.round(b)) },
  and: { run: (a, b) => tf.logicalAnd(tf.greater(a, 0), tf.greater(b, 0)) },
  or: { run: (a, b) => tf.logicalOr(tf.greater(a, 0), tf.greater(b, 0)) },
  xor: { run: (a, b) => tf.logicalXor(tf.greater(a, 0), tf.greater(b, 0)) },
  where: { run: (a, b) => tf.where(tf.greater(a, b), a, tf.mul(b, 2)) },
  prelu: { run: (a, b) => tf.prelu(a, b), edges: false },
};

const grid = (list: readonly number[]) => list.flatMap((a) => list.map((b) => [a, b] as const));

const binaryCases = Object.entries(BINARY).flatMap(([name, { run, low = -1, int, edges, tolerance }]): OpCase[] => [
  ...PAIRS.map(
    ([a, b]): OpCase => ({ name: `${name} [${a}] [${b}]`, run: (x, y) => run(x!, y!), args: () => [floats(a, 1, low), floats(b, 2)] }),
  ),
  ...(edges === false
    ? []
    : [
        {
          name: `${name} of all pairs of edge values`,
          run: (x: Tensor, y: Tensor) => run(x, y),
          args: () => [tf.tensor(grid(EDGES).map(([a]) => a)), tf.tensor(grid(EDGES).map(([, b]) => b))],
          ...(tolerance === undefined ? {} : { tolerance }),
        },
      ]),
  ...(int
    ? [
        {
          name: `${name} of int32`,
          run: (x: Tensor, y: Tensor) => run(x, y),
          args: () => [tf.tensor([7, -7, 7, -7, 16777217, 0], [6], 'int32'), tf.tensor([3, 3, -3, -3, 1, 5], [6], 'int32')],
        },
      ]
    : []),
]);

/** The remainder has the sign of the divisor, and is the dividend where an infinite divisor has the same sign. */
const remainder = (a: number, b: number) => {
  const rest = a % b;
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
};
const DIVIDENDS = [5, -5, 0, 2.5, Number.NaN, Number.POSITIVE_INFINITY];
const DIVISORS = [3, -3, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, Number.NaN];
const pairs = DIVIDENDS.flatMap((a) => DIVISORS.map((b) => [a, b] as const));

const powers = grid(EDGES).filter(([a, b]) => Math.abs(a) !== 1 || Number.isFinite(b));

const special: OpCase[] = [
  {
    name: 'mod of edge values',
    run: (a, b) => tf.mod(a!, b!),
    args: () => [tf.tensor(pairs.map(([a]) => a)), tf.tensor(pairs.map(([, b]) => b))],
    truth: {
      reason: 'tfjs cpu adds an infinite divisor before it takes the remainder, which gives NaN instead of ∓∞',
      values: (a, b) => [a.map((each, i) => remainder(each, b[i]!))],
    },
  },
  {
    // Without 1 to a power that is no finite number: 1 by IEEE 754 (ONNX Runtime), NaN by ECMAScript (the js target, tfjs cpu).
    name: 'pow of pairs of edge values',
    run: (a, b) => tf.pow(a!, b!),
    args: () => [tf.tensor(powers.map(([a]) => a)), tf.tensor(powers.map(([, b]) => b))],
  },
  {
    name: 'prelu of edge values',
    run: (x, alpha) => tf.prelu(x!, alpha!),
    args: () => [tf.tensor(EDGES), tf.tensor([0.25])],
  },
  {
    name: 'floorDiv of int32, signs included',
    run: (a, b) => tf.floorDiv(a!, b!),
    args: () => [tf.tensor([7, -7, 7, -7, 16777217, 0], [6], 'int32'), tf.tensor([3, 3, -3, -3, 1, 5], [6], 'int32')],
  },
  {
    name: 'bitwiseAnd',
    run: (a, b) => tf.bitwiseAnd(a!, b!),
    args: () => [tf.tensor([12, -1, 255, 0, 65537], [5], 'int32'), tf.tensor([10, 77, -256, 3, 65536], [5], 'int32')],
  },
  { name: 'addN', run: (a, b, c) => tf.addN([a!, b!, c!]), args: () => [floats([30]), floats([30], 2), floats([30], 3)] },
  { name: 'an int32 beside a float32', run: (a, b) => tf.mul(a!, b!), args: () => [ints([9], -5, 5), floats([9], 2)] },
  { name: 'sums of bools count', run: (a) => tf.sum(a!), args: () => [bools([30])] },
  { name: 'where of int32 and float32', run: (c, a, b) => tf.where(c!, a!, b!), args: () => [bools([9]), ints([9], -5, 5), floats([9])] },
  { name: 'where of bools', run: (c, a, b) => tf.where(c!, a!, b!), args: () => [bools([9]), bools([9], 2), bools([9], 3)] },
  { name: 'bool to float32 and int32', run: (c) => [tf.cast(c!, 'float32'), tf.cast(c!, 'int32')], args: () => [bools([30])] },
  { name: 'int32 to float32 and bool', run: (c) => [tf.cast(c!, 'float32'), tf.cast(c!, 'bool')], args: () => [ints([30], -2, 2)] },
  { name: 'float32 to int32 goes towards zero', run: (x) => tf.cast(x!, 'int32'), args: () => [tf.tensor([-1.7, -0.2, 0, 0.2, 2.9])] },
  { name: 'clip of int32', run: (x) => tf.clipByValue(x!, -2, 3), args: () => [ints([30], -9, 9)] },
];

/** Functions of the elements, each by itself. */
export const elementwiseCases: readonly OpCase[] = [...unaryCases, ...binaryCases, ...special];
