import { item } from '../../../ir/shape.js';
import type { Expression, ScalarOp } from '../expression.js';
import { isFraction, isNonPositive } from '../stable.js';
import { type Code, f64, get, type Local, put } from './code.js';
import { blockAt, type Emission } from './emission.js';
import { call } from './functions.js';
import { type Argument, isVectorMath } from './math.js';
import { loadScalar } from './memory-access.js';
import { F64, scalarOp } from './opcodes.js';
import { orNaN, rowCount, scalarRow } from './rows.js';

/** Code that leaves an operand on the stack: a float64 (`number`), or an i32 that is 0 or 1 (`truth`). */
export type ScalarOperands = { number(e: Expression): Code; truth(e: Expression): Code };

/** Operations that are one instruction. */
const INSTRUCTION: Readonly<Partial<Record<ScalarOp, number>>> = {
  Neg: scalarOp.neg,
  Sqrt: scalarOp.sqrt,
  Abs: scalarOp.abs,
  Floor: scalarOp.floor,
  Ceil: scalarOp.ceil,
  Truncate: scalarOp.trunc,
  Round: scalarOp.nearest,
  Add: scalarOp.add,
  Sub: scalarOp.sub,
  Mul: scalarOp.mul,
  Div: scalarOp.div,
  Maximum: scalarOp.max,
  Minimum: scalarOp.min,
};

export const COMPARISON = {
  Greater: 'greater',
  GreaterEqual: 'greaterEqual',
  Less: 'less',
  LessEqual: 'lessEqual',
  Equal: 'equal',
  NotEqual: 'notEqual',
} as const;
export const isComparison = (op: string): op is keyof typeof COMPARISON => op in COMPARISON;

/** What is known about the argument of a function: −|z|, which the stable forms of sigmoid and softplus use, and its exp. */
export function argumentOf({ op, args }: Expression): Argument {
  const [x] = args;
  if (op === 'Exp' && x && isNonPositive(x)) return 'non-positive';
  return op === 'Log1p' && x && isFraction(x) ? 'fraction' : 'any';
}

/** Leaves the value of an expression on the stack. */
export function scalarCode(emission: Emission, e: Expression, { number, truth }: ScalarOperands): Code {
  const { op, args } = e;
  if (op === 'load') return loaded(emission, e, number);
  if (op === 'number' || op === 'total') throw new Error(`a ${op} is not computed`);
  if (op === 'Select') return [...number(item(args, 1)), ...number(item(args, 2)), ...truth(item(args, 0)), scalarOp.select];
  if (isTruth(op)) return [...truth(e), scalarOp.fromI32];
  const values = args.flatMap(number);
  const instruction = INSTRUCTION[op];
  if (instruction !== undefined) return [...values, instruction];
  if (isVectorMath(op)) return [...values, ...call(emission.functions.math(op, argumentOf(e)))];
  const at = (i: number) => number(item(args, i));
  switch (op) {
    case 'Reciprocal':
      return [...f64(1), ...values, scalarOp.div];
    case 'Relu':
    case 'Positive':
      return [...values, ...f64(0), scalarOp.max];
    case 'FloorDiv':
      return [...values, scalarOp.div, scalarOp.floor];
    case 'Step':
      return [...values, ...f64(0), scalarOp.greater, scalarOp.fromI32];
    case 'Sign':
      return [
        ...[...values, ...f64(0), scalarOp.greater, scalarOp.fromI32],
        ...[...values, ...f64(0), scalarOp.less, scalarOp.fromI32, scalarOp.sub],
      ];
    case 'Gate':
      return [...f64(1), ...at(1), ...at(0), ...f64(0), scalarOp.greaterEqual, scalarOp.select];
    default:
      return [...values, ...call(emission.functions.hostOperation(op))];
  }
}

export const isTruth = (op: string): boolean => isComparison(op) || op === 'LogicalAnd' || op === 'LogicalOr' || op === 'LogicalNot';

/** Leaves 1 on the stack if an expression is neither 0 nor NaN, else 0. */
export function truthCode({ op, args }: Expression, own: Code, { number, truth }: ScalarOperands): Code {
  if (isComparison(op)) return [...args.flatMap(number), scalarOp[COMPARISON[op]]];
  if (op === 'LogicalAnd') return [...args.flatMap(truth), scalarOp.i32And];
  if (op === 'LogicalOr') return [...args.flatMap(truth), scalarOp.i32Or];
  if (op === 'LogicalNot') return [...args.flatMap(truth), scalarOp.i32Eqz];
  return [...own, scalarOp.abs, ...f64(0), scalarOp.greater];
}

function loaded(emission: Emission, { load, args, depth }: Expression, number: ScalarOperands['number']): Code {
  if (!load) throw new Error('a load without storage');
  const placement = emission.memory.use(load.storage);
  const { index, scale } = load;
  const [row] = args;
  if (!row) return loadScalar(emission, { placement, index });
  const block = blockAt(emission, depth);
  const position: Local = put(block, F64, number(row));
  const found = scalarRow(block, position, rowCount(placement, scale), scale * placement.elementBytes);
  return get(orNaN(block, put(block, F64, loadScalar(emission, { placement, index, row: found.bytes })), found));
}
