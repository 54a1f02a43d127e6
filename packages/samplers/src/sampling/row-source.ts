import { type HostTree, keyFromString, type Tree } from '@bpc/core';
import { chainKeys } from './chain-keys.js';
import { chooseRows, countRows, gatherRows } from './minibatch.js';
import type { Settings } from './settings.js';

/** Where a chain's mini-batches come from: the rows of a block of transitions, or none if it sees all data. Fresh tensors. */
export function rowSource(
  data: HostTree | undefined,
  { minibatch, key }: Settings,
  chain: number,
): (first: number, length: number) => Tree | undefined {
  if (minibatch === undefined || data === undefined) return () => undefined;
  const { size } = minibatch;
  const count = countRows(data, size);
  const keys = chainKeys(keyFromString(key), chain);
  return (first, length) => {
    const rows = new Int32Array(length * size);
    for (let i = 0; i < length; i++) chooseRows(keys.rows(first + i), count, size, rows, i * size);
    return gatherRows(data, rows, length);
  };
}
