import type { Unary } from '../../ir/index.js';
import type { Expression, Expressions } from './expression.js';

/** z of an expression 1 + exp(z) or exp(z) + 1. */
function onePlusExp(e: Expression): Expression | undefined {
  const [a, b] = e.args;
  if (e.op !== 'Add' || !a || !b) return undefined;
  const isOne = (term: Expression) => term.op === 'number' && Number(term.text) === 1;
  return isOne(a) && b.op === 'Exp' ? b.args[0] : isOne(b) && a.op === 'Exp' ? a.args[0] : undefined;
}

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

/** log(1 + exp(z)) and log1p(exp(z)), infinite from z = 710 as written, become softplus. */
export function stableLog(x: Expressions, op: Unary, a: Expression): Expression | undefined {
  const z = op === 'Log' ? onePlusExp(a) : op === 'Log1p' && a.op === 'Exp' ? a.args[0] : undefined;
  return z ? softplusOf(x, z) : undefined;
}

/** exp(z)/(1 + exp(z)), NaN from z = 710 as written, becomes sigmoid. */
export function stableQuotient(x: Expressions, a: Expression, b: Expression): Expression | undefined {
  const z = onePlusExp(b);
  return z && a.op === 'Exp' && a.args[0] === z ? sigmoidOf(x, z) : undefined;
}

/** a/(1 + exp(z))·exp(z), what the derivative of log(1 + exp(z)) looks like, becomes a·sigmoid(z). */
export function logisticProduct(x: Expressions, quotient: Expression, exponential: Expression): Expression | undefined {
  const z = exponential.args[0];
  if (exponential.op !== 'Exp' || !z) return undefined;
  const [a, b] = quotient.args;
  if (quotient.op === 'Div' && a && b && onePlusExp(b) === z) return x.binary('Mul', a, sigmoidOf(x, z));
  if (quotient.op === 'Neg' && a) {
    const inner = logisticProduct(x, a, exponential);
    return inner && x.unary('Neg', inner);
  }
  // The quotient may stand among other factors.
  if (quotient.op !== 'Mul' || !a || !b) return undefined;
  const left = logisticProduct(x, a, exponential);
  if (left) return x.binary('Mul', left, b);
  const right = logisticProduct(x, b, exponential);
  return right && x.binary('Mul', a, right);
}
