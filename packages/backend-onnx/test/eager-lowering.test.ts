import { registerOnnxBackend } from '@bpc/backend-onnx';
import * as tf from '@tensorflow/tfjs-core';
import * as ort from 'onnxruntime-node';
import { beforeAll, describe, expect, it } from 'vitest';

// What tfjs-core's conformance suite and the corner cases around it found in the lowerings, one call at a time.
beforeAll(async () => {
  const { name } = await registerOnnxBackend({ ort });
  await tf.setBackend(name);
});

const values = async (x: tf.Tensor): Promise<number[]> => Array.from(await x.data());
const int = (...numbers: number[]): tf.Tensor1D => tf.tensor1d(numbers, 'int32');
const SMALLEST = -(2 ** 31);

describe('NaN', () => {
  it('is the maximum and the minimum of what contains it, and nothing else changes', async () => {
    const x = tf.tensor2d([
      [3, Number.NaN, 2],
      [3, -1, Number.POSITIVE_INFINITY],
    ]);
    expect(await values(tf.max(x, 1))).toEqual([Number.NaN, Number.POSITIVE_INFINITY]);
    expect(await values(tf.min(x, 1))).toEqual([Number.NaN, -1]);
    expect(await values(tf.max(x, 0))).toEqual([3, Number.NaN, Number.POSITIVE_INFINITY]);
  });

  it('is never where the maximum or the minimum is', async () => {
    const x = tf.tensor1d([Number.NaN, 3, 5, Number.NaN]);
    expect(await values(tf.argMax(x))).toEqual([2]);
    expect(await values(tf.argMin(x))).toEqual([1]);
  });

  it('is left out by max pooling, also where its gradient goes', async () => {
    const x = tf.tensor4d([1, Number.NaN, 3, 2], [1, 2, 2, 1]);
    expect(await values(tf.maxPool(x, 2, 2, 0))).toEqual([3]);
    const dy = tf.ones([1, 1, 1, 1]);
    const attributes = { filterSize: 2, strides: 2, pad: 0 };
    const gradient = tf.engine().runKernel('MaxPoolGrad', { dy, input: x, output: tf.ones([1, 1, 1, 1]) }, attributes);
    expect(await values(gradient as tf.Tensor)).toEqual([0, 0, 1, 0]);
  });

  it('stays within its windows in average pooling', async () => {
    const x = tf.tensor4d([1, 2, 3, 4, 5, 6, 7, Number.NaN, 8], [1, 3, 3, 1]);
    expect(await values(tf.avgPool(x, 2, 1, 0))).toEqual([3, 4, Number.NaN, Number.NaN]);
    expect(await values(tf.avgPool(x, 2, 2, 'same'))).toEqual([3, 4.5, Number.NaN, 8]);
  });

  it('is 0 as an integer, as is what no int32 can hold', async () => {
    const x = tf.tensor1d([Number.NaN, Number.POSITIVE_INFINITY, 3e10, SMALLEST, -SMALLEST, 1.9, -1.9]);
    expect(await values(tf.cast(x, 'int32'))).toEqual([0, 0, 0, SMALLEST, 0, 1, -1]);
    expect(await values(tf.cast(tf.tensor1d([Number.NaN, 0, 2]), 'bool'))).toEqual([1, 0, 1]);
  });
});

describe('average pooling', () => {
  it.each([
    ['overlapping windows', 3, 1, 0],
    ['windows that leave a rest', 2, 2, 0],
    ['padding that is not counted', 3, 2, 'same'],
    ['gaps between windows', 2, 3, 0],
  ] as const)('is the mean of the valid elements: %s', async (_, size, stride, pad) => {
    const [h, w] = [7, 5];
    const x = tf.tensor4d(
      Array.from({ length: h * w * 2 }, (__, i) => Math.sin(i)),
      [1, h, w, 2],
    );
    const y = tf.avgPool(x, size, stride, pad);
    const input = (await x.array())[0]!;
    const output = (await y.array())[0]!;
    const { padInfo } = tf.backend_util.computePool2DInfo([1, h, w, 2], size, stride, 1, pad);
    output.forEach((row, i) =>
      row.forEach((channels, j) =>
        channels.forEach((mean, c) => {
          const seen: number[] = [];
          for (let di = 0; di < size; di++)
            for (let dj = 0; dj < size; dj++) {
              const value = input[i * stride - padInfo.top + di]?.[j * stride - padInfo.left + dj]?.[c];
              if (value !== undefined) seen.push(value);
            }
          expect(mean).toBeCloseTo(seen.reduce((a, b) => a + b, 0) / seen.length, 5);
        }),
      ),
    );
  });
});

describe('windows', () => {
  it('of one element that keep the shape are nothing to do, as tfjs has it, whatever strides and padding', async () => {
    const x = tf.tensor4d([1, 2, 3, 4], [1, 2, 2, 1]);
    expect(await values(tf.maxPool(x, 1, 2, 1))).toEqual([1, 2, 3, 4]);
    expect(await values(tf.avgPool(x, 1, 2, 1))).toEqual([1, 2, 3, 4]);
  });

  it('of a transposed convolution reach only the part of its operand that fits; less than that is an error', async () => {
    const filter = tf.ones<tf.Rank.R4>([1, 1, 1, 1]);
    const x = tf.tensor4d([1, 2, 3, 4], [1, 2, 2, 1]);
    expect(await values(tf.conv2dTranspose(x, filter, [1, 1, 2, 1], 1, 'same'))).toEqual([1, 2]);
    expect(() => tf.conv2dTranspose(x, filter, [1, 3, 2, 1], 1, 'same')).toThrow('at least [1,3,2,1]');
  });
});

describe('integers', () => {
  it('divide rounding down, the remainder taking the divisor’s sign', async () => {
    const [a, b] = [int(7, -7, 7, -7), int(2, 2, -2, -2)];
    expect(await values(tf.floorDiv(a, b))).toEqual([3, -4, -4, 3]);
    expect(await values(tf.mod(a, b))).toEqual([1, 1, -1, -1]);
  });

  it('divide by 0 and −1 without stopping the process', async () => {
    const [a, b] = [int(5, 0, 5, SMALLEST), int(0, 0, -1, -1)];
    expect(await values(tf.floorDiv(a, b))).toEqual([0, 0, -5, SMALLEST]);
    expect(await values(tf.mod(a, b))).toEqual([0, 0, 0, 0]);
    const quotient = tf.engine().runKernel('RealDiv', { a: int(7, -7, 7), b: int(2, 2, 0) }) as tf.Tensor;
    expect(await values(quotient)).toEqual([3, -3, 0]);
  });

  it('are float32 after functions whose values are no integers, and stay integers after the others', async () => {
    expect(tf.exp(int(1)).dtype).toBe('float32');
    expect(await values(tf.exp(int(0, 1)))).toEqual([1, Math.fround(Math.E)]);
    expect(tf.neg(int(1)).dtype).toBe('int32');
    expect(tf.abs(int(1)).dtype).toBe('int32');
  });
});

describe('scattering', () => {
  it('drops rows whose index is negative or too large', async () => {
    const rows = tf.tensor1d([1, 2, 4, 8]);
    expect(await values(tf.unsortedSegmentSum(rows, int(0, -1, 1, 5), 3))).toEqual([1, 4, 0]);
    expect(await values(tf.bincount(int(1, 1, 3, 7), tf.tensor1d([]), 3))).toEqual([0, 2, 0]);
  });

  it('takes a list of numbers for a list of rows', async () => {
    expect(await values(tf.scatterND(int(2, 0, 2), tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]), [3, 2]))).toEqual([3, 4, 0, 0, 6, 8]);
  });
});

describe('what tfjs leaves to kernels to check', () => {
  it.each<[string, () => tf.Tensor | tf.Tensor[]]>([
    ['concat of other shapes', () => tf.concat([tf.zeros([2, 2]), tf.zeros([3, 3])], 0)],
    ['stack of other shapes', () => tf.stack([tf.zeros([2]), tf.zeros([3])])],
    ['stack of other dtypes', () => tf.stack([tf.zeros([2]), tf.zeros([2], 'int32')])],
    ['an axis of expandDims', () => tf.expandDims(tf.zeros([2]), 3)],
    ['a slice beyond the end', () => tf.slice(tf.zeros([2, 2]), [1, 0], [2, 1])],
    ['an axis of reverse', () => tf.reverse(tf.zeros([2, 2]), 2)],
    ['inner lengths of matMul', () => tf.matMul(tf.zeros([2, 3]), tf.zeros([2, 3]))],
    ['inner lengths of a transposed matMul', () => tf.matMul(tf.zeros([2, 3]), tf.zeros([3, 4]), true)],
    ['lengths of einsum', () => tf.einsum('ij,jk->ik', tf.zeros([2, 3]), tf.zeros([2, 3]))],
    ['batch lengths of gather', () => tf.gather(tf.zeros([2, 2]), tf.zeros([3, 1], 'int32'), 1, 1)],
    ['index vectors of gatherND', () => tf.gatherND(tf.zeros([2, 2]), tf.zeros([1, 3], 'int32'))],
  ])('%s is an error at the call', (_, call) => {
    expect(call).toThrow();
  });

  it('reverses every axis when none is named', async () => {
    expect(await values(tf.reverse(tf.tensor2d([1, 2, 3, 4], [2, 2])))).toEqual([4, 3, 2, 1]);
  });

  it('keeps the axes behind the blocks of batchToSpaceND', async () => {
    const x = tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8], [4, 1, 1, 2]);
    const y = tf.batchToSpaceND(
      x,
      [2, 2],
      [
        [0, 0],
        [0, 1],
      ],
    );
    expect(y.shape).toEqual([1, 2, 1, 2]);
    expect(await values(y)).toEqual([1, 2, 5, 6]);
  });
});
