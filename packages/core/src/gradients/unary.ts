import type { GradConfig, Tensor } from '@tensorflow/tfjs-core';
import {
  add,
  cast,
  clone,
  cos,
  cosh,
  div,
  exp,
  greater,
  greaterEqual,
  lessEqual,
  logicalAnd,
  minimum,
  mul,
  neg,
  reciprocal,
  rsqrt,
  sigmoid,
  sign,
  sin,
  sinh,
  square,
  sub,
  tanh,
  where,
  zerosLike,
} from '@tensorflow/tfjs-core';
import { untaped } from '../tape.js';
import { rule, zeroRule, zeros } from './rule.js';

/** f(x) with `derivative` = f′(x), itself differentiable. */
const unary = (kernelName: string, derivative: (x: Tensor) => Tensor): GradConfig =>
  rule(kernelName, ['x'], (dy, { x }) => ({ x: () => mul(dy, derivative(x)) }));

/**
 * 1 where x > 0: piecewise constant, so kept off the tape instead of adding zeros at the next order. Not tfjs' `step`, which
 * compiled programs would pay for keeping NaN.
 */
const positive = (x: Tensor) => untaped(() => cast(greater(x, 0), 'float32'));

const oneMinus = (x: Tensor) => sub(1, x);
const eluScale = 1.0507009873554805;
const eluAlpha = 1.6732632423543772;
// exp of the negative part only: exp of a large positive input would turn the masked product into NaN.
const eluSlope = (x: Tensor) => {
  const mask = positive(x);
  return add(mask, mul(oneMinus(mask), exp(minimum(x, 0))));
};

/** Rules of element-wise functions of one argument. */
export const unaryRules: readonly GradConfig[] = [
  unary('Abs', (x) => untaped(() => sign(x))),
  unary('Acos', (x) => neg(rsqrt(oneMinus(square(x))))),
  unary('Acosh', (x) => rsqrt(sub(square(x), 1))),
  unary('Asin', (x) => rsqrt(oneMinus(square(x)))),
  unary('Asinh', (x) => rsqrt(add(square(x), 1))),
  unary('Atan', (x) => reciprocal(add(square(x), 1))),
  unary('Atanh', (x) => reciprocal(oneMinus(square(x)))),
  unary('Cos', (x) => neg(sin(x))),
  unary('Cosh', (x) => sinh(x)),
  unary('Elu', eluSlope),
  unary('Erf', (x) => mul(exp(neg(square(x))), 2 / Math.sqrt(Math.PI))),
  unary('Exp', (x) => exp(x)),
  unary('Expm1', (x) => exp(x)),
  unary('Log', (x) => reciprocal(x)),
  unary('Log1p', (x) => reciprocal(add(x, 1))),
  unary('Reciprocal', (x) => neg(square(reciprocal(x)))),
  unary('Relu', positive),
  unary('Relu6', (x) => untaped(() => mul(positive(x), cast(lessEqual(x, 6), 'float32')))),
  unary('Rsqrt', (x) => mul(-0.5, div(rsqrt(x), x))),
  unary('Selu', (x) => {
    const mask = positive(x);
    return mul(eluScale, add(mask, mul(mul(eluAlpha, oneMinus(mask)), exp(minimum(x, 0)))));
  }),
  unary('Sigmoid', (x) => {
    const s = sigmoid(x);
    return mul(s, oneMinus(s));
  }),
  unary('Sin', (x) => cos(x)),
  unary('Sinh', (x) => cosh(x)),
  unary('Softplus', (x) => sigmoid(x)),
  unary('Sqrt', (x) => mul(0.5, rsqrt(x))),
  unary('Tan', (x) => reciprocal(square(cos(x)))),
  unary('Tanh', (x) => oneMinus(square(tanh(x)))),
  rule('Neg', [], (dy) => ({ x: () => neg(dy) })),
  rule('Identity', [], (dy) => ({ x: () => clone(dy) })),
  rule('Square', ['x'], (dy, { x }) => ({ x: () => mul(dy, mul(x, 2)) })),
  rule<{ alpha: number }, 'x'>('LeakyRelu', ['x'], (dy, { x }, { alpha }) => ({
    x: () =>
      mul(
        dy,
        untaped(() => add(mul(positive(x), 1 - alpha), alpha)),
      ),
  })),
  rule<{ clipValueMin: number; clipValueMax: number }, 'x'>('ClipByValue', ['x'], (dy, { x }, { clipValueMin, clipValueMax }) => ({
    x: () =>
      where(
        untaped(() => logicalAnd(greaterEqual(x, clipValueMin), lessEqual(x, clipValueMax))),
        dy,
        zerosLike(dy),
      ),
  })),
  // A cast from or to integers is a step function; between floats it is the identity.
  rule<{ dtype: string }, 'x'>('Cast', ['x'], (dy, { x }, { dtype }) => ({
    x: () => (dtype === 'float32' && x.dtype === 'float32' ? cast(dy, 'float32') : zeros(x.shape)),
  })),
  ...[
    'Ceil',
    'Floor',
    'IsFinite',
    'IsInf',
    'IsNan',
    'LogicalNot',
    'OnesLike',
    'Round',
    'Sign',
    'Step',
    'ZerosLike',
    'ArgMax',
    'ArgMin',
    'All',
    'Any',
  ].map((name) => zeroRule(name, ['x'])),
  zeroRule('OneHot', ['indices']),
];
