import { memory } from '@tensorflow/tfjs-core';
import type { Tree } from '../tree.js';
import { disposeTree } from '../tree.js';

/**
 * Throws if `f` leaves more tensors behind than those of the tree it returns, which are disposed.
 *
 * Runs `f` twice and looks at the second run: caches filled by the first one are no leak.
 *
 * @example
 * ```ts
 * import { add, scalar, tidy } from '@tensorflow/tfjs-core';
 * import { leakCheck } from '@bpc/core/testing';
 * await leakCheck('sum', () => tidy(() => add(scalar(1), 2)));
 * ```
 */
export async function leakCheck(name: string, f: () => Tree | undefined | Promise<Tree | undefined>): Promise<void> {
  disposeTree(await f());
  const before = memory().numTensors;
  disposeTree(await f());
  const left = memory().numTensors - before;
  if (left !== 0) throw new Error(`${name} left ${left} tensors behind, expected none`);
}
