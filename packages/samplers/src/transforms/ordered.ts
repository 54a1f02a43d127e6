import { type HostTensor, scope } from '@bpc/core';
import { clone, concat, cumsum, exp, slice, type Tensor } from '@tensorflow/tfjs-core';
import type { Parameter } from './parameter.js';
import { checkCount, checkShape, indexOf, noChange, outside, readValue, total } from './support.js';

/** Columns `from` to `to` along the last axis. */
function columns(u: Tensor, from: number, to: number): Tensor {
  const batch = u.shape.slice(0, -1);
  return slice(u, [...batch.map(() => 0), from], [...batch, to - from]);
}

/** The inverse of both: logarithms of differences, and the first number as it is or its logarithm. */
function differences(value: HostTensor, shape: readonly number[], support: string, first: (x: number) => number): Float64Array {
  const x = readValue(value, shape, support);
  const n = shape[shape.length - 1] ?? 1;
  return x.map((current, k) => {
    const u = k % n === 0 ? first(current) : Math.log(current - (x[k - 1] ?? 0));
    if (Number.isFinite(u)) return u;
    const found = k % n === 0 ? `value ${current} at ${indexOf(k, shape)}` : `value ${current} at ${indexOf(k, shape)} after ${x[k - 1]}`;
    throw outside(support, found, `pass strictly increasing ${support === 'ordered' ? '' : 'positive '}numbers along the last axis`);
  });
}

/**
 * A vector of n increasing numbers: x₁ = u₁, x_k = x_{k−1} + exp u_k, with log-Jacobian Σ_{k≥2} u_k.
 *
 * @param n Length of the vector.
 * @param batch Shape in front of it, for several vectors; the value has shape `[...batch, n]`.
 * @throws ConfigError unless `n` is a positive integer and `batch` lists such.
 * @example
 * ```ts
 * import { ordered } from '@bpc/samplers';
 * const cutPoints = ordered(4);
 * ```
 */
export function ordered(n: number, batch: readonly number[] = []): Parameter {
  const shape = [...checkShape(batch, 'ordered(3, [2])'), checkCount('ordered', n, 1)];
  return {
    support: 'ordered',
    shape,
    unconstrainedShape: shape,
    constrain: (u) =>
      scope(() => {
        if (n === 1) return { value: clone(u), logJacobian: noChange() };
        const steps = columns(u, 1, n);
        const axis = shape.length - 1;
        return { value: cumsum(concat([columns(u, 0, 1), exp(steps)], axis), axis), logJacobian: total(steps) };
      }),
    unconstrain: (value) => differences(value, shape, 'ordered', (x) => x),
  };
}

/**
 * A vector of n increasing positive numbers: x_k = Σ_{j≤k} exp u_j, with log-Jacobian Σ u.
 *
 * @param n Length of the vector.
 * @param batch Shape in front of it, for several vectors; the value has shape `[...batch, n]`.
 * @throws ConfigError unless `n` is a positive integer and `batch` lists such.
 * @example
 * ```ts
 * import { positiveOrdered } from '@bpc/samplers';
 * const rates = positiveOrdered(2);
 * ```
 */
export function positiveOrdered(n: number, batch: readonly number[] = []): Parameter {
  const shape = [...checkShape(batch, 'positiveOrdered(3, [2])'), checkCount('positiveOrdered', n, 1)];
  return {
    support: 'positive ordered',
    shape,
    unconstrainedShape: shape,
    constrain: (u) => scope(() => ({ value: cumsum(exp(u), shape.length - 1), logJacobian: total(u) })),
    unconstrain: (value) => differences(value, shape, 'positive ordered', Math.log),
  };
}
