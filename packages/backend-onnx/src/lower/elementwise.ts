import type { Binary, Compare, DType, Node, NodeOf, Unary } from '@bpc/compiler';
import type { OnnxGraph } from '../model/onnx-graph.js';
import { ELEMENT_TYPE } from '../model/serialize.js';
import type { LoweringContext } from './context.js';
import { integerDivision } from './integer-division.js';
import { inputOf } from './operands.js';
import { lowerScaledSum } from './reduce.js';
import { nhwc, sizeOf } from './shape.js';
import { broadcastUpsampled } from './upsample.js';

/** Smallest normal float32; smaller values may be flushed to zero. */
const SMALLEST = 1.1754943508222875e-38;

function cast(onnx: OnnxGraph, x: string, from: DType, to: DType): string {
  return from === to ? x : onnx.op('Cast', [x], { to: ELEMENT_TYPE[to] });
}

/** Slope of a ramp that is a step for all normal float32 numbers. */
const STEEPEST = 3e38;

// A rank-0 operand makes ONNX Runtime broadcast element by element; one of the result's rank takes the vector path
// (5 times faster on [1000, 1]).
function operand(input: Node, node: Node, context: LoweringContext): string {
  const rank = node.shape.length;
  if (input.shape.length !== 0 || rank === 0) return perImage(input, node, context) ?? context.inLayout(input, context.layoutOf(node));
  const ones = Array<number>(rank).fill(1);
  if (input.op === 'Const') return context.onnx.constant(input.attributes.values, ones, input.dtype);
  return context.onnx.reshape(context.stored(input), ones);
}

/** Channels below which a value per channel is repeated for every image before it broadcasts. */
const SHORT_RUN = 512;

// Broadcasting [C] over [H, W, N, C] works in runs of C elements; over [N, C] in runs of N·C, 3 times faster at C = 32 and
// 1.6 times at C = 128.
function perImage(input: Node, node: Node, context: LoweringContext): string | undefined {
  if (context.layoutOf(node) !== 'tiles' || sizeOf(node.shape) < 1 << 14) return undefined;
  const [n, , , c] = nhwc(node.shape);
  const perChannel = c > 1 && c < SHORT_RUN && n > 1 && sizeOf(input.shape) === c && input.shape.at(-1) === c;
  if (!perChannel) return undefined;
  const { onnx } = context;
  return onnx.op('Expand', [onnx.reshape(context.stored(input), [1, 1, 1, c]), onnx.integers([1, 1, n, c])]);
}

function operands(node: Node, type: DType, context: LoweringContext): readonly string[] {
  return node.inputs.map((input) => cast(context.onnx, operand(input, node, context), input.dtype, type));
}

/** Applies `op` to operands of one type, without writing out an upsampled operand where broadcasting inside `op` will do. */
function applyBinary(op: string, node: Node, type: DType, context: LoweringContext): string {
  const fused = node.inputs.every((input) => input.dtype === type) ? broadcastUpsampled(op, node, context) : undefined;
  return fused ?? context.onnx.op(op, operands(node, type, context));
}

// log w − ((w − 1) − x) / w with w = 1 + x undoes the rounding of 1 + x. The clamps keep the correction 0 at −1 and ∞.
function log1p(onnx: OnnxGraph, x: string, rank: number): string {
  const scalar = (value: number) => onnx.scalar(value, rank);
  const log = onnx.op('Log', [onnx.op('Add', [x, scalar(1)])]);
  const finite = onnx.op('Min', [x, scalar(1e30)]);
  const sum = onnx.op('Add', [finite, scalar(1)]);
  const excess = onnx.op('Sub', [onnx.op('Sub', [sum, scalar(1)]), finite]);
  return onnx.op('Sub', [log, onnx.op('Div', [excess, onnx.op('Max', [sum, scalar(SMALLEST)])])]);
}

// eˣ − 1 = tanh(x/2) (eˣ + 1) keeps the digits near 0, which the difference loses.
function expm1(onnx: OnnxGraph, x: string, rank: number): string {
  const half = onnx.op('Tanh', [onnx.op('Mul', [x, onnx.scalar(0.5, rank)])]);
  return onnx.op('Mul', [half, onnx.op('Add', [onnx.op('Exp', [x]), onnx.scalar(1, rank)])]);
}

// (x > 0) − (x < 0): 0 of NaN, as in tfjs, where ONNX's own Sign gives NaN.
function sign(onnx: OnnxGraph, x: string, rank: number): string {
  const is = (comparison: string) => onnx.op('Cast', [onnx.op(comparison, [x, onnx.scalar(0, rank)])], { to: ELEMENT_TYPE.float32 });
  return onnx.op('Sub', [is('Greater'), is('Less')]);
}

/**
 * The mask of a rectifier's gradient, from what it rectified, so that its argument need not be kept; undefined if `node` is
 * another step.
 *
 * One pass instead of two. As steep as float32 allows, the ramp differs from a step for denormals only, and for NaN, which
 * this gradient need not tell apart.
 */
function rectifierMask(node: Node, context: LoweringContext): string | undefined {
  const rectified = context.rectified(inputOf(node));
  if (rectified === undefined || !context.options.ramp || node.dtype !== 'float32') return undefined;
  const x = context.inLayout(rectified, context.layoutOf(node));
  return context.onnx.op('HardSigmoid', [x], { alpha: { float: STEEPEST }, beta: { float: 0 } });
}

/** Lowers functions of one argument. */
export function lowerUnary(node: { readonly [O in Unary]: NodeOf<O> }[Unary], context: LoweringContext): string {
  const { onnx } = context;
  const [x = ''] = operands(node, node.dtype, context);
  const rank = node.shape.length;
  switch (node.op) {
    case 'Expm1':
      return expm1(onnx, x, rank);
    case 'Log1p':
      return log1p(onnx, x, rank);
    case 'Step':
      return (
        rectifierMask(node, context) ??
        onnx.op('Cast', [onnx.op('Greater', [x, onnx.scalar(0, rank, node.dtype)])], { to: ELEMENT_TYPE[node.dtype] })
      );
    case 'LogicalNot':
      return onnx.op('Not', [x]);
    case 'Sign':
      return node.dtype === 'float32' ? sign(onnx, x, rank) : onnx.op('Sign', [x]);
    default:
      return onnx.op(node.op, [x]);
  }
}

// Remainder with the sign of the divisor.
function floorMod(onnx: OnnxGraph, a: string, b: string, rank: number): string {
  const remainder = onnx.op('Mod', [a, b], { fmod: 1 });
  const opposite = onnx.op('Less', [onnx.op('Mul', [onnx.op('Sign', [remainder]), onnx.op('Sign', [b])]), onnx.scalar(0, rank)]);
  return onnx.op('Where', [opposite, onnx.op('Add', [remainder, b]), remainder]);
}

// ONNX has only the arc tangent of a quotient: of |y/x| here, moved to the quadrant of (x, y). 1/0 tells the sign of a zero.
function atan2(onnx: OnnxGraph, y: string, x: string, rank: number): string {
  const scalar = (value: number) => onnx.scalar(value, rank);
  const negative = (v: string) => {
    const zero = onnx.op('Equal', [v, scalar(0)]);
    return onnx.op('Less', [onnx.op('Where', [zero, onnx.op('Reciprocal', [v]), v]), scalar(0)]);
  };
  const [absY, absX] = [onnx.op('Abs', [y]), onnx.op('Abs', [x])];
  const steep = onnx.op('Atan', [onnx.op('Div', [absY, absX])]);
  // 0/0 and ∞/∞ are no quotients.
  const zero = onnx.op('Equal', [absY, scalar(0)]);
  const diagonal = onnx.op('Equal', [absY, absX]);
  const angle = onnx.op('Where', [diagonal, scalar(Math.PI / 4), steep]);
  const exact = onnx.op('Where', [zero, onnx.op('Where', [onnx.isNaN(x), x, scalar(0)]), angle]);
  const turned = onnx.op('Where', [negative(x), onnx.op('Sub', [scalar(Math.PI), exact]), exact]);
  return onnx.op('Where', [negative(y), onnx.op('Neg', [turned]), turned]);
}

/** Lowers functions of two arguments. int32 with int32 stays int32, anything else is computed in float32. */
export function lowerBinary(node: NodeOf<Binary>, context: LoweringContext): string {
  const { onnx } = context;
  const type = node.inputs.every((input) => input.dtype === 'int32') ? 'int32' : 'float32';
  const pair = () => {
    const [a = '', b = ''] = operands(node, type, context);
    return [a, b] as const;
  };
  const compute = (): string => {
    if (type === 'int32' && (node.op === 'FloorDiv' || node.op === 'FloorMod' || node.op === 'Div')) {
      return integerDivision(onnx, node.op, pair(), node.inputs[1], node.shape.length);
    }
    switch (node.op) {
      case 'Mul':
        return lowerScaledSum(node, context) ?? applyBinary('Mul', node, type, context);
      case 'Maximum':
        return applyBinary('Max', node, type, context);
      case 'Minimum':
        return applyBinary('Min', node, type, context);
      case 'FloorMod': {
        const [a, b] = pair();
        return floorMod(onnx, a, b, node.shape.length);
      }
      case 'Atan2': {
        const [y, x] = pair();
        return atan2(onnx, y, x, node.shape.length);
      }
      case 'FloorDiv': {
        const [a, b] = pair();
        return onnx.op('Floor', [onnx.op('Div', [a, b])]);
      }
      default:
        return applyBinary(node.op, node, type, context);
    }
  };
  return cast(onnx, compute(), type, node.dtype);
}

const COMPARISON: Readonly<Record<Exclude<Compare, 'NotEqual' | 'LogicalOr'>, string>> = {
  Greater: 'Greater',
  GreaterEqual: 'GreaterOrEqual',
  Less: 'Less',
  LessEqual: 'LessOrEqual',
  Equal: 'Equal',
  LogicalAnd: 'And',
};

/** Lowers comparisons and logic; the result is bool. */
export function lowerCompare(node: NodeOf<Compare>, context: LoweringContext): string {
  const { onnx } = context;
  const logic = node.op === 'LogicalAnd' || node.op === 'LogicalOr';
  const number = node.inputs.some((input) => input.dtype === 'float32') ? 'float32' : 'int32';
  const names = operands(node, logic ? 'bool' : number, context);
  const [a = '', b = ''] = names;
  if (node.op === 'LogicalOr') return onnx.or(a, b);
  return node.op === 'NotEqual' ? onnx.op('Not', [onnx.op('Equal', names)]) : onnx.op(COMPARISON[node.op], names);
}

/** Lowers `condition ? a : b`. */
export function lowerSelect(node: NodeOf<'Select'>, context: LoweringContext): string {
  const { onnx } = context;
  const [condition, ...branches] = node.inputs.map((input) => operand(input, node, context));
  const [conditionNode, ...branchNodes] = node.inputs;
  if (condition === undefined || conditionNode === undefined) throw new RangeError('Select needs three inputs');
  // Where has no bool kernel on the CPU.
  const type = node.dtype === 'bool' ? 'int32' : node.dtype;
  const chosen = branches.map((name, i) => cast(onnx, name, branchNodes[i]?.dtype ?? type, type));
  return cast(onnx, onnx.op('Where', [cast(onnx, condition, conditionNode.dtype, 'bool'), ...chosen]), type, node.dtype);
}

/** Lowers a change of element type; float32 → int32 truncates, and gives 0 for NaN and what no int32 can hold. */
export function lowerCast(node: NodeOf<'Cast'>, context: LoweringContext): string {
  const [input] = node.inputs;
  if (input === undefined) throw new RangeError('Cast needs an input');
  const x = context.inLayout(input, context.layoutOf(node));
  const { onnx } = context;
  if (input.dtype !== 'float32' || node.dtype !== 'int32') return cast(onnx, x, input.dtype, node.dtype);
  const scalar = (value: number) => onnx.scalar(value, node.shape.length);
  const inside = onnx.op('And', [onnx.op('GreaterOrEqual', [x, scalar(-(2 ** 31))]), onnx.op('Less', [x, scalar(2 ** 31)])]);
  return cast(onnx, onnx.op('Where', [inside, x, scalar(0)]), 'float32', 'int32');
}
