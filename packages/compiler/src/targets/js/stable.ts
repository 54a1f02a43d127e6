import { item } from '../../ir/shape.js';
import type { Expression, Expressions } from './expression.js';

/** exp(−|z|), which never overflows and which softplus and sigmoid of one z share. */
const decay = (x: Expressions, z: Expression): Expression => x.unary('Exp', x.unary('Neg', x.unary('Abs', z)));

/** 1/(1 + e⁻ᶻ) from one exponential, t = e^(−|z|): 1/(1 + t) where z ≥ 0, else t/(1 + t). */
export function sigmoidOf(x: Expressions, z: Expression): Expression {
  const t = decay(x, z);
  return x.binary('Div', x.apply('Gate', [z, t]), x.binary('Add', x.number(1), t));
}

/** log(1 + eᶻ) = max(z, 0) + log1p(e^(−|z|)). */
export const softplusOf = (x: Expressions, z: Expression): Expression =>
  x.binary('Add', x.apply('Positive', [z]), x.apply('Log1p', [decay(x, z)]));

/** Whether an expression is −|z|. */
export const isNonPositive = ({ op, args: [x] }: Expression): boolean => op === 'Neg' && x?.op === 'Abs';

/** Whether an expression is e^(−|z|), from 0 to 1. */
export const isFraction = ({ op, args: [x] }: Expression): boolean => op === 'Exp' && x !== undefined && isNonPositive(x);

/** rest + Σ log1p(added) − Σ log1p(subtracted) */
export type LogSplit = { readonly rest: Expression; readonly added: readonly Expression[]; readonly subtracted: readonly Expression[] };

/** A sum or difference without its terms ±log1p(t), 0 ≤ t ≤ 1, that change in a loop. */
export function withoutLogs(x: Expressions, e: Expression): LogSplit {
  const found: Record<'added' | 'subtracted', Expression[]> = { added: [], subtracted: [] };
  // As deep as an element is inlined, which the plan limits: scalars of the whole program stay as they are.
  const restOf = (each: Expression, sign: keyof typeof found): Expression => {
    const other = sign === 'added' ? 'subtracted' : 'added';
    const { op, args, depth } = each;
    if (depth === 0) return each;
    if (op === 'Add') return x.binary('Add', restOf(item(args, 0), sign), restOf(item(args, 1), sign));
    if (op === 'Sub') return x.binary('Sub', restOf(item(args, 0), sign), restOf(item(args, 1), other));
    if (op === 'Neg') return x.unary('Neg', restOf(item(args, 0), other));
    if (op !== 'Log1p' || !isFraction(item(args, 0))) return each;
    found[sign].push(item(args, 0));
    return x.number(0);
  };
  return { rest: restOf(e, 'added'), ...found };
}
