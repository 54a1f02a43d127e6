import { item } from '../../ir/shape.js';
import { type Expression, isCompare, type ScalarOp } from './expression.js';

const COMPARISONS = {
  Greater: '>',
  GreaterEqual: '>=',
  Less: '<',
  LessEqual: '<=',
  Equal: '===',
  NotEqual: '!==',
  LogicalAnd: '&&',
  LogicalOr: '||',
} as const;

type Printer = (a: string, b: string, c: string) => string;

const math =
  (name: string): Printer =>
  (a) =>
    `Math.${name}(${a})`;
const infix =
  (sign: string): Printer =>
  (a, b) =>
    `${a}${sign}${b}`;

/** JavaScript for every operation on scalars; comparisons and `Select` are printed by `printOperation`. */
const PRINT: Readonly<Partial<Record<ScalarOp, Printer>>> = {
  Neg: (a) => `-${a}`,
  Exp: math('exp'),
  Expm1: math('expm1'),
  Log: math('log'),
  Log1p: math('log1p'),
  Sqrt: math('sqrt'),
  Tanh: math('tanh'),
  Abs: math('abs'),
  Sin: math('sin'),
  Cos: math('cos'),
  Tan: math('tan'),
  Asin: math('asin'),
  Acos: math('acos'),
  Atan: math('atan'),
  Sinh: math('sinh'),
  Cosh: math('cosh'),
  Asinh: math('asinh'),
  Acosh: math('acosh'),
  Atanh: math('atanh'),
  Floor: math('floor'),
  Ceil: math('ceil'),
  Truncate: math('trunc'),
  Relu: (a) => `Math.max(${a},0)`,
  Sign: (a) => `(${a}>0?1:${a}<0?-1:0)`,
  Reciprocal: (a) => `1/${a}`,
  Step: (a) => `(${a}>0?1:0)`,
  Round: (a) => `roundHalfEven(${a})`,
  Erf: (a) => `erf(${a})`,
  LogicalNot: (a) => `(${a}?0:1)`,
  Add: infix('+'),
  Sub: infix('-'),
  Mul: infix('*'),
  Div: infix('/'),
  Pow: (a, b) => `Math.pow(${a},${b})`,
  Maximum: (a, b) => `Math.max(${a},${b})`,
  Minimum: (a, b) => `Math.min(${a},${b})`,
  FloorDiv: (a, b) => `Math.floor(${a}/${b})`,
  FloorMod: (a, b) => `floorMod(${a},${b})`,
  Atan2: (a, b) => `Math.atan2(${a},${b})`,
  BitwiseAnd: infix('&'),
  // Without a branch: the outcome is data, and V8 has no conditional move for doubles.
  Gate: (z, t) => `Math.max(${t},(${z}>=0)|0)`,
  Positive: (a) => `(${a}<-8e307?0:.5*(${a}+Math.abs(${a})))`,
};

/** What must have a name before `e` can be printed. A condition is printed in place. */
export function printOperands(e: Expression): readonly Expression[] {
  const [condition, ...branches] = e.args;
  return e.op === 'Select' && condition && isCompare(condition.op) ? [...condition.args, ...branches] : e.args;
}

function comparison(e: Expression, name: (e: Expression) => string): string {
  if (!isCompare(e.op)) return name(e);
  return `${name(item(e.args, 0))}${COMPARISONS[e.op]}${name(item(e.args, 1))}`;
}

/** JavaScript for one operation whose operands have names. */
export function printOperation(e: Expression, name: (e: Expression) => string): string {
  if (e.op === 'Select') return `(${comparison(item(e.args, 0), name)}?${name(item(e.args, 1))}:${name(item(e.args, 2))})`;
  if (isCompare(e.op)) return `(${comparison(e, name)}?1:0)`;
  const print = e.op === 'number' || e.op === 'total' || e.op === 'load' ? undefined : PRINT[e.op];
  if (!print) throw new Error(`no JavaScript for ${e.op}`);
  const [a = '', b = '', c = ''] = e.args.map(name);
  return print(a, b, c);
}

/** A literal that may stand after any operator. */
export const printNumber = (text: string): string => (text.startsWith('-') ? `(${text})` : text);
