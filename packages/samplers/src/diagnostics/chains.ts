import { ConfigError, ShapeError } from '@bpc/core';
import { show } from '../show.js';

/** Chains of equal length, one after the other, as diagnostics compute on them. */
export interface ChainTable {
  readonly values: Float64Array;
  /** Rows. */
  readonly chains: number;
  /** Draws per chain. */
  readonly length: number;
}

/** Why no diagnostic of some chains has a value. */
export type Flaw = 'too few draws' | 'not finite' | 'constant';

/** Splitting in halves leaves two draws of each: fewer have no variance. */
const LEAST_DRAWS = 4;

/**
 * All chains in one table.
 *
 * @throws ConfigError for what are no arrays of draws; ShapeError if there are none or their lengths differ.
 */
export function tableOf(chains: readonly Float64Array[]): ChainTable {
  const given: unknown = chains;
  if (!Array.isArray(given) || !given.every((chain: unknown) => Array.isArray(chain) || ArrayBuffer.isView(chain))) {
    throw new ConfigError(
      `chains is ${show(chains)}, expected one array of draws per chain`,
      'pass chains of one quantity: series(draws)[0].chains; summary(draws) covers all of them',
    );
  }
  const [first] = chains;
  if (first === undefined) throw new ShapeError('chains is empty, expected one array of draws per chain', 'pass at least one chain');
  const { length } = first;
  const odd = chains.findIndex((chain) => chain.length !== length);
  if (odd >= 0) {
    throw new ShapeError(
      `chain ${odd} has ${chains[odd]?.length} draws and chain 0 has ${length}: chains must have the same length`,
      'cut all chains to the length of the shortest',
    );
  }
  const values = new Float64Array(chains.length * length);
  chains.forEach((chain, c) => {
    values.set(chain, c * length);
  });
  return { values, chains: chains.length, length };
}

/** What keeps diagnostics of these chains from having a value, if anything does. */
export function flawOf({ values, length }: ChainTable): Flaw | undefined {
  if (length < LEAST_DRAWS) return 'too few draws';
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return 'not finite';
  return isConstant(values) ? 'constant' : undefined;
}

/** Whether all values are the same. */
export function isConstant(values: Float64Array): boolean {
  const [first] = values;
  return values.every((value) => value === first);
}

/** First and last ⌊n/2⌋ draws of every chain as chains of their own: a trend within a chain then shows as a difference of chains. */
export function splitChains({ values, chains, length }: ChainTable): ChainTable {
  const half = length >> 1;
  const split = new Float64Array(2 * chains * half);
  for (let c = 0; c < chains; c++) {
    split.set(values.subarray(c * length, c * length + half), 2 * c * half);
    split.set(values.subarray((c + 1) * length - half, (c + 1) * length), (2 * c + 1) * half);
  }
  return { values: split, chains: 2 * chains, length: half };
}

/** Squared distances of the draws from `centre`. */
export function squaredDeviations(table: ChainTable, centre: number): ChainTable {
  const values = new Float64Array(table.values.length);
  for (let i = 0; i < values.length; i++) values[i] = ((table.values[i] as number) - centre) ** 2;
  return { ...table, values };
}

/** 1 where a draw is at most `level`, 0 elsewhere. */
export function atMost(table: ChainTable, level: number): ChainTable {
  const values = new Float64Array(table.values.length);
  for (let i = 0; i < values.length; i++) values[i] = (table.values[i] as number) <= level ? 1 : 0;
  return { ...table, values };
}

/** Mean and mean squared deviation from it (divided by n), by two passes; exact for values that are all the same. */
export function momentsOf(values: Float64Array): { readonly mean: number; readonly variance: number } {
  const [first = Number.NaN] = values;
  const origin = Number.isFinite(first) ? first : 0;
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i] as number) - origin;
  const mean = origin + sum / values.length;
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += ((values[i] as number) - mean) ** 2;
  return { mean, variance: squares / values.length };
}
