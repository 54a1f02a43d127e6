import { ConfigError } from '@bpc/core';
import type { Draws, Variable } from '../draws.js';
import type { Layout } from './layout.js';
import type { Rows } from './rows.js';

/** Where rows of chains become arrays per variable. */
export interface DrawStore {
  /** Puts rows `from` to `to` of a chunk behind the ones that the chain has. */
  add(chain: number, rows: Rows, from: number, to: number): void;
  /** Everything, of the first `length` draws of each chain. The store's own arrays if none is left out. */
  finish(length: number, rest: Pick<Draws, 'interrupted' | 'provenance'>): Draws;
}

/** A count of numbers as the memory they take. */
const gigabytes = (numbers: number): string => `${((numbers * 8) / 2 ** 30).toFixed(1)} GiB`;

/** Room for `capacity` draws of each of `chains` chains. @throws ConfigError if there is no such room. */
export function drawStore(layout: Layout, statistics: readonly string[], chains: number, capacity: number): DrawStore {
  const numbers = chains * capacity * (layout.size + layout.outputSize + statistics.length);
  const allocate = (width: number): Float64Array => {
    try {
      return new Float64Array(chains * capacity * width);
    } catch (cause) {
      throw new ConfigError(
        `${chains} chains of ${capacity} draws take ${gigabytes(numbers)}, more than there is`,
        'ask for fewer draws, thin them, or iterate over sample(…) instead of collecting',
        { cause },
      );
    }
  };
  const unconstrained = allocate(layout.size);
  const values = layout.variables.map(({ length }) => allocate(length));
  const numbersOf = statistics.map(() => allocate(1));
  const counts = new Int32Array(chains);

  const keep = (array: Float64Array, width: number, length: number): Float64Array => {
    if (length === capacity) return array;
    const kept = new Float64Array(chains * length * width);
    for (let c = 0; c < chains; c++) {
      kept.set(array.subarray(c * capacity * width, (c * capacity + length) * width), c * length * width);
    }
    return kept;
  };

  return {
    add(chain, rows, from, to) {
      const first = chain * capacity + (counts[chain] as number);
      counts[chain] = (counts[chain] as number) + (to - from);
      unconstrained.set(rows.unconstrained.subarray(from * layout.size, to * layout.size), first * layout.size);
      layout.variables.forEach(({ offset, length }, v) => {
        const target = values[v] as Float64Array;
        for (let row = from; row < to; row++) {
          const source = row * layout.outputSize + offset;
          const start = (first + row - from) * length;
          for (let k = 0; k < length; k++) target[start + k] = rows.values[source + k] as number;
        }
      });
      numbersOf.forEach((target, s) => {
        for (let row = from; row < to; row++) target[first + row - from] = rows.statistics[row * statistics.length + s] as number;
      });
    },
    finish(length, rest) {
      const variables = layout.variables.map(({ name, shape, kind }): Variable => ({ name, shape, kind }));
      return {
        chains,
        length,
        variables,
        values: Object.fromEntries(
          layout.variables.map(({ name, length: width }, v) => [name, keep(values[v] as Float64Array, width, length)]),
        ),
        statistics: Object.fromEntries(statistics.map((name, s) => [name, keep(numbersOf[s] as Float64Array, 1, length)])),
        unconstrained: keep(unconstrained, layout.size, length),
        ...rest,
      };
    },
  };
}
