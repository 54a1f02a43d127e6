import { valueAndGrad } from '@bpc/core';
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { describe, it } from 'vitest';
import { expectSame, random } from './helpers.js';

/** Gradient of a weighted sum of f, in every argument. */
const gradient =
  (f: (...args: Tensor[]) => Tensor) =>
  (...args: Tensor[]) =>
    valueAndGrad((p: Tensor[]) => {
      const y = f(...p);
      return tf.sum(tf.mul(y, random(y.shape, 9)));
    })(args);

/** Gradient of |∇f|² in every argument. */
const second =
  (f: (...args: Tensor[]) => Tensor) =>
  (...args: Tensor[]) =>
    valueAndGrad((p: Tensor[]) => {
      const { grad } = valueAndGrad((q: Tensor[]) => tf.sum(tf.square(f(...q))))(p);
      return tf.addN(grad.map((g) => tf.sum(tf.square(g)))) as Tensor;
    })(args);

const mlp = (x: Tensor, w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor) =>
  tf.sub(tf.add(tf.matMul(tf.tanh(tf.add(tf.matMul(x, w1), b1)), w2), b2), tf.mean(w2));
const mlpArgs = () => [random([50, 12]), random([12, 40], 2), random([40], 3), random([40, 7], 4), random([7], 5)];

const instanceNorm = (x: Tensor) => {
  const centred = tf.sub(x, tf.mean(x, [1, 2], true));
  return tf.div(centred, tf.sqrt(tf.add(tf.mean(tf.square(centred), [1, 2], true), 1e-5)));
};
const convNet = (x: Tensor, f1: Tensor, b1: Tensor, f2: Tensor) => {
  const block = (y: Tensor, f: Tensor) =>
    tf.avgPool(tf.relu(instanceNorm(tf.conv2d(y as Tensor4D, f as Tensor4D, 1, 'same'))) as Tensor4D, 2, 2, 'valid');
  return tf.reshape(block(tf.add(block(x, f1), b1), f2), [x.shape[0]!, -1]);
};
const convArgs = () => [random([3, 8, 8, 2]), random([3, 3, 2, 6], 2), random([6], 3), random([3, 3, 6, 5], 4)];

describe('gradients traced with the function agree with eager ones', () => {
  it('of a perceptron', () => expectSame(gradient(mlp), mlpArgs()));
  it('of a convolutional network', () => expectSame(gradient(convNet), convArgs(), 2e-4));
  it('of second order through a perceptron', () => expectSame(second(mlp), mlpArgs(), 2e-4));
  it('of second order through a convolutional network', () => expectSame(second(convNet), convArgs(), 2e-3));
  it.each([
    ['same', 1, [2, 7, 8, 3], [3, 3, 3, 4]],
    ['same', 2, [2, 7, 8, 3], [3, 3, 3, 4]],
    ['valid', [2, 3], [1, 9, 11, 2], [3, 4, 2, 5]],
    ['valid', 1, [1, 4, 4, 40], [2, 2, 40, 33]],
    [2, 1, [1, 6, 5, 2], [3, 3, 2, 5]],
  ] as const)('of conv2d, padding %s, strides %s, input %s, filter %s', (padding, strides, x, f) =>
    expectSame(
      gradient((a, b) => tf.conv2d(a! as Tensor4D, b! as Tensor4D, strides as number, padding)),
      [random([...x]), random([...f], 2)],
      1e-4,
    ),
  );
  it.each([
    [2, 2],
    [3, 1],
    [3, 2],
    [2, 3],
  ])('of max and average pooling %s/%s without padding', async (size, strides) => {
    await expectSame(
      gradient((x) => tf.maxPool(x as Tensor4D, size, strides, 'valid')),
      [random([2, 7, 9, 5])],
    );
    await expectSame(
      gradient((x) => tf.avgPool(x as Tensor4D, size, strides, 'valid')),
      [random([2, 7, 9, 5])],
    );
  });
  it('of indexing', () =>
    expectSame(
      gradient((x) => tf.gather(tf.exp(x!), tf.tensor1d([3, 0, 3], 'int32'))),
      [random([5, 9])],
    ));
  it('of a softmax cross-entropy', () =>
    expectSame(
      gradient((x, w) => tf.logSoftmax(tf.matMul(x!, w!))),
      [random([30, 8]), random([8, 10], 2)],
    ));
  it('of slices, pads and concatenations', () =>
    expectSame(
      gradient((x, y) =>
        tf.concat(
          [
            tf.pad(tf.slice(x!, [1, 0], [3, 9]), [
              [0, 0],
              [1, 1],
            ]),
            tf.tile(tf.reverse(y!, 1), [2, 1]),
          ],
          0,
        ),
      ),
      [random([5, 9]), random([4, 11], 2)],
    ));
});
