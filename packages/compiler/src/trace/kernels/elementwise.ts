import {
  type Binary,
  type Builder,
  binary,
  type Compare,
  cast,
  compare,
  type DType,
  type Node,
  scalar,
  select,
  type Unary,
  unary,
} from '../../ir/index.js';
import { kernel, type TraceKernel, variadicKernel } from './kernel.js';

const UNARY: Readonly<Record<string, Unary>> = {
  Neg: 'Neg',
  Exp: 'Exp',
  Expm1: 'Expm1',
  Log: 'Log',
  Log1p: 'Log1p',
  Relu: 'Relu',
  Sqrt: 'Sqrt',
  Sigmoid: 'Sigmoid',
  Tanh: 'Tanh',
  Abs: 'Abs',
  Sign: 'Sign',
  Reciprocal: 'Reciprocal',
  Softplus: 'Softplus',
  Sin: 'Sin',
  Cos: 'Cos',
  Floor: 'Floor',
  Ceil: 'Ceil',
  Round: 'Round',
  Erf: 'Erf',
  LogicalNot: 'LogicalNot',
};

const BINARY: Readonly<Record<string, Binary>> = {
  Add: 'Add',
  Sub: 'Sub',
  Multiply: 'Mul',
  RealDiv: 'Div',
  Pow: 'Pow',
  Maximum: 'Maximum',
  Minimum: 'Minimum',
  Mod: 'FloorMod',
};

const COMPARE: readonly Compare[] = ['Greater', 'GreaterEqual', 'Less', 'LessEqual', 'Equal', 'NotEqual', 'LogicalAnd', 'LogicalOr'];

/** Arithmetic on bools counts. */
const counted = (g: Builder, x: Node): Node => (x.dtype === 'bool' ? cast(g, x, 'int32') : x);

const square = (g: Builder, x: Node): Node => binary(g, 'Mul', x, x);
const where = (g: Builder, op: Compare, x: Node, bound: number, a: Node, b: Node): Node =>
  select(g, compare(g, op, x, scalar(g, bound, x.dtype)), a, b);
const clip = (g: Builder, x: Node, low: number, high: number): Node =>
  binary(g, 'Minimum', binary(g, 'Maximum', x, scalar(g, low, x.dtype)), scalar(g, high, x.dtype));

/** Element-wise kernels, the composed ones written with primitives. */
export const elementwiseKernels: readonly TraceKernel[] = [
  ...Object.entries(UNARY).map(([name, op]) => kernel<'x'>(name, (g, { x }) => unary(g, op, x))),
  ...Object.entries(BINARY).map(([name, op]) => kernel<'a' | 'b'>(name, (g, { a, b }) => binary(g, op, counted(g, a), counted(g, b)))),
  // int32 even of float32 operands, as tfjs does it
  kernel<'a' | 'b'>('FloorDiv', (g, { a, b }) => cast(g, binary(g, 'FloorDiv', counted(g, a), counted(g, b)), 'int32')),
  ...COMPARE.map((op) => kernel<'a' | 'b'>(op, (g, { a, b }) => compare(g, op, a, b))),
  kernel<'a' | 'b'>('SquaredDifference', (g, { a, b }) => square(g, binary(g, 'Sub', a, b))),
  variadicKernel('AddN', (g, operands) => operands.reduce((a, b) => binary(g, 'Add', a, b))),
  kernel<'x'>('Square', (g, { x }) => square(g, x)),
  kernel<'x'>('Rsqrt', (g, { x }) => unary(g, 'Reciprocal', unary(g, 'Sqrt', x))),
  kernel<'x'>('Identity', (_, { x }) => x),
  kernel<'x', { alpha?: number }>('Step', (g, { x }, { alpha = 0 }) =>
    alpha === 0 ? unary(g, 'Step', x) : where(g, 'Greater', x, 0, scalar(g, 1, x.dtype), scalar(g, alpha, x.dtype)),
  ),
  kernel<'x'>('Relu6', (g, { x }) => clip(g, x, 0, 6)),
  kernel<'x', { alpha: number }>('LeakyRelu', (g, { x }, { alpha }) => where(g, 'Less', x, 0, binary(g, 'Mul', x, scalar(g, alpha)), x)),
  kernel<'x' | 'alpha'>('Prelu', (g, { x, alpha }) => where(g, 'Less', x, 0, binary(g, 'Mul', x, alpha), x)),
  kernel<'x'>('Elu', (g, { x }) => where(g, 'GreaterEqual', x, 0, x, unary(g, 'Expm1', binary(g, 'Minimum', x, scalar(g, 0))))),
  kernel<'dy' | 'y'>('EluGrad', (g, { dy, y }) =>
    where(g, 'GreaterEqual', y, 0, dy, binary(g, 'Mul', dy, binary(g, 'Add', y, scalar(g, 1)))),
  ),
  kernel<'x', { clipValueMin: number; clipValueMax: number }>('ClipByValue', (g, { x }, { clipValueMin, clipValueMax }) =>
    clip(g, x, clipValueMin, clipValueMax),
  ),
  kernel<'x'>('Tan', (g, { x }) => binary(g, 'Div', unary(g, 'Sin', x), unary(g, 'Cos', x))),
  kernel<'x'>('IsNan', (g, { x }) => compare(g, 'NotEqual', x, x)),
  kernel<'x'>('IsInf', (g, { x }) => compare(g, 'Equal', unary(g, 'Abs', x), scalar(g, Number.POSITIVE_INFINITY))),
  kernel<'x'>('IsFinite', (g, { x }) => compare(g, 'Less', unary(g, 'Abs', x), scalar(g, Number.POSITIVE_INFINITY))),
  kernel<'x', { dtype: DType }>('Cast', (g, { x }, { dtype }) => cast(g, x, dtype)),
];
