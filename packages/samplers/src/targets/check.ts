import { ConfigError, ShapeError } from '@bpc/core';

/** @throws ShapeError unless `values` has `size` numbers; ConfigError unless all are finite (and > 0 with `positive`). */
export function checkNumbers(name: string, values: ArrayLike<number>, size: number, positive = false): void {
  if (values.length !== size)
    throw new ShapeError(`${name} has ${values.length} numbers, expected ${size}`, `pass ${size} numbers as ${name}`);
  const bad = Array.from(values).findIndex((value) => !Number.isFinite(value) || (positive && value <= 0));
  if (bad < 0) return;
  const expected = positive ? 'a finite number > 0' : 'a finite number';
  throw new ConfigError(`${name}[${bad}] is ${String(values[bad])}, expected ${expected}`, `pass ${expected}s as ${name}`);
}
