import { type Builder, binary, type Compare, compare, type Node, scalar, select, unary } from '../../ir/index.js';

const SELU_SCALE = 1.0507009873554805;
const SELU_ALPHA = 1.6732632423543772;

/** `a` where x compares with the bound, else `b`. */
export const where = (g: Builder, op: Compare, x: Node, bound: number, a: Node, b: Node): Node =>
  select(g, compare(g, op, x, scalar(g, bound, x.dtype)), a, b);

export const clip = (g: Builder, x: Node, low: number, high: number): Node =>
  binary(g, 'Minimum', binary(g, 'Maximum', x, scalar(g, low, x.dtype)), scalar(g, high, x.dtype));

/** x where x ≥ 0, else α·x. */
export const leaky = (g: Builder, x: Node, alpha: Node): Node => where(g, 'Less', x, 0, binary(g, 'Mul', x, alpha), x);

// Of the negative part only: expm1 of a large positive number is infinite, and both sides are evaluated.
const negativeExpm1 = (g: Builder, x: Node): Node => unary(g, 'Expm1', binary(g, 'Minimum', x, scalar(g, 0)));

export const elu = (g: Builder, x: Node): Node => where(g, 'GreaterEqual', x, 0, x, negativeExpm1(g, x));

export const selu = (g: Builder, x: Node): Node =>
  binary(g, 'Mul', scalar(g, SELU_SCALE), where(g, 'GreaterEqual', x, 0, x, binary(g, 'Mul', scalar(g, SELU_ALPHA), negativeExpm1(g, x))));

/** The operands and attributes that tfjs's fused kernels have in common. */
export type FusedOperands = { readonly bias?: Node; readonly preluActivationWeights?: Node };
export type FusedAttributes = { readonly activation?: string; readonly leakyreluAlpha?: number };

/** activation(x + bias), which fused kernels do last. */
export function finish(g: Builder, x: Node, { bias, preluActivationWeights }: FusedOperands, attributes: FusedAttributes): Node {
  const biased = bias ? binary(g, 'Add', x, bias) : x;
  switch (attributes.activation ?? 'linear') {
    case 'linear':
      return biased;
    case 'relu':
      return unary(g, 'Relu', biased);
    case 'relu6':
      return clip(g, biased, 0, 6);
    case 'elu':
      return elu(g, biased);
    case 'sigmoid':
      return unary(g, 'Sigmoid', biased);
    case 'leakyrelu':
      return leaky(g, biased, scalar(g, attributes.leakyreluAlpha ?? 0.2));
    case 'prelu':
      if (preluActivationWeights) return leaky(g, biased, preluActivationWeights);
      break;
  }
  throw new RangeError(`a fused kernel has no activation '${attributes.activation}'`);
}
