import type { Expression, Expressions } from './expression.js';

/** exp(−|z|), which never overflows and which softplus and sigmoid of one z share. */
const decay = (x: Expressions, z: Expression): Expression => x.unary('Exp', x.unary('Neg', x.unary('Abs', z)));

/** 1/(1 + e⁻ᶻ) from one exponential: r = 1/(1 + t) where z ≥ 0, else t·r, with t = e^(−|z|). */
export function sigmoidOf(x: Expressions, z: Expression): Expression {
  const t = decay(x, z);
  return x.apply('Gate', [z, t, x.binary('Div', x.number(1), x.binary('Add', x.number(1), t))]);
}

/** log(1 + eᶻ) = max(z, 0) + log1p(e^(−|z|)). */
export const softplusOf = (x: Expressions, z: Expression): Expression =>
  x.binary('Add', x.apply('Positive', [z]), x.apply('Log1p', [decay(x, z)]));
