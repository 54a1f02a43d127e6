import { ConfigError, checkInteger } from '@bpc/core';
import { checkPositive } from '../check.js';
import { show } from '../show.js';

/** Options as plain JavaScript may pass them. */
export type Unchecked = Readonly<Record<string, unknown>>;

/** Anything with properties. */
export const isRecord = (value: unknown): value is Unchecked => typeof value === 'object' && value !== null;

/** A whole number, at least `least`. @throws ConfigError naming the option. */
export function integer(options: Unchecked, name: string, byDefault: number, least: number): number {
  const value = options[name] ?? byDefault;
  if (typeof value !== 'number') throw new ConfigError(`${name} is ${show(value)}, expected a number`, `pass a whole number as ${name}`);
  return checkInteger(name, value, least);
}

/** A finite number > 0, or none. @throws ConfigError naming the option. */
export function positive(options: Unchecked, name: string): number | undefined {
  const value = options[name];
  if (value === undefined) return undefined;
  if (typeof value === 'number') return checkPositive(name, value);
  throw new ConfigError(`${name} is ${show(value)}, expected a finite number > 0`, `pass a finite number > 0 as ${name}`);
}

/** @throws ConfigError naming the option, unless it is a function or none. */
export function functionOrNone(options: Unchecked, name: string): void {
  const value = options[name];
  if (value === undefined || typeof value === 'function') return;
  throw new ConfigError(`${name} is ${show(value)}, expected a function`, `pass a function as ${name}, or leave it out`);
}
