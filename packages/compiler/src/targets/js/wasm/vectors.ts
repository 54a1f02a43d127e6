import { type Block, type Code, get, i32, type Local, once, put, type Value } from './code.js';
import { float32Bytes, float64Bytes, int32Bytes, int64Bytes, simd } from './encode.js';
import { bitOp, type LaneOp, laneOps, V128 } from './opcodes.js';

export type LaneName = keyof typeof laneOps;

export const isCopies = (value: Value): value is readonly Local[] => Array.isArray(value);
export const copyOf = (value: Value, copy: number): Local => {
  const one = isCopies(value) ? value[copy] : value;
  if (one === undefined) throw new RangeError(`no copy ${copy}`);
  return one;
};

/** What differs between the two kinds of vector. */
export type Lanes = {
  readonly name: LaneName;
  readonly width: 2 | 4;
  /** Of one lane. */
  readonly bytes: 4 | 8;
  /** Bits of the fraction, and the exponent's bias. */
  readonly fraction: number;
  readonly bias: number;
  code(op: LaneOp): number[];
  number(value: number): number[];
  integer(value: bigint): number[];
};

const lanesOf = (name: LaneName): Lanes => {
  const wide = name === 'f64x2';
  return {
    name,
    width: wide ? 2 : 4,
    bytes: wide ? 8 : 4,
    fraction: wide ? 52 : 23,
    bias: wide ? 1023 : 127,
    code: (op) => simd(laneOps[name][op]),
    number: wide ? float64Bytes : float32Bytes,
    integer: wide ? int64Bytes : (value) => int32Bytes(Number(value)),
  };
};

export const lanes: Readonly<Record<LaneName, Lanes>> = { f64x2: lanesOf('f64x2'), f32x4: lanesOf('f32x4') };

const repeated = (bytes: readonly number[], count: number): number[] => Array.from({ length: count }, () => bytes).flat();

/** A constant vector with equal lanes. */
export const splatNumber = (kind: Lanes, value: number): Code => [...simd(bitOp.const), ...repeated(kind.number(value), kind.width)];
const splatInteger = (kind: Lanes, value: bigint): Code => [...simd(bitOp.const), ...repeated(kind.integer(value), kind.width)];

/** Operations on vectors, appended to one block. */
export interface Vectors {
  readonly lanes: Lanes;
  number(value: number): Local;
  integer(value: bigint): Local;
  apply(op: LaneOp, ...operands: readonly Value[]): Value;
  bits(op: 'and' | 'andNot' | 'or' | 'not', ...operands: readonly Value[]): Value;
  shift(op: 'shiftLeft' | 'shiftRight', a: Value, by: number): Value;
  /** Lanes of `a` where `mask` is set, else of `b`. */
  select(mask: Value, a: Value, b: Value): Value;
  /** a·b + c and c − a·b: fused only where that was asked for. */
  madd(a: Value, b: Value, c: Value): Value;
  nmadd(a: Value, b: Value, c: Value): Value;
  /** Σ coefficients[i]·xⁱ by Estrin's scheme: a short chain of dependent operations. */
  polynomial(coefficients: readonly number[], x: Value): Value;
}

export type VectorsOptions = { readonly block: Block; readonly constants: Block; readonly lanes: Lanes; readonly fma: boolean };

export function vectors({ block, constants, lanes: kind, fma }: VectorsOptions): Vectors {
  const each = (operands: readonly Value[], after: readonly number[] | Code): Value => {
    const copies = Math.max(0, ...operands.map((operand) => (isCopies(operand) ? operand.length : 0)));
    const one = (copy: number) => put(block, V128, [...operands.flatMap((operand) => get(copyOf(operand, copy))), ...after]);
    return copies === 0 ? one(0) : Array.from({ length: copies }, (_, copy) => one(copy));
  };
  const v: Vectors = {
    lanes: kind,
    number: (value) => once(constants, `${kind.name} ${Object.is(value, -0) ? '-0' : value}`, V128, () => splatNumber(kind, value)),
    integer: (value) => once(constants, `${kind.name} #${value}`, V128, () => splatInteger(kind, value)),
    apply: (op, ...operands) => each(operands, kind.code(op)),
    bits: (op, ...operands) => each(operands, simd(bitOp[op])),
    shift: (op, a, by) => each([a], [...i32(by), ...kind.code(op)]),
    select: (mask, a, b) => each([a, b, mask], simd(bitOp.select)),
    madd: (a, b, c) => (fma ? each([a, b, c], kind.code('madd')) : v.apply('add', v.apply('mul', a, b), c)),
    nmadd: (a, b, c) => (fma ? each([a, b, c], kind.code('nmadd')) : v.apply('sub', c, v.apply('mul', a, b))),
    polynomial(coefficients, x) {
      let rest: Value[] = coefficients.map(v.number);
      for (let power = x; ; power = v.apply('mul', power, power)) {
        const pairs: Value[] = [];
        for (let i = 0; i < rest.length; i += 2) {
          const [low, high] = rest.slice(i, i + 2);
          if (low !== undefined) pairs.push(high === undefined ? low : v.madd(high, power, low));
        }
        rest = pairs;
        const [only] = rest;
        if (rest.length === 1 && only !== undefined) return only;
      }
    },
  };
  return v;
}
