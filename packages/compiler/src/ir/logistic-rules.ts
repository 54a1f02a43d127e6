import type { Builder } from './builder.js';
import { scalar, uniformValue } from './constant.js';
import { binary, unary } from './elementwise.js';
import type { Binary, Node, Unary } from './node.js';
import { item } from './shape.js';

/** z of 1 + exp(z). */
function onePlusExp(x: Node): Node | undefined {
  const [a, b] = x.inputs;
  if (x.op !== 'Add' || !a || !b) return undefined;
  const exponential = uniformValue(a) === 1 ? b : uniformValue(b) === 1 ? a : undefined;
  return exponential?.op === 'Exp' ? item(exponential.inputs, 0) : undefined;
}

const sigmoid = (g: Builder, z: Node): Node => unary(g, 'Sigmoid', z);

/** log(1 + exp(z)) = log1p(exp(z)) = softplus(z): as written it is infinite from z = 710 (float32: 89). */
export function logisticUnary(g: Builder, op: Unary, x: Node): Node | undefined {
  const z = op === 'Log' ? onePlusExp(x) : op === 'Log1p' && x.op === 'Exp' ? item(x.inputs, 0) : undefined;
  return z && unary(g, 'Softplus', z);
}

/** exp(z)/(1 + exp(z)) = sigmoid(z), and a/(1 + exp(z))·exp(z) = a·sigmoid(z): as written they are NaN from z = 710. */
export function logisticBinary(g: Builder, op: Binary, a: Node, b: Node): Node | undefined {
  if (op === 'Div' && a.op === 'Exp' && onePlusExp(b) === a.inputs[0]) return sigmoid(g, item(a.inputs, 0));
  if (op !== 'Mul') return undefined;
  return (
    (b.op === 'Exp' ? timesExp(g, a, item(b.inputs, 0), 3) : undefined) ??
    (a.op === 'Exp' ? timesExp(g, b, item(a.inputs, 0), 3) : undefined)
  );
}

/** x of −x. */
function negated(x: Node): Node | undefined {
  const [a, b] = x.inputs;
  if (x.op === 'Neg') return a;
  if (x.op !== 'Mul' || !a || !b) return undefined;
  return uniformValue(a) === -1 ? b : uniformValue(b) === -1 ? a : undefined;
}

/** x·exp(z) for an x that holds 1/(1 + exp(z)) = sigmoid(−z), once or squared, among at most `depth` nested factors. */
function timesExp(g: Builder, x: Node, z: Node, depth: number): Node | undefined {
  const argument = x.op === 'Sigmoid' ? x.inputs[0] : undefined;
  if (argument && (negated(argument) === z || negated(z) === argument)) return sigmoid(g, z);
  const divisor = x.op === 'Reciprocal' ? x.inputs[0] : x.op === 'Div' ? x.inputs[1] : undefined;
  if (divisor) {
    const share =
      onePlusExp(divisor) === z
        ? sigmoid(g, z)
        : // the derivative of 1/(1 + exp(z)): sigmoid(z)·sigmoid(−z)
          isSquare(divisor) && onePlusExp(item(divisor.inputs, 0)) === z
          ? binary(g, 'Mul', sigmoid(g, z), sigmoid(g, binary(g, 'Mul', z, scalar(g, -1))))
          : undefined;
    return share && (x.op === 'Reciprocal' ? share : binary(g, 'Mul', item(x.inputs, 0), share));
  }
  const [p, q] = x.inputs;
  if (x.op !== 'Mul' || depth === 0 || !p || !q) return undefined;
  const left = timesExp(g, p, z, depth - 1);
  if (left) return binary(g, 'Mul', left, q);
  const right = timesExp(g, q, z, depth - 1);
  return right && binary(g, 'Mul', p, right);
}

const isSquare = (x: Node): boolean => x.op === 'Mul' && x.inputs[0] === x.inputs[1];
