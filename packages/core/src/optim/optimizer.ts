import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import { add } from '@tensorflow/tfjs-core';
import type { Tree } from '../tree.js';
import { treeMap } from '../tree.js';

/**
 * A gradient transformation (the pair of optax): pure functions over trees, so that `update` can be compiled and the
 * state checkpointed.
 *
 * `init` returns fresh tensors. `update` borrows its arguments and returns fresh tensors; run it inside a program or a
 * `tidy`. Updates are *added* to the parameters: `params ← params + updates` (`applyUpdates`).
 */
export interface Optimizer<State extends Tree = Tree> {
  init(params: Tree): State;
  update<P extends Tree>(grads: P, state: State, params: P): { readonly updates: P; readonly state: State };
}

/** A learning rate (or any coefficient) as a function of the step, a float32 scalar tensor counted from 0. */
export type Schedule = (step: Scalar) => Scalar;

/** `params + updates`, leaf by leaf; fresh tensors. */
export function applyUpdates<P extends Tree>(params: P, updates: P): P {
  return treeMap((x, u) => add(x, u), params, updates);
}

/**
 * Optimisers one after the other: each transforms the updates of the one before. The state is the tuple of states.
 *
 * @example
 * ```ts
 * import { adam, chain, clipByGlobalNorm } from '@bpc/core';
 * const optimizer = chain(clipByGlobalNorm({ maxNorm: 1 }), adam({ learningRate: 1e-3 }));
 * ```
 */
export function chain(...parts: readonly Optimizer[]): Optimizer<readonly Tree[]> {
  return {
    init: (params) => parts.map((part) => part.init(params)),
    update(grads, state, params) {
      let updates = grads;
      const next = parts.map((part, i) => {
        const result = part.update(updates, state[i] as Tree, params);
        updates = result.updates;
        return result.state;
      });
      return { updates, state: next };
    },
  };
}

/** An optimiser without state from a function of the updates and the parameters. */
export function stateless(transform: (update: Tensor, param: Tensor) => Tensor): Optimizer<readonly Tree[]> {
  return {
    init: () => [],
    update: (grads, state, params) => ({ updates: treeMap((g, x) => transform(g, x as Tensor), grads, params), state }),
  };
}
