import { ConfigError } from '../errors.js';

/** Throws `ConfigError` unless `value` is a finite number in `[low, high)`; `high` itself is allowed when infinite. */
export function checkRange(name: string, value: number, low = 0, high = Number.POSITIVE_INFINITY): number {
  if (!Number.isFinite(value) || value < low || value >= high) {
    const expected = high === Number.POSITIVE_INFINITY ? `a finite number ≥ ${low}` : `a number in [${low}, ${high})`;
    throw new ConfigError(`${name} is ${String(value)}, expected ${expected}`, `pass ${expected} as ${name}`);
  }
  return value;
}
