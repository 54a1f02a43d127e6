import { item } from '../../../ir/shape.js';
import type { Expression, ScalarOp } from '../expression.js';
import { type Code, type Local, put, type Value } from './code.js';
import { blockAt, type Emission, innermost, vectorsAt } from './emission.js';
import { call } from './functions.js';
import { isVectorMath, vectorMath } from './math.js';
import { laneOf, loadVector, withLane } from './memory-access.js';
import { F64, type LaneOp, V128 } from './opcodes.js';
import { laneRows, rowCount, scalarRow, vectorOrNaN } from './rows.js';
import { argumentOf, COMPARISON, isComparison, isTruth } from './scalar-forms.js';
import { copyOf, isCopies, type Vectors } from './vectors.js';

/** Operands in lanes: numbers, or all ones and all zeros. Rows that are the same for all lanes stay scalars. */
export type VectorOperands = { number(e: Expression): Value; mask(e: Expression): Value; scalar(e: Expression): Code };

/** Operations that are one instruction on lanes. */
const INSTRUCTION: Readonly<Partial<Record<ScalarOp, LaneOp>>> = {
  Neg: 'neg',
  Sqrt: 'sqrt',
  Abs: 'abs',
  Floor: 'floor',
  Ceil: 'ceil',
  Truncate: 'trunc',
  Round: 'nearest',
  Add: 'add',
  Sub: 'sub',
  Mul: 'mul',
  Div: 'div',
  // Exact about NaN and the sign of zero, as Math.max is.
  Maximum: 'max',
  Minimum: 'min',
};

/** A sum or difference with a product in it, where those are computed by one instruction. */
export type Fused = { readonly op: 'madd' | 'nmadd'; readonly factors: readonly Expression[]; readonly other: Expression };

export function fusedProduct({ fma }: Emission, { op, args }: Expression, depth: number): Fused | undefined {
  const [a, b] = args;
  if (!fma || !a || !b) return undefined;
  const isProduct = (e: Expression) => e.op === 'Mul' && e.depth === depth;
  if (op === 'Sub') return isProduct(b) ? { op: 'nmadd', factors: b.args, other: a } : undefined;
  if (op !== 'Add') return undefined;
  return isProduct(a) ? { op: 'madd', factors: a.args, other: b } : isProduct(b) ? { op: 'madd', factors: b.args, other: a } : undefined;
}

/** One value per interleaved copy. */
const copies = ({ copies: count }: Emission, make: (copy: number) => Local): Value =>
  count === 1 ? make(0) : Array.from({ length: count }, (_, copy) => make(copy));

const positive = (v: Vectors, x: Value): Value => v.bits('andNot', x, v.apply('lessEqual', x, v.number(0)));

/** The lanes of an expression in the innermost loop. */
export function vectorValue(emission: Emission, e: Expression, { number, mask, scalar }: VectorOperands): Value {
  const { op, args } = e;
  const v = vectorsAt(emission, innermost(emission));
  if (op === 'load') return loaded(emission, v, e, number, scalar);
  if (op === 'number' || op === 'total') throw new Error(`a ${op} is not computed`);
  if (op === 'Select') return v.select(mask(item(args, 0)), number(item(args, 1)), number(item(args, 2)));
  if (isTruth(op)) return v.bits('and', mask(e), v.number(1));
  const fused = fusedProduct(emission, e, innermost(emission));
  if (fused) return v[fused.op](number(item(fused.factors, 0)), number(item(fused.factors, 1)), number(fused.other));
  // −|x| by its sign bit: slow functions of it are chains of dependent operations, one shorter this way.
  const magnitude = op === 'Neg' && args[0]?.op === 'Abs' ? args[0].args[0] : undefined;
  if (magnitude) return v.bits('or', number(magnitude), v.number(-0));
  const [a, b] = args.map(number);
  if (!a) throw new Error(`${op} has no operand`);
  const instruction = INSTRUCTION[op];
  if (instruction) return b ? v.apply(instruction, a, b) : v.apply(instruction, a);
  if (isVectorMath(op)) return vectorMath(v, op, a, argumentOf(e));
  switch (op) {
    case 'Reciprocal':
      return v.apply('div', v.number(1), a);
    case 'Relu':
    case 'Positive':
      return positive(v, a);
    case 'Step':
      return v.bits('and', v.apply('greater', a, v.number(0)), v.number(1));
    case 'Sign':
      return v.apply(
        'sub',
        v.bits('and', v.apply('greater', a, v.number(0)), v.number(1)),
        v.bits('and', v.apply('less', a, v.number(0)), v.number(1)),
      );
  }
  if (b && op === 'FloorDiv') return v.apply('floor', v.apply('div', a, b));
  if (b && op === 'Gate') return v.apply('pseudoMax', b, v.bits('and', v.apply('greaterEqual', a, v.number(0)), v.number(1)));
  return laneByLane(emission, op, b ? [a, b] : [a]);
}

/** A function of the host, called once per live lane. */
function laneByLane(emission: Emission, op: string, operands: readonly Value[]): Value {
  const { live } = emission;
  const block = blockAt(emission, innermost(emission));
  const target = emission.functions.hostOperation(op);
  const zero = vectorsAt(emission, 0).number(0);
  return copies(emission, (copy) => {
    const results = Array.from({ length: live }, (_, lane) =>
      put(block, F64, [...operands.flatMap((operand) => laneOf(emission, copyOf(operand, copy), lane)), ...call(target)]),
    );
    return results.reduce((vector, result, lane) => put(block, V128, withLane(emission, [0x20, vector], lane, [0x20, result])), zero);
  });
}

/** The mask of an expression in the innermost loop; `own` are its lanes as numbers. */
export function maskValue(emission: Emission, { op, args }: Expression, own: () => Value, { number, mask }: VectorOperands): Value {
  const v = vectorsAt(emission, innermost(emission));
  if (isComparison(op)) return v.apply(COMPARISON[op], ...args.map(number));
  if (op === 'LogicalAnd') return v.bits('and', ...args.map(mask));
  if (op === 'LogicalOr') return v.bits('or', ...args.map(mask));
  if (op === 'LogicalNot') return v.bits('not', ...args.map(mask));
  return v.apply('greater', v.apply('abs', own()), v.number(0));
}

function loaded(
  emission: Emission,
  v: Vectors,
  { load, args, depth }: Expression,
  number: VectorOperands['number'],
  scalar: VectorOperands['scalar'],
): Value {
  if (!load) throw new Error('a load without storage');
  const placement = emission.memory.use(load.storage);
  const { index, scale } = load;
  const [row] = args;
  if (!row) return copies(emission, (copy) => loadVector(emission, { placement, index }, copy));
  const block = blockAt(emission, depth);
  const [count, stride] = [rowCount(placement, scale), scale * placement.elementBytes];
  if (row.depth < depth) {
    const home = blockAt(emission, row.depth);
    const found = scalarRow(home, put(home, F64, scalar(row)), count, stride);
    return copies(emission, (copy) => vectorOrNaN(v, block, loadVector(emission, { placement, index, row: found.bytes }, copy), found));
  }
  const rows = number(row);
  return copies(emission, (copy) => {
    const { valid, bytes } = laneRows(v, block, isCopies(rows) ? rows : [rows], isCopies(rows) ? copy : 0, count, stride);
    return copyOf(v.select(valid, loadVector(emission, { placement, index }, copy, bytes), v.number(Number.NaN)), 0);
  });
}
