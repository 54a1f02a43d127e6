import {
  ConfigError,
  disposeTree,
  grad,
  gradDot,
  hessianVector,
  MissingGradientError,
  ShapeError,
  scope,
  stopGradient,
  untaped,
  valueAndGrad,
} from '@bpc/core';
import { leakCheck } from '@bpc/core/testing';
import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { testBackend } from './support/backend.js';

beforeAll(async () => {
  await tf.setBackend(testBackend);
});

const x2 = tf.tensor1d([1, 2]);
const values = (x: Tensor) => Array.from(x.dataSync());
/** Tensors that `f` leaves behind if it throws. */
function leftAfterThrow(f: () => unknown, error: new (...args: never[]) => Error): number {
  const before = tf.memory().numTensors;
  expect(f).toThrow(error);
  return tf.memory().numTensors - before;
}

describe('valueAndGrad', () => {
  it('gives a tree like the parameters, with zeros where the function does not look', () => {
    const params = { a: tf.tensor1d([1, 2]), b: [tf.scalar(3)] as const, unused: tf.ones([2, 2]) };
    const { value, grad: g } = valueAndGrad((p: typeof params) => tf.mul(tf.sum(tf.square(p.a)), p.b[0]))(params);
    expect(values(value)).toEqual([15]);
    expect(values(g.a)).toEqual([6, 12]);
    expect(values(g.b[0])).toEqual([5]);
    expect(values(g.unused)).toEqual([0, 0, 0, 0]);
  });

  it('counts a tensor that occurs twice as two parameters', () => {
    const x = tf.scalar(3);
    const { a, b } = grad((p: { a: Tensor; b: Tensor }) => tf.mul(p.a, tf.square(p.b)))({ a: x, b: x });
    expect([values(a), values(b)]).toEqual([[9], [18]]);
  });

  it('returns tensors that can be disposed one by one, whatever the engine shared', () => {
    const params = { a: tf.scalar(1), b: tf.scalar(2) };
    const { value, grad: g } = valueAndGrad((p: typeof params) => tf.add(p.a, p.b))(params);
    g.a.dispose();
    expect(values(g.b)).toEqual([1]);
    const identity = valueAndGrad((p: Tensor) => p)(params.a);
    disposeTree(identity);
    disposeTree([value, g.b]);
    expect(values(params.a)).toEqual([1]);
  });

  it('passes further arguments on without differentiating them', () => {
    expect(values(grad((x: Tensor, n: number) => tf.sum(tf.pow(x, n)))(tf.tensor1d([2]), 3))).toEqual([12]);
  });

  it('leaves no tensors behind, at first and second order', async () => {
    const x = tf.tensor1d([0.3, -1]);
    const f = (p: Tensor) => tf.sum(tf.tanh(tf.mul(p, p)));
    await leakCheck('valueAndGrad', () => valueAndGrad(f)(x));
    await leakCheck('hessianVector', () => hessianVector(f)(x, x));
    await leakCheck('third order', () => grad((p: Tensor) => tf.sum(hessianVector(f)(p, x)))(x));
  });

  it('is right at third order', () => {
    // d³/dx³ of x⁵ is 60 x².
    const third = grad((p: Tensor) => tf.sum(grad((q: Tensor) => tf.sum(grad((r: Tensor) => tf.sum(tf.pow(r, 5)))(q)))(p)))(
      tf.tensor1d([2]),
    );
    expect(values(third)[0]).toBeCloseTo(240, 2);
  });

  it.each([
    ['a vector', (x: Tensor) => tf.mul(x, 2)],
    ['a number', () => 3 as unknown as Tensor],
  ])('refuses a function that returns %s, without a leak', (_, f) => {
    expect(leftAfterThrow(() => valueAndGrad(f)(x2), ShapeError)).toBe(0);
  });

  it('refuses a function that returns a promise', () => {
    expect(() => valueAndGrad((async (x: Tensor) => tf.sum(x)) as never)(x2)).toThrow(ConfigError);
  });

  it('refuses integer parameters by path', () => {
    expect(() => grad((p: { n: Tensor }) => tf.sum(p.n))({ n: tf.tensor1d([1], 'int32') })).toThrow(/int32 at 'n'/);
  });
});
describe('a kernel without a safe rule', () => {
  // Of a copy: tfjs cpu writes into the tensor it is given.
  const overwritten = (x: Tensor) => tf.tensorScatterUpdate(tf.mul(x, 1), tf.tensor2d([0], [1, 1], 'int32'), tf.tensor1d([7]));
  /** x², whose derivative is made of an operation without a rule. */
  const once = tf.customGrad((x, save) => {
    (save as (tensors: Tensor[]) => void)([x as Tensor]);
    return { value: tf.square(x as Tensor), gradFunc: (dy, saved) => tf.mul(dy, overwritten(saved[0] as Tensor)) };
  });

  it('is named, and nothing leaks: first order', () => {
    const f = (x: Tensor) => tf.sum(overwritten(x));
    expect(leftAfterThrow(() => grad(f)(x2), MissingGradientError)).toBe(0);
    expect(() => grad(f)(x2)).toThrow(/TensorScatterUpdate/);
  });

  it('is named, and nothing leaks: second order only', () => {
    const f = (x: Tensor) => tf.sum(once(x));
    grad(f)(x2).dispose();
    expect(leftAfterThrow(() => hessianVector(f)(x2, x2), MissingGradientError)).toBe(0);
    expect(() => hessianVector(f)(x2, x2)).toThrow(/TensorScatterUpdate/);
  });

  it('does not matter off the path', () => {
    const f = (x: Tensor) => tf.add(tf.sum(x), tf.mul(0, tf.sum(overwritten(tf.tensor1d([3, 1])))));
    expect(values(grad(f)(x2))).toEqual([1, 1]);
  });

  it('leaves the engine usable', () => {
    expect(() => grad((x: Tensor) => tf.sum(overwritten(x)))(x2)).toThrow();
    expect(values(grad((x: Tensor) => tf.sum(tf.square(x)))(x2))).toEqual([2, 4]);
  });
});

describe('stopGradient and untaped', () => {
  it('make constants of their results', () => {
    const f = (x: Tensor) => tf.sum(tf.mul(x, stopGradient(tf.square(x))));
    expect(values(grad(f)(tf.tensor1d([3])))).toEqual([9]);
    const g = (x: Tensor) =>
      tf.sum(
        tf.mul(
          x,
          untaped(() => tf.square(x)),
        ),
      );
    expect(values(grad(g)(tf.tensor1d([3])))).toEqual([9]);
  });

  it('allow gradients inside that the outer gradient does not see', () => {
    const f = (x: Tensor) =>
      tf.sum(
        tf.mul(
          x,
          untaped(() => grad((y: Tensor) => tf.sum(tf.pow(y, 3)))(x)),
        ),
      );
    expect(values(grad(f)(tf.tensor1d([2])))[0]).toBeCloseTo(12, 5);
  });

  it('leave no tensors behind within a gradient', () =>
    leakCheck('untaped', () =>
      grad((x: Tensor) =>
        tf.sum(
          tf.mul(
            x,
            untaped(() => scope(() => grad((y: Tensor) => tf.sum(tf.exp(y)))(x))),
          ),
        ),
      )(x2),
    ));
});

describe('gradDot and hessianVector', () => {
  it('match the closed forms of a quadratic', () => {
    const a = tf.tensor2d([
      [2, 1],
      [1, 3],
    ]);
    const f = (x: Tensor) => tf.mul(0.5, tf.sum(tf.mul(x, tf.reshape(tf.matMul(a, tf.reshape(x, [2, 1])), [2])))) as Scalar;
    const v = tf.tensor1d([1, -1]);
    expect(values(gradDot(f)(x2, v))).toEqual([4 - 7]);
    expect(values(hessianVector(f)(x2, v))).toEqual([1, -2]);
  });
});

describe('scope', () => {
  it('keeps what is returned and frees the rest', async () => {
    await leakCheck('scope', () => scope(() => ({ a: [tf.add(tf.scalar(1), 1)] })));
    const tree = scope(() => ({ a: [tf.add(tf.scalar(1), 1)] }));
    expect(values(tree.a[0] as Tensor)).toEqual([2]);
  });

  it('refuses a promise', () => {
    expect(() => scope((async () => tf.scalar(1)) as never)).toThrow(ConfigError);
  });
});
