import { CheckpointError, type Tree, treeEntries, treeUnflatten } from '@bpc/core';
import { tensor } from '@tensorflow/tfjs-core';
import type { SavedArray, SavedChain } from './chain.js';

const STATE = 'state/';

const damaged = (name: string): CheckpointError =>
  new CheckpointError(
    `the saved chain has no '${name}' as this algorithm needs it`,
    'resume with the algorithm that saved it, or choose another name',
  );

/** Numbers that a chain saved under a name. @throws CheckpointError if there are none. */
export function savedNumbers(saved: SavedChain, name: string): Float64Array {
  const array = saved.arrays[name];
  if (array instanceof Float64Array) return array;
  throw damaged(name);
}

/** Float64 arrays whose names start with `prefix`, without it. */
export const savedUnder = (prefix: string, { arrays }: SavedChain): Record<string, Float64Array> =>
  Object.fromEntries(
    Object.entries(arrays).flatMap(([name, array]) =>
      name.startsWith(prefix) && array instanceof Float64Array ? [[name.slice(prefix.length), array] as const] : [],
    ),
  );

/** The leaves of a tensor state as arrays of their own. */
export async function stateArrays(state: Tree): Promise<Record<string, SavedArray>> {
  const entries = await Promise.all(
    treeEntries(state).map(async ([path, leaf]) => {
      const values = await leaf.data();
      return [STATE + path, values instanceof Float32Array ? values.slice() : Int32Array.from(values)] as const;
    }),
  );
  return Object.fromEntries(entries);
}

/** The state that `stateArrays` saved, shaped like `like`. Fresh tensors. @throws CheckpointError if it is of another shape. */
export function stateFromArrays<T extends Tree>(like: T, saved: SavedChain): T {
  const found = treeEntries(like).map(([path, leaf]) => {
    const values = saved.arrays[STATE + path];
    if (values === undefined || values.length !== leaf.size || values instanceof Float32Array !== (leaf.dtype === 'float32')) {
      throw damaged(STATE + path);
    }
    return { values, leaf };
  });
  return treeUnflatten(
    like,
    found.map(({ values, leaf }) => tensor(values.slice(), leaf.shape, leaf.dtype)),
  );
}
