import { CheckpointError } from '@bpc/core';
import type { Draws, Variable } from '../draws.js';

/** Numbers of a block of draws with the shape they are stored under. */
export interface StoredArray {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** All of a block of draws that is not numbers; JSON. */
export interface DrawsRecord {
  readonly chains: number;
  readonly length: number;
  readonly variables: readonly Variable[];
  /** Names, in order. */
  readonly statistics: readonly string[];
  readonly interrupted: boolean;
  readonly provenance: Readonly<Record<string, unknown>>;
}

export const FORMAT = 'bpc-draws';
export const VERSION = 1;

const REMEDY = 'use a file that toJson or toSafetensors wrote, and copy it again if it may be damaged';

/** Says that a file holds no draws. */
export const badDraws = (problem: string, cause?: unknown): CheckpointError => new CheckpointError(problem, REMEDY, { cause });

/** The record of a block of draws. */
export const recordOf = ({ chains, length, variables, statistics, interrupted, provenance }: Draws): DrawsRecord => ({
  chains,
  length,
  variables,
  statistics: Object.keys(statistics),
  interrupted,
  provenance,
});

/** Its arrays: `values/<name>`, `statistics/<name>` and `unconstrained`. */
export function arraysOf({ chains, length, variables, values, statistics, unconstrained }: Draws): [string, StoredArray][] {
  const width = chains * length === 0 ? 0 : unconstrained.length / (chains * length);
  return [
    ...variables.map(({ name, shape }): [string, StoredArray] => [
      `values/${name}`,
      { shape: [chains, length, ...shape], data: values[name] ?? new Float64Array(0) },
    ]),
    ...Object.entries(statistics).map(([name, data]): [string, StoredArray] => [`statistics/${name}`, { shape: [chains, length], data }]),
    ['unconstrained', { shape: [chains, length, width], data: unconstrained }],
  ];
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
const isVariable = (value: unknown): value is Variable =>
  isObject(value) &&
  typeof value['name'] === 'string' &&
  Array.isArray(value['shape']) &&
  value['shape'].every(isCount) &&
  (value['kind'] === 'parameter' || value['kind'] === 'derived');

/** A record as it was written. @throws CheckpointError on anything else. */
export function parseRecord(value: unknown): DrawsRecord {
  if (!isObject(value)) throw badDraws('the record of the draws is no JSON object');
  const { chains, length, variables, statistics, interrupted, provenance } = value;
  if (!isCount(chains) || !isCount(length)) throw badDraws(`chains is ${String(chains)} and length ${String(length)}, expected counts`);
  if (!Array.isArray(variables) || !variables.every(isVariable)) throw badDraws('variables is no list of { name, shape, kind }');
  if (!Array.isArray(statistics) || !statistics.every((name) => typeof name === 'string')) throw badDraws('statistics is no list of names');
  if (typeof interrupted !== 'boolean') throw badDraws(`interrupted is ${String(interrupted)}, expected true or false`);
  if (!isObject(provenance)) throw badDraws('provenance is no JSON object');
  return { chains, length, variables, statistics, interrupted, provenance };
}

/** Draws from their record and arrays. @throws CheckpointError if an array is missing or has another shape. */
export function drawsOf(record: DrawsRecord, array: (name: string) => StoredArray | undefined, warmup?: Draws): Draws {
  const { chains, length, variables, statistics, interrupted, provenance } = record;
  const read = (name: string, shape: readonly number[]): Float64Array => {
    const stored = array(name);
    if (stored === undefined) throw badDraws(`'${name}' is missing`);
    // Lists without entries do not tell what shape they would have had.
    const empty = stored.data.length === 0 && shape.includes(0);
    if (!empty && (stored.shape.length !== shape.length || stored.shape.some((size, axis) => size !== shape[axis]))) {
      throw badDraws(`'${name}' has shape [${stored.shape}], expected [${shape}]`);
    }
    return stored.data;
  };
  const block = [chains, length];
  const unconstrained = array('unconstrained');
  if (unconstrained?.shape.length !== 3 || unconstrained.shape[0] !== chains || unconstrained.shape[1] !== length) {
    throw badDraws(`'unconstrained' has shape [${unconstrained?.shape ?? 'none'}], expected [${chains},${length},size]`);
  }
  return {
    chains,
    length,
    variables,
    values: Object.fromEntries(variables.map(({ name, shape }) => [name, read(`values/${name}`, [...block, ...shape])])),
    statistics: Object.fromEntries(statistics.map((name) => [name, read(`statistics/${name}`, block)])),
    unconstrained: unconstrained.data,
    ...(warmup === undefined ? {} : { warmup }),
    interrupted,
    provenance,
  };
}
