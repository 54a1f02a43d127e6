import type { Tensor, Tensor1D, Tensor4D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { describe, it } from 'vitest';
import { expectSame, random } from './helpers.js';

type Case = readonly [
  name: string,
  fn: (...args: Tensor[]) => Tensor | Tensor[] | { [name: string]: Tensor },
  args: () => Tensor[],
  tolerance?: number,
];

const positive = (shape: number[], seed = 1) => tf.add(tf.abs(random(shape, seed)), 0.1);
const int = (values: number[], shape: number[]) => tf.tensor(values, shape, 'int32');
// Small tensors become scalars, larger ones loops: both have to be right.
const SHAPES: number[][] = [[], [5], [3, 4], [7, 9], [2, 3, 5, 7], [1, 40, 1]];

const unary: Record<string, (x: Tensor) => Tensor> = {
  neg: tf.neg,
  exp: tf.exp,
  expm1: tf.expm1,
  relu: tf.relu,
  relu6: (x) => tf.relu6(tf.mul(x, 9)),
  leakyRelu: (x) => tf.leakyRelu(x, 0.3),
  elu: tf.elu,
  sigmoid: tf.sigmoid,
  tanh: tf.tanh,
  abs: tf.abs,
  sign: tf.sign,
  step: (x) => tf.step(x),
  stepAlpha: (x) => tf.step(x, 0.5),
  softplus: tf.softplus,
  sin: tf.sin,
  cos: tf.cos,
  tan: tf.tan,
  floor: (x) => tf.floor(tf.mul(x, 3)),
  ceil: (x) => tf.ceil(tf.mul(x, 3)),
  round: (x) => tf.round(tf.mul(x, 3)),
  erf: tf.erf,
  square: tf.square,
  clip: (x) => tf.clipByValue(x, -0.3, 0.4),
  zerosLike: tf.zerosLike,
  onesLike: tf.onesLike,
  clone: tf.clone,
  castInt: (x) => tf.cast(tf.mul(x, 5), 'int32'),
  castBool: (x) => tf.cast(tf.round(x), 'bool'),
  not: (x) => tf.logicalNot(tf.greater(x, 0)),
  isNaN: (x) => tf.isNaN(tf.log(x)),
};
const unaryPositive: Record<string, (x: Tensor) => Tensor> = {
  log: tf.log,
  log1p: tf.log1p,
  sqrt: tf.sqrt,
  rsqrt: tf.rsqrt,
  reciprocal: tf.reciprocal,
};

const binary: Record<string, (a: Tensor, b: Tensor) => Tensor> = {
  add: tf.add,
  sub: tf.sub,
  mul: tf.mul,
  div: tf.div,
  maximum: tf.maximum,
  minimum: tf.minimum,
  squaredDifference: tf.squaredDifference,
  pow: (a, b) => tf.pow(tf.add(tf.abs(a), 0.1), b),
  mod: tf.mod,
  floorDiv: tf.floorDiv,
  greater: tf.greater,
  greaterEqual: tf.greaterEqual,
  less: tf.less,
  lessEqual: tf.lessEqual,
  equal: (a, b) => tf.equal(tf.round(a), tf.round(b)),
  notEqual: (a, b) => tf.notEqual(tf.round(a), tf.round(b)),
  and: (a, b) => tf.logicalAnd(tf.greater(a, 0), tf.greater(b, 0)),
  or: (a, b) => tf.logicalOr(tf.greater(a, 0), tf.greater(b, 0)),
  where: (a, b) => tf.where(tf.greater(a, b), a, tf.mul(b, 2)),
  prelu: (a, b) => tf.prelu(a, b),
};
const PAIRS: [number[], number[]][] = [
  [[], []],
  [[7], [7]],
  [[40], []],
  [[3, 4], [4]],
  [
    [7, 9],
    [7, 1],
  ],
  [
    [1, 9],
    [7, 1],
  ],
  [
    [2, 3, 5, 7],
    [5, 1],
  ],
];

const cases: Case[] = [
  ...Object.entries(unary).flatMap(([name, fn]) =>
    SHAPES.map((shape): Case => [`${name} [${shape}]`, (x) => fn(x!), () => [random(shape)]]),
  ),
  ...Object.entries(unaryPositive).flatMap(([name, fn]) =>
    SHAPES.map((shape): Case => [`${name} [${shape}]`, (x) => fn(x!), () => [positive(shape)]]),
  ),
  ...Object.entries(binary).flatMap(([name, fn]) =>
    PAIRS.map(([a, b]): Case => [`${name} [${a}] [${b}]`, (x, y) => fn(x!, y!), () => [random(a), random(b, 2)]]),
  ),
  [
    'int arithmetic',
    (a, b) => [tf.add(a!, b!), tf.mul(a!, b!), tf.div(a!, b!), tf.maximum(a!, b!), tf.sum(a!), tf.mod(a!, b!)],
    () => [int([7, -7, 3, 1e8], [4]), int([2, 2, -2, 3], [4])],
  ],
  ['addN', (a, b, c) => tf.addN([a!, b!, c!]), () => [random([30]), random([30], 2), random([30], 3)]],
  [
    'reshape and expandDims',
    (x) => [tf.reshape(x!, [6, -1]), tf.expandDims(x!, 1), tf.squeeze(tf.expandDims(tf.exp(x!), -1)), tf.reshape(tf.exp(x!), [60])],
    () => [random([3, 4, 5])],
  ],
  [
    'transpose',
    (x) => [tf.transpose(x!), tf.transpose(x!, [1, 0, 2]), tf.transpose(tf.transpose(x!, [2, 0, 1]), [1, 2, 0])],
    () => [random([3, 4, 5])],
  ],
  [
    'slice',
    (x) => [tf.slice(x!, [1, 0, 2], [2, 3, 3]), tf.slice(x!, [0, 1, 1]), tf.slice(tf.exp(x!), [1, 1, 1], [1, 2, -1])],
    () => [random([3, 4, 5])],
  ],
  [
    'stridedSlice',
    (x) => [
      tf.stridedSlice(x!, [0, 1], [7, 9], [2, 3]),
      tf.stridedSlice(x!, [6, 8], [0, 0], [-2, -1]),
      tf.stridedSlice(x!, [1], [2], [1], 0, 0, 0, 0, 1),
    ],
    () => [random([7, 9])],
  ],
  [
    'pad',
    (x) => [
      tf.pad(x!, [
        [1, 2],
        [0, 3],
      ]),
      tf.pad(
        x!,
        [
          [0, 1],
          [2, 0],
        ],
        7,
      ),
      tf.exp(
        tf.pad(
          tf.pad(x!, [
            [1, 0],
            [0, 1],
          ]),
          [
            [0, 1],
            [1, 0],
          ],
        ),
      ),
      tf.mirrorPad(
        x!,
        [
          [1, 1],
          [2, 0],
        ],
        'reflect',
      ),
      tf.mirrorPad(
        x!,
        [
          [1, 1],
          [2, 0],
        ],
        'symmetric',
      ),
    ],
    () => [random([5, 6])],
  ],
  ['small pad', (x) => tf.pad(x!, [[1, 2]], 3), () => [random([4])]],
  [
    'concat and stack',
    (a, b) => [tf.concat([a!, b!], 0), tf.concat([a!, tf.exp(b!), a!], 1), tf.stack([a!, b!], 1), tf.stack([a!, b!], -1)],
    () => [random([5, 6]), random([5, 6], 2)],
  ],
  ['small concat', (a, b) => tf.concat([a!, b!], 0), () => [random([2]), random([3], 2)]],
  ['unstack and split', (x) => [...tf.unstack(x!, 1), ...tf.split(x!, 3, 1), ...tf.split(x!, [1, 4], 0)], () => [random([5, 6])]],
  [
    'tile and reverse',
    (x) => [tf.tile(x!, [2, 3]), tf.reverse(x!, [1]), tf.reverse(tf.exp(x!), [0, 1]), tf.tile(tf.reverse(x!, 0), [1, 2])],
    () => [random([5, 6])],
  ],
  [
    'made tensors',
    () => [tf.fill([3, 2], 4), tf.range(1, 9, 2), tf.linspace(0, 1, 7), tf.zeros([40]), tf.ones([2]), tf.eye(4), tf.tensor([1.5, 2.5])],
    () => [],
  ],
  ['broadcastTo', (x) => tf.mul(tf.broadcastTo(x!, [4, 5, 6]), 2), () => [random([5, 1])]],
  ...[[0], [1], [2], [0, 1], [1, 2], [0, 2], [0, 1, 2]].flatMap((axes): Case[] => [
    [
      `reductions over [${axes}]`,
      (x) => [
        tf.sum(x!, axes),
        tf.mean(x!, axes, true),
        tf.max(x!, axes),
        tf.min(x!, axes, true),
        tf.sum(tf.exp(x!), axes),
        tf.prod(x!, axes),
        tf.any(tf.greater(x!, 0.9), axes),
        tf.all(tf.greater(x!, -0.9), axes),
      ],
      () => [random([5, 6, 7])],
    ],
    [
      `long reductions over [${axes}]`,
      (x) => [tf.sum(tf.mul(x!, x!), axes), tf.mean(x!, axes), tf.max(x!, axes), tf.min(x!, axes)],
      () => [random([50, 3, 40])],
    ],
  ]),
  ['argMax', (x) => [tf.argMax(x!, 0), tf.argMax(x!, 1), tf.argMin(x!, 1), tf.argMax(x!, 2)], () => [random([5, 6, 7])]],
  ['argMax of ties takes the first', (x) => tf.argMax(x!, 0), () => [tf.tensor([1, 3, 3, 2])]],
  ...(
    [
      [3, 4, 5],
      [20, 30, 25],
      [1, 100, 1],
      [1, 100, 40],
      [40, 100, 1],
      [33, 7, 19],
      [64, 64, 64],
    ] as const
  ).flatMap(([m, k, n]): Case[] => [
    [`matMul ${m}×${k}×${n}`, (a, b) => tf.matMul(a!, b!), () => [random([m, k]), random([k, n], 2)]],
    [
      `matMul transposed ${m}×${k}×${n}`,
      (a, b) => [tf.matMul(a!, b!, true, true), tf.matMul(tf.transpose(a!), b!, false, true)],
      () => [random([k, m]), random([n, k], 2)],
    ],
  ]),
  [
    'batched matMul',
    (a, b) => [tf.matMul(a!, b!), tf.matMul(a!, tf.slice(b!, [0, 0, 0], [1, 40, 6]))],
    () => [random([3, 5, 40]), random([3, 40, 6], 2)],
  ],
  ['softmax', (x) => [tf.softmax(x!), tf.logSoftmax(x!), tf.logSumExp(x!, 1)], () => [tf.mul(random([9, 10]), 30)]],
  ['large softmax', (x) => [tf.softmax(x!), tf.logSoftmax(x!)], () => [tf.mul(random([20, 100]), 30)]],
  [
    'gather',
    (x, i) => [tf.gather(x!, i! as Tensor1D), tf.gather(tf.exp(x!), i! as Tensor1D, 1), tf.gather(x!, tf.reshape(i!, [2, 2]), 2)],
    () => [random([6, 7, 8]), int([5, 0, 3, 3], [4])],
  ],
  ['gatherND', (x, i) => tf.gatherND(x!, i!), () => [random([6, 7, 8]), int([5, 0, 3, 3, 1, 1], [3, 2])]],
  ['scatterND', (i, x) => tf.scatterND(i!, x!, [6, 4]), () => [int([5, 0, 5], [3, 1]), random([3, 4])]],
  [
    'unsortedSegmentSum',
    (x, i) => [tf.unsortedSegmentSum(x!, i! as Tensor1D, 4), tf.unsortedSegmentSum(tf.exp(x!), i! as Tensor1D, 40)],
    () => [random([6, 7]), int([3, 0, 3, 3, 1, 0], [6])],
  ],
  ['oneHot', (i) => [tf.oneHot(i!, 5), tf.oneHot(i!, 40, 2, -1, 'float32')], () => [int([3, 0, 4], [3])]],
  [
    'cumsum',
    (x) => [tf.cumsum(x!, 0), tf.cumsum(x!, 1, true), tf.cumsum(x!, 2, false, true), tf.cumsum(x!, 1, true, true)],
    () => [random([5, 6, 7])],
  ],
  ...(
    [
      ['odd image, 3×3 same', [2, 7, 5, 3], [3, 3, 3, 4], 1, 'same', 1],
      ['stride 2 same', [2, 7, 8, 3], [3, 3, 3, 4], 2, 'same', 1],
      ['valid, 5×3', [1, 9, 8, 2], [5, 3, 2, 6], [2, 1], 'valid', 1],
      ['1×1', [2, 5, 5, 8], [1, 1, 8, 9], 1, 'valid', 1],
      ['explicit padding', [1, 6, 7, 2], [3, 3, 2, 5], 1, 2, 1],
      ['dilated', [1, 11, 12, 2], [3, 3, 2, 5], 1, 'same', 2],
      ['wide', [1, 4, 4, 40], [3, 3, 40, 33], 1, 'same', 1],
    ] as const
  ).map(
    ([name, x, filter, strides, padding, dilations]): Case => [
      `conv2d ${name}`,
      (a, f) => tf.conv2d(a! as Tensor4D, f! as Tensor4D, strides as number, padding as 'same', 'NHWC', dilations),
      () => [random([...x]), random([...filter], 2)],
    ],
  ),
  ...(
    [
      [2, 2, 'valid'],
      [3, 2, 'same'],
      [3, 1, 'same'],
      [2, 3, 'valid'],
      [3, 2, 'valid'],
    ] as const
  ).map(
    ([size, strides, padding]): Case => [
      `pooling ${size}/${strides} ${padding}`,
      (x) => [tf.avgPool(x! as Tensor4D, size, strides, padding), tf.maxPool(x! as Tensor4D, size, strides, padding)],
      () => [random([2, 7, 9, 5])],
    ],
  ),
];

describe('every primitive agrees with tfjs cpu', () => {
  for (const [name, fn, args, tolerance] of cases) it(name, () => expectSame(fn, args(), tolerance));
});
