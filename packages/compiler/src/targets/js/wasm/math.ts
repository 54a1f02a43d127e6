import type { Value } from './code.js';
import { polynomials } from './polynomials.js';
import type { Vectors } from './vectors.js';

/** Functions written out for vectors; everything else of the kind is called lane by lane. */
export const VECTOR_MATH = ['Exp', 'Expm1', 'Log', 'Log1p', 'Tanh'] as const;
export type VectorMath = (typeof VECTOR_MATH)[number];
export const isVectorMath = (op: string): op is VectorMath => (VECTOR_MATH as readonly string[]).includes(op);

type Reduced = {
  /** The integer k nearest to x/ln 2, as a number. */
  readonly k: Value;
  /** x − k·ln 2. */
  readonly r: Value;
  /** eʳ − 1 */
  readonly p: Value;
};

function reduced(v: Vectors, x: Value): Reduced {
  const table = polynomials[v.lanes.name];
  const [high, low] = table.ln2;
  const k = v.apply('nearest', v.apply('mul', x, v.number(Math.LOG2E)));
  const r = v.nmadd(k, v.number(low), v.nmadd(k, v.number(high), x));
  return { k, r, p: v.madd(v.apply('mul', r, r), v.polynomial(table.exp, r), r) };
}

/** 2^(k + shift): the integer in the low bits of k + 1.5·2^fraction, moved to where the exponent is. */
function powerOfTwo(v: Vectors, k: Value, shift: Value): Value {
  return v.shift('shiftLeft', v.apply('add', k, shift), v.lanes.fraction);
}

const magic = (v: Vectors, shift: number): number => 1.5 * 2 ** v.lanes.fraction + v.lanes.bias + shift;

/**
 * eˣ to 1 ulp over the whole range: results below the normal numbers are rounded once, by the last multiplication.
 * `nonPositive` says that x ≤ 0, which saves the other end.
 */
function exp(v: Vectors, x: Value, nonPositive: boolean): Value {
  const [least, most, away] = v.lanes.width === 2 ? [-746, 710, 60] : [-104, 89, 30];
  const above = v.apply('pseudoMax', x, v.number(least));
  const { k, p } = reduced(v, nonPositive ? above : v.apply('pseudoMin', above, v.number(most)));
  const e = v.apply('add', v.number(1), p);
  // Towards the middle of the range first, so that the power itself is a normal number.
  const [up, down] = [v.number(magic(v, away)), v.number(2 ** -away)];
  if (nonPositive) return v.apply('mul', v.apply('mul', e, powerOfTwo(v, k, up)), down);
  const below = v.apply('less', x, v.number(0));
  const power = powerOfTwo(v, k, v.select(below, up, v.number(magic(v, -away))));
  return v.apply('mul', v.apply('mul', e, power), v.select(below, down, v.number(2 ** away)));
}

/** `magnitude` with the sign of `x`: odd functions keep −0. */
function signed(v: Vectors, magnitude: Value, x: Value): Value {
  return v.select(v.number(-0), x, magnitude);
}

/** eˣ − 1 = 2ᵏ·(eʳ − 1) + (2ᵏ − 1), halved so that the largest results do not overflow too early. */
function expm1(v: Vectors, x: Value): Value {
  const [least, most] = v.lanes.width === 2 ? [-40, 710] : [-20, 89];
  const { k, p } = reduced(v, v.apply('pseudoMin', v.apply('pseudoMax', x, v.number(least)), v.number(most)));
  const half = powerOfTwo(v, k, v.number(magic(v, -1)));
  const sum = v.madd(half, p, v.apply('sub', half, v.number(0.5)));
  return signed(v, v.apply('add', sum, sum), x);
}

/** tanh|x| = −t/(t + 2), t = e^(−2|x|) − 1: no cancellation near 0. */
function tanh(v: Vectors, x: Value): Value {
  const { k, p } = reduced(
    v,
    v.apply('pseudoMax', v.apply('mul', v.apply('abs', x), v.number(-2)), v.number(v.lanes.width === 2 ? -40 : -20)),
  );
  const power = powerOfTwo(v, k, v.number(magic(v, 0)));
  const t = v.madd(power, p, v.apply('sub', power, v.number(1)));
  return signed(v, v.apply('div', t, v.apply('add', t, v.number(2))), x);
}

/** log1p(t) for 0 ≤ t ≤ 1. */
function log1pOfFraction(v: Vectors, t: Value): Value {
  const s = v.apply('div', t, v.apply('add', t, v.number(2)));
  const z = v.apply('mul', s, s);
  return v.apply('add', s, v.madd(v.apply('mul', s, z), v.polynomial(polynomials[v.lanes.name].log1p, z), s));
}

/** log(2ᵏ·m) for √½ ≤ m ≤ √2, plus a small correction; after fdlibm. */
function logOf(v: Vectors, m: Value, k: Value, correction: Value | undefined): Value {
  const table = polynomials[v.lanes.name];
  const [high, low] = table.ln2;
  const f = v.apply('sub', m, v.number(1));
  const s = v.apply('div', f, v.apply('add', f, v.number(2)));
  const z = v.apply('mul', s, s);
  const h = v.apply('mul', v.apply('mul', f, f), v.number(0.5));
  const tail = v.apply('mul', s, v.madd(z, v.polynomial(table.log, z), h));
  const small = correction === undefined ? tail : v.apply('add', tail, correction);
  const rest = v.apply('sub', v.apply('sub', h, v.madd(k, v.number(low), small)), f);
  return v.apply('sub', v.apply('mul', k, v.number(high)), rest);
}

type Split = { readonly k: Value; readonly m: Value };

/** y = 2ᵏ·m with √½ ≤ m ≤ √2, for normal y > 0. */
function split(v: Vectors, y: Value): Split {
  const wide = v.lanes.width === 2;
  const { bias, fraction } = v.lanes;
  const biased = v.shift('shiftRight', v.apply('integerAdd', y, v.integer(wide ? 0x95f6400000000n : 0x4afb0dn)), fraction);
  // The integer becomes the low bits of 2^fraction, whose subtraction makes it a number.
  const k = v.apply('sub', v.bits('or', biased, v.integer(wide ? 0x4330000000000000n : 0x4b000000n)), v.number(2 ** fraction + bias));
  const one = v.integer(wide ? 0x3ff0000000000000n : 0x3f800000n);
  return { k, m: v.apply('integerSub', y, v.apply('integerSub', v.shift('shiftLeft', biased, fraction), one)) };
}

/** −∞ at zero, NaN below, ∞ at infinity, `value` elsewhere. */
function inDomain(v: Vectors, x: Value, value: Value): Value {
  const outside = v.select(v.apply('equal', x, v.number(0)), v.number(-Infinity), v.number(Number.NaN));
  const finite = v.select(v.apply('greater', x, v.number(0)), value, outside);
  return v.select(v.apply('equal', x, v.number(Number.POSITIVE_INFINITY)), x, finite);
}

function log(v: Vectors, x: Value): Value {
  const [least, shift] = v.lanes.width === 2 ? [2 ** -1022, 54] : [2 ** -126, 25];
  const tiny = v.apply('less', x, v.number(least));
  const { k, m } = split(v, v.select(tiny, v.apply('mul', x, v.number(2 ** shift)), x));
  const exponent = v.apply('sub', k, v.bits('and', tiny, v.number(shift)));
  return inDomain(v, x, logOf(v, m, exponent, undefined));
}

/** log(u) with u = 1 + x, corrected by what the rounding of u lost. */
function log1p(v: Vectors, x: Value): Value {
  const u = v.apply('add', x, v.number(1));
  const lost = v.apply('div', v.apply('sub', x, v.apply('sub', u, v.number(1))), u);
  const { k, m } = split(v, u);
  return signed(v, inDomain(v, u, logOf(v, m, k, lost)), x);
}

/** What the printer knows about an argument. */
export type Argument = 'any' | 'non-positive' | 'fraction';

/** One of the functions above; they differ from `Math.*` by 1 to 3 ulp. */
export function vectorMath(v: Vectors, op: VectorMath, x: Value, argument: Argument = 'any'): Value {
  switch (op) {
    case 'Exp':
      return exp(v, x, argument === 'non-positive');
    case 'Expm1':
      return expm1(v, x);
    case 'Log':
      return log(v, x);
    case 'Log1p':
      return argument === 'fraction' ? log1pOfFraction(v, x) : log1p(v, x);
    case 'Tanh':
      return tanh(v, x);
  }
}
