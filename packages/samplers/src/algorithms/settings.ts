import { constant, isTensor, type Schedule, ShapeError, type Tree, treeEntries } from '@bpc/core';
import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import { add, cast, clone, scalar } from '@tensorflow/tfjs-core';
import { checkPositive } from '../check.js';

/**
 * What every sampler here leaves invariant: the density ∝ exp(log p(θ; data)/T).
 *
 * A method, so that an author may give `data` the type that he passes to `step`.
 */
export interface LogDensityOptions<P extends Tree> {
  /** log p(θ; data) in nats, up to a constant: a scalar. Pure and synchronous; it is differentiated. */
  logDensity(params: P, data?: Tree): Tensor;
}

/**
 * A number, a scalar tensor, or a function of the step. Of tensors and schedules the values are not checked.
 *
 * A number is frozen into a compiled program, and so is a tensor that the program captures.
 */
export type Setting = number | Scalar | Schedule;

const isScalar = (value: unknown): boolean => isTensor(value) && value.shape.length === 0;

/** Throws `ConfigError` unless `value` is a finite number > 0 (≥ 0 with `zero`), or a scalar tensor. */
export function checkPositiveScalar(name: string, value: unknown, zero = false): void {
  if (!isScalar(value)) checkPositive(name, value, zero);
}

/** The same for a setting. */
export function checkSetting(name: string, value: unknown, zero = false): void {
  if (typeof value !== 'function') checkPositiveScalar(name, value, zero);
}

/** Throws `ShapeError` unless every leaf can move: float32, and at least one. */
export function checkPosition(position: Tree): void {
  const entries = treeEntries(position);
  if (entries.length === 0) throw new ShapeError('the position has no tensors', 'pass a tree with at least one tensor');
  for (const [path, { dtype }] of entries) {
    if (dtype === 'float32') continue;
    const where = path === '' ? '' : ` at '${path}'`;
    throw new ShapeError(`the position is ${dtype}${where}, expected float32`, 'sample real parameters; pass integers as data');
  }
}

/** log p as a function of the position alone. It throws ShapeError, naming `logDensity`, unless the result is a scalar. */
export const densityOf =
  <P extends Tree>({ logDensity }: LogDensityOptions<P>, data: Tree | undefined) =>
  (params: P): Tensor => {
    const value = logDensity(params, data);
    // What is no tensor at all is refused where it is differentiated.
    if (!isTensor(value) || value.shape.length === 0) return value;
    throw new ShapeError(`logDensity returned shape [${value.shape}], expected a scalar`, 'add up its terms: return sum(terms)');
  };

/** A setting as a tensor, in the target's precision: what is computed from it in a program is not rounded to float32. */
export const tensorOf = (value: number | Scalar): Scalar => (typeof value === 'number' ? (constant(value) as Scalar) : value);

/** The value of a setting at step t, an int32 scalar counted from 0. */
export const settingAt = (setting: Setting, step: Scalar): Scalar =>
  typeof setting === 'function' ? setting(cast(step, 'float32')) : tensorOf(setting);

/** t = 0. int32, which counts further than float32. Fresh. */
export const firstStep = (): Scalar => scalar(0, 'int32');

/** t + 1. Fresh. */
export const nextStep = (step: Scalar): Scalar => add(step, scalar(1, 'int32'));

/** A tensor of its own, for a result that must share none. */
export const fresh = (value: Scalar): Scalar => clone(value);
