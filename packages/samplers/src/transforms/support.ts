import { ConfigError, type HostTensor, hostArray, isHostTensor, ShapeError } from '@bpc/core';
import { type Scalar, scalar, sum, type Tensor } from '@tensorflow/tfjs-core';
import { show } from '../show.js';

/** Count of numbers in a shape. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** A scalar tensor from a sum over everything. */
export const total = (x: Tensor): Scalar => sum(x);

/** The log-Jacobian of a map that keeps volumes. */
export const noChange = (): Scalar => scalar(0);

/** Throws `ConfigError` unless `shape` lists positive integers; `example` shows how to write it. */
export function checkShape(shape: readonly number[], example: string): readonly number[] {
  if (!Array.isArray(shape) || shape.some((length) => !Number.isSafeInteger(length) || length < 1)) {
    throw new ConfigError(
      `shape is ${Array.isArray(shape) ? `[${shape.map(show).join(', ')}]` : show(shape)}, expected a list of positive integers`,
      `write ${example}`,
    );
  }
  return [...shape];
}

/** Throws `ConfigError` unless `n` is an integer, at least `least`; `name` is the factory's. */
export function checkCount(name: string, n: number, least: number): number {
  if (Number.isSafeInteger(n) && n >= least) return n;
  throw new ConfigError(`${name} got n = ${show(n)}, expected an integer ≥ ${least}`, `write ${name}(${least + 1})`);
}

/** Throws `ConfigError` unless `bound` is a finite number. */
export function checkBound(name: string, bound: number): number {
  if (typeof bound !== 'number' || !Number.isFinite(bound)) {
    throw new ConfigError(`${name} is ${show(bound)}, expected a finite number`, 'use real(), positive() or a one-sided bound instead');
  }
  return bound;
}

/** Index of the `k`-th number of a tensor, as messages write it: `[1,0]`. */
export function indexOf(k: number, shape: readonly number[]): string {
  const index: number[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const length = shape[axis] ?? 1;
    index.unshift(k % length);
    k = Math.floor(k / length);
  }
  return `[${index.join(',')}]`;
}

/** A value that is not on its support. */
export const outside = (support: string, found: string, remedy: string): ConfigError =>
  new ConfigError(`${found} is outside of the support '${support}'`, remedy);

/**
 * The numbers of a host value, in float64, checked for their shape and that they are finite.
 *
 * @throws ShapeError on another shape; ConfigError on NaN and infinities.
 */
export function readValue(value: HostTensor, shape: readonly number[], support: string): Float64Array {
  // Plain JavaScript callers can pass anything.
  if (!isHostTensor(value)) throw new ShapeError(`value is ${show(value)}, expected numbers`, `pass numbers of shape [${shape}]`);
  const { data, shape: found } = hostArray(value);
  if (found.join() !== shape.join()) {
    throw new ShapeError(`value has shape [${found}], expected [${shape}]`, 'pass one number per element of the parameter');
  }
  data.forEach((x, k) => {
    if (Number.isFinite(x)) return;
    const where = shape.length === 0 ? 'value' : `value at ${indexOf(k, shape)}`;
    throw outside(support, `${where}, which is ${x},`, 'pass finite numbers');
  });
  return Float64Array.from(data);
}
