import { ConfigError } from '@bpc/core';
import { show } from './show.js';

// Options come from plain JavaScript, too, so that values are unknown until they are checked.

/** The value, if it is fine. @throws ConfigError naming it and what is expected. */
export function demand<T>(fine: boolean, name: string, value: T, expected: string): T {
  if (fine) return value;
  throw new ConfigError(`${name} is ${show(value)}, expected ${expected}`, `pass ${expected} as ${name}`);
}

/** @throws ConfigError unless `value` is a finite number > 0 (≥ 0 with `zero`). */
export function checkPositive<T>(name: string, value: T, zero = false): T {
  const fine = typeof value === 'number' && Number.isFinite(value) && (zero ? value >= 0 : value > 0);
  return demand(fine, name, value, `a finite number ${zero ? '≥' : '>'} 0`);
}

/** @throws ConfigError unless `value` is in [0, 1], or in [0, 1) without `one`. */
export function checkFraction<T>(name: string, value: T, one: boolean): T {
  const fine = typeof value === 'number' && value >= 0 && (one ? value <= 1 : value < 1);
  return demand(fine, name, value, `a number in [0, 1${one ? ']' : ')'}`);
}

/** @throws ConfigError unless `value` is an integer, at least `least` and at most `most`. */
export function checkWhole<T>(name: string, value: T, least = 1, most = Number.MAX_SAFE_INTEGER): T {
  const fine = typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most;
  return demand(fine, name, value, most === Number.MAX_SAFE_INTEGER ? `an integer ≥ ${least}` : `an integer in [${least}, ${most}]`);
}

/** @throws ConfigError unless `value` is a function. */
export const checkFunction = (name: string, value: unknown): unknown => demand(typeof value === 'function', name, value, 'a function');
