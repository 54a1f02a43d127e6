import { z } from 'zod';

// The `error` text of each check is the phrase after "expected" in the message a user reads; zod's own wording is never shown.

/** An integer from `min` up. NaN, infinities and text are refused. */
export const integer = (min: number) => {
  const error = `an integer >= ${min}`;
  return z.number({ error }).int({ error }).min(min, { error }).max(Number.MAX_SAFE_INTEGER, { error });
};

/** An integer in `[min, max]`. */
export const integerBetween = (min: number, max: number) => {
  const error = `an integer from ${min} to ${max}`;
  return z.number({ error }).int({ error }).min(min, { error }).max(max, { error });
};

/** A finite number `>= 0`. */
export const nonNegative = () => {
  const error = 'a finite number >= 0';
  return z.number({ error }).min(0, { error });
};

/** A finite number `> 0`. */
export const positive = () => {
  const error = 'a finite number > 0';
  return z.number({ error }).gt(0, { error });
};

/** A number in `[0, 1)`, the domain of a momentum. */
export const fraction = () => {
  const error = 'a number in [0, 1)';
  return z.number({ error }).min(0, { error }).lt(1, { error });
};

/** One of a few words. */
export const choice = <const T extends readonly [string, ...string[]]>(values: T) =>
  z.enum(values, { error: `one of: ${values.join(', ')}` });

/** True or false. */
export const flag = () => z.boolean({ error: 'true or false' });

/** Text that is not empty. */
export const text = () => z.string({ error: 'some text' }).min(1, { error: 'some text' });
