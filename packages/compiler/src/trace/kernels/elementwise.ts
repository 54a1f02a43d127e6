import {
  type Binary,
  type Builder,
  binary,
  COMPARE,
  cast,
  compare,
  type DType,
  type Node,
  scalar,
  select,
  UNARY,
  type Unary,
  unary,
} from '../../ir/index.js';
import { clip, elu, leaky, selu, where } from './activations.js';
import { kernel, type TraceKernel, variadicKernel } from './kernel.js';

/** Kernels that are one operation of the graph, by the same name. tfjs's Step has a slope, so it is composed below. */
const SAME_NAME: readonly Unary[] = UNARY.filter((op) => op !== 'Step');

/** Kernels that give integers for integers; the others give float32 for any dtype. */
const KEEPING: ReadonlySet<Unary> = new Set<Unary>(['Neg', 'Relu', 'Abs', 'Sign', 'Floor', 'Ceil', 'Round', 'LogicalNot']);

const BINARY: Readonly<Record<string, Binary>> = {
  Add: 'Add',
  Sub: 'Sub',
  Multiply: 'Mul',
  RealDiv: 'Div',
  Pow: 'Pow',
  Maximum: 'Maximum',
  Minimum: 'Minimum',
  Mod: 'FloorMod',
  Atan2: 'Atan2',
  BitwiseAnd: 'BitwiseAnd',
};

/** Arithmetic on bools counts. */
const counted = (g: Builder, x: Node): Node => (x.dtype === 'bool' ? cast(g, x, 'int32') : x);

const square = (g: Builder, x: Node): Node => binary(g, 'Mul', x, x);
const isNotANumber = (g: Builder, x: Node): Node => compare(g, 'NotEqual', x, x);
const infinity = (g: Builder): Node => scalar(g, Number.POSITIVE_INFINITY);

/** 1 where x > 0, α elsewhere; NaN of NaN, unlike the graph's own `Step`, which gradients use as a mask. */
function step(g: Builder, x: Node, alpha: number): Node {
  const value = alpha === 0 ? unary(g, 'Step', x) : where(g, 'Greater', x, 0, scalar(g, 1, x.dtype), scalar(g, alpha, x.dtype));
  return x.dtype === 'float32' ? select(g, isNotANumber(g, x), x, value) : value;
}

/** Element-wise kernels, the composed ones written with primitives. */
export const elementwiseKernels: readonly TraceKernel[] = [
  ...SAME_NAME.map((op) => kernel<'x'>(op, (g, { x }) => unary(g, op, KEEPING.has(op) ? x : cast(g, x, 'float32')))),
  ...Object.entries(BINARY).map(([name, op]) => kernel<'a' | 'b'>(name, (g, { a, b }) => binary(g, op, counted(g, a), counted(g, b)))),
  // int32 even of float32 operands, as tfjs does it
  kernel<'a' | 'b'>('FloorDiv', (g, { a, b }) => cast(g, binary(g, 'FloorDiv', counted(g, a), counted(g, b)), 'int32')),
  ...COMPARE.map((op) => kernel<'a' | 'b'>(op, (g, { a, b }) => compare(g, op, a, b))),
  kernel<'a' | 'b'>('SquaredDifference', (g, { a, b }) => square(g, binary(g, 'Sub', a, b))),
  variadicKernel('AddN', (g, operands) => operands.reduce((a, b) => binary(g, 'Add', a, b))),
  kernel<'x'>('Square', (g, { x }) => square(g, x)),
  kernel<'x'>('Rsqrt', (g, { x }) => unary(g, 'Reciprocal', unary(g, 'Sqrt', x))),
  kernel<'x'>('Identity', (_, { x }) => x),
  kernel<'x', { alpha?: number }>('Step', (g, { x }, { alpha = 0 }) => step(g, x, alpha)),
  kernel<'x'>('Relu6', (g, { x }) => clip(g, x, 0, 6)),
  kernel<'x', { alpha: number }>('LeakyRelu', (g, { x }, { alpha }) => leaky(g, cast(g, x, 'float32'), scalar(g, alpha))),
  kernel<'x' | 'alpha'>('Prelu', (g, { x, alpha }) => leaky(g, cast(g, x, 'float32'), alpha)),
  kernel<'x'>('Elu', (g, { x }) => elu(g, x)),
  kernel<'x'>('Selu', (g, { x }) => selu(g, x)),
  kernel<'dy' | 'y'>('EluGrad', (g, { dy, y }) =>
    where(g, 'GreaterEqual', y, 0, dy, binary(g, 'Mul', dy, binary(g, 'Add', y, scalar(g, 1)))),
  ),
  kernel<'x', { clipValueMin: number; clipValueMax: number }>('ClipByValue', (g, { x }, { clipValueMin, clipValueMax }) =>
    clip(g, x, clipValueMin, clipValueMax),
  ),
  kernel<'x'>('IsNan', (g, { x }) => isNotANumber(g, x)),
  kernel<'x'>('IsInf', (g, { x }) => compare(g, 'Equal', unary(g, 'Abs', x), infinity(g))),
  kernel<'x'>('IsFinite', (g, { x }) => compare(g, 'Less', unary(g, 'Abs', x), infinity(g))),
  kernel<'x', { dtype: DType }>('Cast', (g, { x }, { dtype }) => cast(g, x, dtype)),
];
