import {
  avgPool,
  crossEntropy,
  differentiableKernels,
  gatherRows,
  installGradients,
  instanceNorm,
  logSoftmax,
  logSumExp,
  maxPool,
  softmax,
} from '@bpc/core';
import { gradientCheck } from '@bpc/core/testing';
import type { Tensor, Tensor1D, Tensor4D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { testBackend } from './support/backend.js';
import { runtimes } from './support/runtimes.js';

beforeAll(async () => {
  await tf.setBackend(testBackend);
});

/** Smooth, positive and asymmetric, so that a transposed or flipped result does not pass by symmetry. */
const numbers = (shape: readonly number[], offset = 0, scale = 1) => {
  const size = shape.reduce((a, b) => a * b, 1);
  return { data: Float64Array.from({ length: size }, (_, i) => offset + scale * Math.sin(1.7 * i + 0.3 * i * i + 0.5)), shape };
};
/** A weighted sum with distinct weights: a plain sum hides wrong gradients of elements. */
const weigh = (x: Tensor): Tensor => {
  const weights = tf.tensor(Float32Array.from(numbers([x.size], 0.7, 0.6).data), x.shape);
  return tf.sum(tf.mul(x, tf.mul(weights, tf.add(1, tf.mul(0.3, x)))));
};
const positive = numbers([2, 3], 1.5, 0.8);
const signed = numbers([2, 3], 0.05, 1.2);
const inside = numbers([2, 3], 0.05, 0.8);

const unary: [string, (x: Tensor) => Tensor, typeof signed][] = [
  ['abs', tf.abs, signed],
  ['acos', tf.acos, inside],
  ['acosh', tf.acosh, numbers([2, 3], 2.5, 0.9)],
  ['asin', tf.asin, inside],
  ['asinh', tf.asinh, signed],
  ['atan', tf.atan, signed],
  ['atanh', tf.atanh, inside],
  ['clipByValue', (x) => tf.clipByValue(x, -0.6, 0.7), signed],
  ['cos', tf.cos, signed],
  ['cosh', tf.cosh, signed],
  ['elu', tf.elu, signed],
  ['erf', tf.erf, signed],
  ['exp', tf.exp, signed],
  ['expm1', tf.expm1, signed],
  ['leakyRelu', (x) => tf.leakyRelu(x, 0.1), signed],
  ['log', tf.log, positive],
  ['log1p', tf.log1p, positive],
  ['neg', tf.neg, signed],
  ['reciprocal', tf.reciprocal, positive],
  ['relu', tf.relu, signed],
  ['relu6', (x) => tf.relu6(tf.mul(x, 4.5)), signed],
  ['rsqrt', tf.rsqrt, positive],
  ['selu', tf.selu, signed],
  ['sigmoid', tf.sigmoid, signed],
  ['sin', tf.sin, signed],
  ['sinh', tf.sinh, signed],
  ['softplus', tf.softplus, signed],
  ['sqrt', tf.sqrt, positive],
  ['square', tf.square, signed],
  ['tan', tf.tan, numbers([2, 3], 0.1, 0.7)],
  ['tanh', tf.tanh, signed],
  ['cast to the same type', (x) => tf.cast(x, 'float32'), signed],
  ['clone', tf.clone, signed],
];

const binary: [string, (a: Tensor, b: Tensor) => Tensor][] = [
  ['add', tf.add],
  ['sub', tf.sub],
  ['mul', tf.mul],
  ['div', tf.div],
  ['maximum', tf.maximum],
  ['minimum', tf.minimum],
  ['squaredDifference', tf.squaredDifference],
  ['pow', tf.pow],
  ['mod', (a, b) => tf.mod(tf.add(tf.mul(b, 2.3), tf.mul(a, 0.05)), b)],
  ['atan2', tf.atan2],
  ['prelu', (a, b) => tf.prelu(tf.sub(a, 1.5), b)],
  ['where', (a, b) => tf.where(tf.greater(a, 1.5), tf.mul(a, a), tf.mul(b, a))],
];

const shapes: [string, (x: Tensor) => Tensor, readonly number[]][] = [
  ['sum of all', (x) => tf.sum(tf.mul(x, x)), [2, 3]],
  ['sum over an axis', (x) => tf.sum(x, 1), [2, 3]],
  ['sum keeping axes', (x) => tf.sum(x, [0, 2], true), [2, 3, 2]],
  ['mean', (x) => tf.mean(x, [0, -1]), [2, 3, 2]],
  ['max over axes', (x) => tf.max(x, [0, 2]), [2, 3, 2]],
  ['min of all', (x) => tf.min(x), [2, 3]],
  ['product of all', (x) => tf.prod(x), [2, 3]],
  ['product over axes', (x) => tf.prod(x, [0, 2]), [2, 3, 2]],
  ['cumprod', (x) => tf.cumprod(x, 0), [3, 2]],
  ['cumprod, exclusive', (x) => tf.cumprod(x, 1, true), [2, 3]],
  ['cumprod backwards', (x) => tf.cumprod(x, 1, false, true), [2, 4]],
  ['topk', (x) => tf.topk(x, 2).values, [2, 4]],
  ['stridedSlice', (x) => tf.stridedSlice(x, [1, 0], [6, 4], [2, 3]), [7, 4]],
  ['stridedSlice backwards', (x) => tf.stridedSlice(x, [5, 3], [0, 0], [-2, -1]), [7, 4]],
  ['stridedSlice that drops an axis', (x) => tf.stridedSlice(x, [0, 2], [4, 3], [1, 1], 0, 0, 0, 0, 2), [4, 4]],
  [
    'mirrorPad, reflect',
    (x) =>
      tf.mirrorPad(
        x,
        [
          [1, 2],
          [2, 0],
        ],
        'reflect',
      ),
    [3, 4],
  ],
  [
    'mirrorPad, symmetric',
    (x) =>
      tf.mirrorPad(
        x,
        [
          [3, 1],
          [0, 2],
        ],
        'symmetric',
      ),
    [3, 4],
  ],
  [
    'spaceToBatchND',
    (x) =>
      tf.spaceToBatchND(
        x,
        [2, 2],
        [
          [0, 0],
          [1, 0],
        ],
      ),
    [1, 4, 3, 2],
  ],
  [
    'batchToSpaceND',
    (x) =>
      tf.batchToSpaceND(
        x,
        [2, 2],
        [
          [0, 1],
          [1, 0],
        ],
      ),
    [4, 2, 2, 1],
  ],
  ['depthToSpace', (x) => tf.depthToSpace(x as Tensor4D, 2), [1, 2, 1, 8]],
  ['gatherND', (x) => tf.gatherND(x, tf.tensor2d([1, 0, 2, 1, 1, 0], [3, 2], 'int32')), [3, 2, 2]],
  ['scatterND', (x) => tf.scatterND(tf.tensor2d([1, 3, 1], [3, 1], 'int32'), x, [4, 2]), [3, 2]],
  ['gather with batch dimensions', (x) => tf.gather(x, tf.tensor2d([1, 0, 2, 2], [2, 2], 'int32'), 2, 1), [2, 2, 3, 2]],
  ['unsortedSegmentSum that drops rows', (x) => tf.unsortedSegmentSum(x, tf.tensor1d([1, -1, 1], 'int32'), 2), [3, 2]],
  [
    'batchNorm',
    (x) =>
      tf.batchNorm(
        x as Tensor4D,
        tf.mean(x, [0, 1, 2]) as Tensor1D,
        tf.mean(tf.square(x), [0, 1, 2]) as Tensor1D,
        tf.sum(x, [0, 1, 2]) as Tensor1D,
        tf.mean(tf.exp(x), [0, 1, 2]) as Tensor1D,
      ),
    [2, 2, 1, 3],
  ],
  ['localResponseNormalization', (x) => tf.localResponseNormalization(x as Tensor4D, 1, 1, 0.5, 0.75), [1, 1, 2, 4]],
  ['bilinear resize', (x) => tf.image.resizeBilinear(x as Tensor4D, [5, 3]), [1, 3, 4, 2]],
  ['bilinear resize with aligned corners', (x) => tf.image.resizeBilinear(x as Tensor4D, [4, 7], true), [1, 3, 4, 1]],
  ['bilinear resize with half-pixel centres', (x) => tf.image.resizeBilinear(x as Tensor4D, [5, 3], false, true), [1, 3, 4, 1]],
  ['nearest resize with half-pixel centres', (x) => tf.image.resizeNearestNeighbor(x as Tensor4D, [5, 3], false, true), [1, 3, 4, 1]],
  ['cumsum', (x) => tf.cumsum(x, 1, true, true), [2, 4]],
  ['softmax kernel', (x) => tf.softmax(x), [2, 3]],
  ['reshape', (x) => tf.reshape(x, [3, 2]), [2, 3]],
  ['expandDims and squeeze', (x) => tf.squeeze(tf.expandDims(x, 1)), [2, 3]],
  ['transpose', (x) => tf.transpose(x, [2, 0, 1]), [2, 3, 2]],
  ['reverse', (x) => tf.reverse(x, 1), [2, 3]],
  ['slice', (x) => tf.slice(x, [1, 0], [2, 2]), [3, 3]],
  [
    'pad',
    (x) =>
      tf.pad(
        x as never,
        [
          [1, 0],
          [0, 2],
        ],
        0.5,
      ),
    [2, 3],
  ],
  ['tile', (x) => tf.tile(x, [2, 3]), [2, 2]],
  ['broadcastTo', (x) => tf.broadcastTo(x, [4, 2, 3]), [2, 1]],
  ['concat', (x) => tf.concat([x, tf.mul(x, x), x], -1), [2, 3]],
  ['stack', (x) => tf.stack([x, tf.mul(x, x)], 1), [2, 3]],
  ['unstack, one part unused', (x) => tf.mul(tf.unstack(x, 1)[0] as Tensor, tf.unstack(x, 1)[2] as Tensor), [2, 3]],
  [
    'split',
    (x) => {
      const [a, b] = tf.split(x, [1, 2], 1) as [Tensor, Tensor];
      return tf.mul(a, b);
    },
    [2, 3],
  ],
  ['addN', (x) => tf.addN([x, tf.mul(x, x)]), [2, 3]],
  ['gather rows', (x) => gatherRows(x, tf.tensor1d([2, 0, 2], 'int32')), [3, 2]],
  [
    'gather along another axis',
    (x) =>
      tf.gather(
        x,
        tf.tensor2d(
          [
            [1, 0],
            [1, 1],
          ],
          [2, 2],
          'int32',
        ),
        1,
      ),
    [2, 3, 2],
  ],
  ['unsortedSegmentSum', (x) => tf.unsortedSegmentSum(x, tf.tensor1d([1, 0, 1], 'int32'), 2), [3, 2]],
  ['logSumExp', (x) => logSumExp(x), [2, 3]],
  ['logSumExp keeping the axis', (x) => logSumExp(x, true), [2, 3]],
  ['logSoftmax', logSoftmax, [2, 3]],
  ['softmax', softmax, [2, 3]],
];

const images = (f: (x: Tensor4D) => Tensor, shape: readonly number[]): [(x: Tensor) => Tensor, readonly number[]] => [
  (x) => f(x as Tensor4D),
  shape,
];
const pooling: [string, (x: Tensor) => Tensor, readonly number[]][] = [
  ['avgPool 2', ...images((x) => avgPool(x), [1, 4, 4, 2])],
  ['avgPool 2 of odd sizes', ...images((x) => avgPool(x), [1, 5, 3, 2])],
  ['avgPool 3 with stride 2', ...images((x) => avgPool(x, 3, 2), [1, 5, 5, 1])],
  ['maxPool 2', ...images((x) => maxPool(x), [1, 4, 4, 2])],
  ['maxPool 2 of odd sizes', ...images((x) => maxPool(x), [1, 5, 3, 2])],
  ['avgPool 3 with stride 2, same', ...images((x) => tf.avgPool(x, 3, 2, 'same'), [1, 4, 5, 2])],
  ['maxPool 3', ...images((x) => maxPool(x, 3), [1, 6, 3, 1])],
];

type Convolution = {
  stride: number;
  pad: 'same' | 'valid' | number | [[number, number], [number, number], [number, number], [number, number]];
  dilation: number;
};
const convolutions: [string, Convolution][] = [
  ['padding 1', { stride: 1, pad: 1, dilation: 1 }],
  ['padding 3', { stride: 1, pad: 3, dilation: 1 }],
  ['no padding', { stride: 1, pad: 'valid', dilation: 1 }],
  ['stride 2, same', { stride: 2, pad: 'same', dilation: 1 }],
  ['stride 2 that leaves a row unused', { stride: 2, pad: 'valid', dilation: 1 }],
  [
    'unequal explicit padding',
    {
      stride: 1,
      pad: [
        [0, 0],
        [2, 1],
        [0, 1],
        [0, 0],
      ],
      dilation: 1,
    },
  ],
  ['dilation 2', { stride: 1, pad: 'same', dilation: 2 }],
];

/** Sums of products; tfjs cpu gets those wrong in which a letter of one factor only is summed. */
const einsums = ['ij,jk->ik', 'bij,bjk->ki', 'ij,ij->j'];
const compiledEinsums = ['ij,kj->', 'ij,k->ik', 'ijb,bjk->b'];

/** Distinct by more than the steps of the differences, in no order: no maximum changes its place. */
const spaced = (shape: readonly number[]) => {
  const size = shape.reduce((a, b) => a * b, 1);
  return { data: Float64Array.from({ length: size }, (_, i) => 0.1 * ((7 * i + 3) % size) - 1), shape };
};
const overlapping: [string, (x: Tensor) => Tensor, readonly number[]][] = [
  ['3 with stride 2', ...images((x) => maxPool(x, 3, 2), [1, 5, 5, 2])],
  ['3 with stride 1, same', ...images((x) => tf.maxPool(x, 3, 1, 'same'), [1, 4, 3, 2])],
  ['2×3 with padding 1', ...images((x) => tf.maxPool(x, [2, 3], 1, 1), [1, 4, 3, 1])],
];

describe.each(runtimes)('gradient rules on %s', (runtimeName, makeRuntime) => {
  const check = async (f: (x: never) => Tensor, point: Parameters<typeof gradientCheck>[1], order: 1 | 2 = 2) => {
    const runtime = await makeRuntime();
    try {
      await gradientCheck(f as never, point, { runtime, order });
    } finally {
      await runtime.dispose();
    }
  };

  it.each(unary)('differentiate %s twice', (_name, f, point) => check((x: Tensor) => weigh(f(x)), point));

  it.each(binary)('differentiate %s twice, with broadcasting', (_name, f) =>
    check(({ a, b }: { a: Tensor; b: Tensor }) => weigh(f(a, b)), { a: numbers([2, 3], 1.5, 0.6), b: numbers([3], 1.3, 0.9) }),
  );

  it.each(shapes)('differentiate %s twice', (_name, f, shape) => check((x: Tensor) => weigh(f(x)), numbers(shape)));

  it.each(pooling)('differentiate %s twice', (_name, f, shape) => check((x: Tensor) => weigh(tf.mul(f(x), f(x))), numbers(shape)));

  it.each([
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ])('differentiate matMul (transposes %s, %s) twice, with broadcast batches', (ta, tb) =>
    check(({ a, b }: { a: Tensor; b: Tensor }) => weigh(tf.matMul(a, b, ta, tb)), {
      a: numbers(ta ? [2, 3, 2] : [2, 2, 3]),
      b: numbers(tb ? [1, 2, 3] : [1, 3, 2], 0.2),
    }),
  );

  it.each(convolutions)('differentiate convolution with %s twice, in images and filters', (_name, { stride, pad, dilation }) =>
    check(
      ({ x, filter }: { x: Tensor; filter: Tensor }) =>
        weigh(tf.tanh(tf.conv2d(x as Tensor4D, filter as Tensor4D, stride, pad, 'NHWC', dilation))),
      {
        x: numbers([1, 6, 5, 2], 0.1, 0.5),
        filter: numbers([3, 2, 2, 2], 0.05, 0.4),
      },
    ),
  );

  it.each(convolutions.filter(([, { stride, pad }]) => !Array.isArray(pad) || stride === 1))(
    'differentiate depthwise convolution with %s twice, in images and filters',
    (_name, { stride, pad, dilation }) =>
      check(
        ({ x, filter }: { x: Tensor; filter: Tensor }) =>
          weigh(tf.tanh(tf.depthwiseConv2d(x as Tensor4D, filter as Tensor4D, stride, pad as 'same', 'NHWC', dilation))),
        { x: numbers([1, 6, 5, 2], 0.1, 0.5), filter: numbers([3, 2, 2, 2], 0.05, 0.4) },
      ),
  );

  it.each(runtimeName.endsWith('eagerly') ? einsums : [...einsums, ...compiledEinsums])('differentiate einsum %s twice', (equation) => {
    const sizes: Readonly<Record<string, number>> = { i: 2, j: 3, k: 2, b: 2 };
    const [a = '', b = ''] = (equation.split('->')[0] ?? '').split(',').map(String);
    const shape = (letters: string) => [...letters].map((letter) => sizes[letter] ?? 1);
    return check(({ p, q }: { p: Tensor; q: Tensor }) => weigh(tf.einsum(equation, p, q)), {
      p: numbers(shape(a), 0.2),
      q: numbers(shape(b), 0.4),
    });
  });

  it.each(overlapping)('differentiate overlapping maxPool %s twice', (_name, f, shape) =>
    check((x: Tensor) => weigh(tf.mul(f(x), f(x))), spaced(shape)),
  );

  it('differentiate instance norm twice', () =>
    check(({ x, gamma, beta }: { x: Tensor; gamma: Tensor; beta: Tensor }) => weigh(instanceNorm(x, gamma, beta)), {
      x: numbers([2, 2, 3, 2]),
      gamma: numbers([2], 1),
      beta: numbers([2]),
    }));

  it('differentiate cross-entropy twice, in logits and labels', () =>
    check(({ z, t }: { z: Tensor; t: Tensor }) => weigh(crossEntropy(z, t)), { z: numbers([2, 3], 0, 2), t: numbers([2, 3], 0.5, 0.3) }));

  it('rejects a wrong rule: the check can fail', async () => {
    const wrong = tf.customGrad((x, save) => {
      (save as (t: Tensor[]) => void)([x as Tensor]);
      return { value: tf.tanh(x as Tensor), gradFunc: (dy, saved) => tf.mul(dy, tf.sub(1.01, tf.square(tf.tanh(saved[0] as Tensor)))) };
    });
    await expect(check((x: Tensor) => weigh(wrong(x)), signed)).rejects.toThrow(/derivative deviates/);
  });
});

describe('installGradients', () => {
  it('replaces rules that another package registered meanwhile', () => {
    tf.registerGradient({ kernelName: 'Tanh', gradFunc: () => ({ x: () => tf.scalar(0) }) });
    installGradients();
    const derivative = tf.grad((x: Tensor) => tf.tanh(x))(tf.scalar(0));
    expect(derivative.dataSync()[0]).toBe(1);
  });

  it('lists each kernel once', () => {
    const names = differentiableKernels();
    expect(new Set(names).size).toBe(names.length);
  });
});
