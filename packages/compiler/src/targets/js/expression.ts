import type { Binary, Compare, Unary } from '../../ir/index.js';
import { BINARY, COMPARE, UNARY } from '../../ir/index.js';
import { binaryFunction, compareFunction, unaryFunction } from '../../ir/scalar-functions.js';
import { item } from '../../ir/shape.js';
import { type Affine, depthOf, printAffine } from './affine.js';
import type { Storage } from './program.js';

/** `Gate` (1 where z ≥ 0, else t, for t ≤ 1) and `Positive` are the branch-free parts of sigmoid and softplus; `Truncate` is the cast to int32. */
export type ScalarOp = Unary | Binary | Compare | 'Select' | 'Truncate' | 'Gate' | 'Positive';

/** One scalar value of a program, hash-consed: equal expressions are one object. */
export type Expression = {
  readonly id: number;
  readonly op: ScalarOp | 'number' | 'total' | 'load';
  readonly args: readonly Expression[];
  /** Of a `number` its value; of a `total` the name of its variable. */
  readonly text: string;
  readonly load?: { readonly storage: Storage; readonly index: Affine; readonly scale: number };
  /** Items of this level and later may use it. */
  readonly level: number;
  /** Loops around it: 0 for scalars of the whole program. */
  readonly depth: number;
};

export interface Expressions {
  number(value: number): Expression;
  total(name: string, level: number): Expression;
  /** The element at `index`, plus `scale` times a computed row. */
  load(storage: Storage, index: Affine, row?: Expression, scale?: number): Expression;
  unary(op: Unary, a: Expression): Expression;
  binary(op: Binary, a: Expression, b: Expression): Expression;
  compare(op: Compare, a: Expression, b: Expression): Expression;
  select(condition: Expression, a: Expression, b: Expression): Expression;
  /** An operation without rules. */
  apply(op: ScalarOp, args: readonly Expression[]): Expression;
}

export const isUnary = (op: string): op is Unary => (UNARY as readonly string[]).includes(op);
export const isBinary = (op: string): op is Binary => (BINARY as readonly string[]).includes(op);
export const isCompare = (op: string): op is Compare => (COMPARE as readonly string[]).includes(op);

export const numberOf = (e: Expression): number | undefined => (e.op === 'number' ? Number(e.text) : undefined);

/** Constructors of scalar expressions that simplify as they build. */
export function expressions(): Expressions {
  const memo = new Map<string, Expression>();
  let count = 0;
  const intern = (
    op: Expression['op'],
    args: readonly Expression[],
    text: string,
    level = 0,
    depth = 0,
    load?: Expression['load'],
  ): Expression => {
    const key = `${op}|${args.map((a) => a.id)}|${text}`;
    let found = memo.get(key);
    if (!found) {
      found = {
        id: count++,
        op,
        args,
        text,
        ...(load ? { load } : {}),
        level: args.reduce((most, a) => Math.max(most, a.level), level),
        depth: args.reduce((most, a) => Math.max(most, a.depth), depth),
      };
      memo.set(key, found);
    }
    return found;
  };
  const x: Expressions = {
    number: (value) => intern('number', [], Object.is(value, -0) ? '0' : String(value)),
    total: (name, level) => intern('total', [], name, level),
    load: (storage, index, row, scale = 0) =>
      intern('load', row ? [row] : [], `${storage.id}@${printAffine(index)}@${scale}`, storage.level, depthOf(index), {
        storage,
        index,
        scale,
      }),
    apply: (op, args) => intern(op, args, ''),
    unary(op, a) {
      const value = numberOf(a);
      const inner = a.args[0];
      if (value !== undefined) return x.number(unaryFunction[op](value));
      if (op === 'Reciprocal') return x.binary('Div', x.number(1), a);
      if (op === 'Neg' && a.op === 'Neg' && inner) return inner;
      if (op === 'Neg' && a.op === 'Sub') return x.binary('Sub', item(a.args, 1), item(a.args, 0));
      if (op === 'Abs' && (a.op === 'Neg' || a.op === 'Abs') && inner) return x.unary('Abs', inner);
      return intern(op, [a], '');
    },
    binary(op, a, b) {
      const [p, q] = [numberOf(a), numberOf(b)];
      if (p !== undefined && q !== undefined) return x.number(binaryFunction[op](p, q));
      const simpler = simplify(x, op, a, b, p, q);
      if (simpler) return simpler;
      const swap = (op === 'Add' || op === 'Mul') && a.id > b.id;
      return intern(op, swap ? [b, a] : [a, b], '');
    },
    compare(op, a, b) {
      const [p, q] = [numberOf(a), numberOf(b)];
      return p !== undefined && q !== undefined ? x.number(compareFunction[op](p, q)) : intern(op, [a, b], '');
    },
    select(condition, a, b) {
      const value = numberOf(condition);
      if (value !== undefined) return value !== 0 ? a : b;
      return a === b ? a : intern('Select', [condition, a, b], '');
    },
  };
  return x;
}

function simplify(
  x: Expressions,
  op: Binary,
  a: Expression,
  b: Expression,
  p: number | undefined,
  q: number | undefined,
): Expression | undefined {
  const negated = (e: Expression) => (e.op === 'Neg' ? e.args[0] : undefined);
  const [na, nb] = [negated(a), negated(b)];
  switch (op) {
    case 'Add':
      if (p === 0) return b;
      if (q === 0) return a;
      if (nb) return x.binary('Sub', a, nb);
      return na ? x.binary('Sub', b, na) : undefined;
    case 'Sub':
      if (q === 0) return a;
      if (p === 0) return x.unary('Neg', b);
      return nb ? x.binary('Add', a, nb) : undefined;
    case 'Mul':
      if (p === 1) return b;
      if (q === 1) return a;
      if (p === -1) return x.unary('Neg', b);
      if (q === -1) return x.unary('Neg', a);
      if (na) return x.unary('Neg', x.binary('Mul', na, b));
      return nb ? x.unary('Neg', x.binary('Mul', a, nb)) : undefined;
    case 'Pow':
      return q === 2 ? x.binary('Mul', a, a) : undefined;
    default:
      return undefined;
  }
}
