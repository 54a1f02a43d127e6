import type { TensorContainer } from '@tensorflow/tfjs-core';
import { clone, keep, tidy } from '@tensorflow/tfjs-core';
import { ConfigError } from './errors.js';
import type { Tree } from './tree.js';
import { treeLeaves, treeMap } from './tree.js';

/**
 * Runs `f` and disposes every tensor it made except those it returns: `tidy` for trees.
 *
 * Tensors made outside are untouched. The returned ones belong to the caller (or to the enclosing scope).
 *
 * @throws ConfigError if `f` returns a promise: what is still in use after an `await` would be disposed.
 * @example
 * ```ts
 * import { add, scalar } from '@tensorflow/tfjs-core';
 * import { scope } from '@bpc/core';
 * const state = scope(() => ({ position: add(scalar(1), 2) }));
 * ```
 */
export function scope<R extends Tree | readonly [Tree, Tree] | undefined>(f: () => R): R {
  // Tree and tfjs' TensorContainer describe the same values, but theirs has no readonly members.
  return tidy(() => {
    const result = f();
    if (result instanceof Promise) {
      throw new ConfigError('the function given to scope returned a promise', 'await outside of scope, and do tensor work inside');
    }
    return result as unknown as TensorContainer;
  }) as unknown as R;
}

/** Protects the tensors of a tree from every enclosing scope. Dispose them by hand (`disposeTree`). */
export function keepTree<T extends Tree>(tree: T): T {
  for (const leaf of treeLeaves(tree)) keep(leaf);
  return tree;
}

/** Fresh tensors with the same values, owned by the caller. */
export function cloneTree<T extends Tree>(tree: T): T {
  return treeMap((leaf) => clone(leaf), tree);
}
