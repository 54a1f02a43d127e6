import { ConfigError, type HostTensor, isHostTensor } from '@bpc/core';

/** The contents of a `data.json`. */
export type PosteriorData = Readonly<Record<string, unknown>>;

function field(data: PosteriorData, name: string): HostTensor {
  const value = data[name];
  // What is inside a list is checked by whoever takes it for numbers.
  if (value !== null && isHostTensor(value as HostTensor)) return value as HostTensor;
  throw new ConfigError(`the data have no numbers '${name}'`, "pass the contents of the posterior's data.json");
}

/** A list of numbers. @throws ConfigError if there is none. */
export function column(data: PosteriorData, name: string): number[] {
  const value = field(data, name);
  if (Array.isArray(value) && value.every((x) => typeof x === 'number')) return value;
  throw new ConfigError(`'${name}' is no list of numbers`, "pass the contents of the posterior's data.json");
}

/** Rows of numbers. @throws ConfigError if there are none. */
export function rows(data: PosteriorData, name: string): number[][] {
  const value = field(data, name);
  if (Array.isArray(value) && value.every((row) => Array.isArray(row))) return value.map((_, i) => column({ row: value[i] }, 'row'));
  throw new ConfigError(`'${name}' is no list of rows`, "pass the contents of the posterior's data.json");
}

/** One number. @throws ConfigError if there is none. */
export function number(data: PosteriorData, name: string): number {
  const value = field(data, name);
  if (typeof value === 'number') return value;
  throw new ConfigError(`'${name}' is no number`, "pass the contents of the posterior's data.json");
}
