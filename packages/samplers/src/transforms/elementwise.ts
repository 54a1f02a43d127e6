import { ConfigError, constant, type HostTensor, scope } from '@bpc/core';
import { add, clone, exp, mul, neg, sigmoid, softplus, sub, type Tensor } from '@tensorflow/tfjs-core';
import type { Parameter } from './parameter.js';
import { checkBound, checkShape, indexOf, noChange, outside, readValue, total } from './support.js';

/** A map of each number by itself. */
interface ElementMap {
  readonly support: string;
  readonly shape: readonly number[];
  constrain: Parameter['constrain'];
  /** The inverse; NaN outside of the support. */
  inverse(x: number): number;
}

function elementwise({ support, shape, constrain, inverse }: ElementMap): Parameter {
  return {
    support,
    shape,
    unconstrainedShape: shape,
    constrain,
    unconstrain(value: HostTensor) {
      return readValue(value, shape, support).map((x, k) => {
        const u = inverse(x);
        if (Number.isFinite(u)) return u;
        const where = shape.length === 0 ? `value ${x}` : `value ${x} at ${indexOf(k, shape)}`;
        throw outside(support, where, 'pass numbers inside; bounds themselves do not belong to it');
      });
    },
  };
}

/**
 * Any real number: x = u.
 *
 * @param shape Of the value; a scalar unless given.
 * @throws ConfigError if `shape` is no list of positive integers.
 * @example
 * ```ts
 * import { real } from '@bpc/samplers';
 * const parameters = { mu: real(), beta: real([3]) };
 * ```
 */
export function real(shape: readonly number[] = []): Parameter {
  return elementwise({
    support: 'real',
    shape: checkShape(shape, 'real([3])'),
    constrain: (u) => scope(() => ({ value: clone(u), logJacobian: noChange() })),
    inverse: (x) => x,
  });
}

/**
 * Numbers above zero: x = exp u, with log-Jacobian Σ u.
 *
 * @param shape Of the value; a scalar unless given.
 * @throws ConfigError if `shape` is no list of positive integers.
 * @example
 * ```ts
 * import { positive } from '@bpc/samplers';
 * positive().unconstrain(1); // Float64Array [0]
 * ```
 */
export function positive(shape: readonly number[] = []): Parameter {
  return elementwise({
    support: 'positive',
    shape: checkShape(shape, 'positive([3])'),
    constrain: (u) => scope(() => ({ value: exp(u), logJacobian: total(u) })),
    inverse: Math.log,
  });
}

/**
 * Numbers above `low`: x = low + exp u, with log-Jacobian Σ u.
 *
 * @param shape Of the value; a scalar unless given.
 * @throws ConfigError if `low` is not finite or `shape` is no list of positive integers.
 * @example
 * ```ts
 * import { lowerBounded } from '@bpc/samplers';
 * const degreesOfFreedom = lowerBounded(2);
 * ```
 */
export function lowerBounded(low: number, shape: readonly number[] = []): Parameter {
  checkBound('low', low);
  return elementwise({
    support: `above ${low}`,
    shape: checkShape(shape, 'lowerBounded(low, [3])'),
    constrain: (u) => scope(() => ({ value: add(exp(u), constant(low)), logJacobian: total(u) })),
    inverse: (x) => Math.log(x - low),
  });
}

/**
 * Numbers below `high`: x = high − exp u, with log-Jacobian Σ u.
 *
 * @param shape Of the value; a scalar unless given.
 * @throws ConfigError if `high` is not finite or `shape` is no list of positive integers.
 * @example
 * ```ts
 * import { upperBounded } from '@bpc/samplers';
 * const loss = upperBounded(0);
 * ```
 */
export function upperBounded(high: number, shape: readonly number[] = []): Parameter {
  checkBound('high', high);
  return elementwise({
    support: `below ${high}`,
    shape: checkShape(shape, 'upperBounded(high, [3])'),
    constrain: (u) => scope(() => ({ value: sub(constant(high), exp(u)), logJacobian: total(u) })),
    inverse: (x) => Math.log(high - x),
  });
}

/** Σ log σ(u)σ(−u), which neither overflows nor cancels for any u. */
const logSlope = (u: Tensor): Tensor => neg(add(softplus(u), softplus(neg(u))));

/**
 * Numbers between two bounds: x = low + (high − low)·σ(u), σ the logistic function, with log-Jacobian
 * Σ [log(high − low) + log σ(u) + log σ(−u)].
 *
 * Measured from the bound that is nearer to zero, so that values next to a bound of zero keep all their digits.
 *
 * @param shape Of the value; a scalar unless given.
 * @throws ConfigError unless `low < high` are finite, or if `shape` is no list of positive integers.
 * @example
 * ```ts
 * import { interval } from '@bpc/samplers';
 * const parameters = { probability: interval(0, 1), correlation: interval(-1, 1, [4]) };
 * ```
 */
export function interval(low: number, high: number, shape: readonly number[] = []): Parameter {
  checkBound('low', low);
  checkBound('high', high);
  const width = high - low;
  if (!(width > 0) || !Number.isFinite(width)) {
    throw new ConfigError(`the interval is (${low}, ${high}), expected low < high`, 'pass the lower bound first');
  }
  const checked = checkShape(shape, 'interval(low, high, [3])');
  const fromLow = Math.abs(low) <= Math.abs(high);
  return elementwise({
    support: `interval(${low}, ${high})`,
    shape: checked,
    constrain: (u) =>
      scope(() => ({
        value: fromLow ? add(mul(sigmoid(u), constant(width)), constant(low)) : sub(constant(high), mul(sigmoid(neg(u)), constant(width))),
        logJacobian: total(add(logSlope(u), constant(Math.log(width)))),
      })),
    inverse: (x) => Math.log(x - low) - Math.log(high - x),
  });
}
