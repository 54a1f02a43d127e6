import { ShapeError, type Tree, treeLeaves, treeUnflatten } from '@bpc/core';
import { tensor } from '@tensorflow/tfjs-core';

/** Writes all numbers of a tree into one vector, leaves in canonical order. */
export async function flatTree(tree: Tree, out: Float64Array): Promise<void> {
  let offset = 0;
  for (const values of await Promise.all(treeLeaves(tree).map((leaf) => leaf.data()))) {
    out.set(values, offset);
    offset += values.length;
  }
}

/** A tree shaped like `like` from one vector, in float32. Fresh tensors, owned by the caller. */
export function treeOfFlat<T extends Tree>(like: T, vector: Float64Array): T {
  let offset = 0;
  const leaves = treeLeaves(like).map(({ shape, size }) => {
    const values = Float32Array.from(vector.subarray(offset, offset + size));
    offset += size;
    return tensor(values, shape, 'float32');
  });
  if (offset !== vector.length) {
    throw new ShapeError(`the tree has ${offset} numbers, expected ${vector.length}`, 'keep the position shaped like the parameters');
  }
  return treeUnflatten(like, leaves);
}
