import { ConfigError } from './errors.js';

/** Throws `ConfigError` unless `value` is a finite number in `[low, high)`; `high` itself is allowed when infinite. */
export function checkRange(name: string, value: number, low = 0, high = Number.POSITIVE_INFINITY): number {
  if (!Number.isFinite(value) || value < low || value >= high) {
    const expected = high === Number.POSITIVE_INFINITY ? `a finite number ≥ ${low}` : `a number in [${low}, ${high})`;
    throw new ConfigError(`${name} is ${String(value)}, expected ${expected}`, `pass ${expected} as ${name}`);
  }
  return value;
}

/** Throws `ConfigError` unless `value` is an integer, at least `least`. */
export function checkInteger(name: string, value: number, least: number): number {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new ConfigError(`${name} is ${String(value)}, expected an integer ≥ ${least}`, `pass a whole number as ${name}`);
  }
  return value;
}
