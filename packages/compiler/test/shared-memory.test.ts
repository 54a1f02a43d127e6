import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { describe, it } from 'vitest';
import { expectSame, random } from './helpers.js';

/** Sum of a result of more numbers than `x` has, at most twice as many, that nothing looks at afterwards. */
const longerThan = (x: Tensor): Tensor => {
  const [rows = 0, columns = 0] = x.shape;
  const taller = tf.concat([x, tf.slice(x, [0, 0], [Math.ceil(rows / 2), columns])]);
  return tf.sum(tf.square(tf.matMul(taller, tf.matMul(x, x, true))));
};

describe('a kernel whose operand or result lies where a longer result lay before', () => {
  it('selects as many elements of each row as it should', async () => {
    await expectSame(
      (a: Tensor) => {
        const { indices } = tf.topk(tf.mul(tf.matMul(a, tf.matMul(a, a, true)), longerThan(a)), 5);
        return tf.add(indices, tf.sum(indices));
      },
      [random([6, 6])],
    );
  });
});
