import type { GradConfig, Tensor } from '@tensorflow/tfjs-core';
import {
  add,
  div,
  floor,
  greater,
  greaterEqual,
  less,
  log,
  mul,
  neg,
  onesLike,
  pow,
  square,
  sub,
  where,
  zerosLike,
} from '@tensorflow/tfjs-core';
import { untaped } from '../tape.js';
import { rule, single, sumTo, zeroRule } from './rule.js';

type Pair = { readonly a: Tensor; readonly b: Tensor };

/** f(a, b) with broadcasting: `a` and `b` give the gradients before summing over broadcast axes. */
function binary(kernelName: string, gradients: { [input in 'a' | 'b']: (dy: Tensor, pair: Pair) => Tensor }): GradConfig {
  return rule(kernelName, ['a', 'b'], (dy, { a, b }) => ({
    a: () => sumTo(gradients.a(dy, { a, b }), a.shape),
    b: () => sumTo(gradients.b(dy, { a, b }), b.shape),
  }));
}

const select = (dy: Tensor, condition: () => Tensor) => where(untaped(condition), dy, zerosLike(dy));

// a^b differs from 0^b only where a > 0; elsewhere log(a) would poison the product with NaN.
const safeLog = (a: Tensor) => {
  const mask = untaped(() => greater(a, 0));
  return where(mask, log(where(mask, a, onesLike(a))), zerosLike(a));
};

/** Rules of element-wise functions of two arguments. */
export const binaryRules: readonly GradConfig[] = [
  binary('Add', { a: (dy) => dy, b: (dy) => dy }),
  binary('Sub', { a: (dy) => dy, b: (dy) => neg(dy) }),
  binary('Multiply', { a: (dy, { b }) => mul(dy, b), b: (dy, { a }) => mul(dy, a) }),
  binary('RealDiv', { a: (dy, { b }) => div(dy, b), b: (dy, { a, b }) => neg(div(mul(dy, a), square(b))) }),
  binary('Maximum', {
    a: (dy, { a, b }) => select(dy, () => greaterEqual(a, b)),
    b: (dy, { a, b }) => select(dy, () => less(a, b)),
  }),
  binary('Minimum', {
    a: (dy, { a, b }) => select(dy, () => greaterEqual(b, a)),
    b: (dy, { a, b }) => select(dy, () => less(b, a)),
  }),
  binary('SquaredDifference', {
    a: (dy, { a, b }) => mul(dy, mul(sub(a, b), 2)),
    b: (dy, { a, b }) => mul(dy, mul(sub(b, a), 2)),
  }),
  binary('Pow', {
    a: (dy, { a, b }) => mul(dy, mul(b, pow(a, sub(b, 1)))),
    b: (dy, { a, b }) => mul(dy, mul(pow(a, b), safeLog(a))),
  }),
  binary('Mod', {
    a: (dy) => dy,
    b: (dy, { a, b }) =>
      neg(
        mul(
          dy,
          untaped(() => floor(div(a, b))),
        ),
      ),
  }),
  binary('Atan2', {
    a: (dy, { a, b }) => div(mul(dy, b), add(square(a), square(b))),
    b: (dy, { a, b }) => neg(div(mul(dy, a), add(square(a), square(b)))),
  }),
  rule('Prelu', ['x', 'alpha'], (dy, { x, alpha }) => ({
    x: () =>
      sumTo(
        where(
          untaped(() => greater(x, 0)),
          dy,
          mul(dy, alpha),
        ),
        x.shape,
      ),
    alpha: () =>
      sumTo(
        where(
          untaped(() => greater(x, 0)),
          zerosLike(dy),
          mul(dy, x),
        ),
        alpha.shape,
      ),
  })),
  rule('Select', ['condition'], (dy, { condition }) => ({
    condition: () => zerosLike(dy),
    t: () => where(condition, dy, zerosLike(dy)),
    e: () => where(condition, zerosLike(dy), dy),
  })),
  {
    kernelName: 'AddN',
    saveAllInputs: true,
    gradFunc: (dy, saved) => Object.fromEntries(saved.map((x, i) => [String(i), () => sumTo(single(dy), x.shape)])),
  },
  ...['Greater', 'GreaterEqual', 'Less', 'LessEqual', 'Equal', 'NotEqual', 'LogicalAnd', 'LogicalOr', 'FloorDiv', 'BitwiseAnd'].map(
    (name) => zeroRule(name, ['a', 'b']),
  ),
];
