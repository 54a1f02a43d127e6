import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import { add, clone, engine, mul, sum, tidy } from '@tensorflow/tfjs-core';
import { ConfigError, ShapeError } from './errors.js';
import { zeros } from './gradients/rule.js';
import { installGradients } from './gradients.js';
import { scope } from './scope.js';
import { assertDifferentiable, releaseTape, untaped } from './tape.js';
import type { Tree } from './tree.js';
import { isTensor, treeEntries, treeLeaves, treeMap, treeUnflatten } from './tree.js';

/** A scalar function of a tree, with further arguments that are not differentiated. */
export type ScalarFunction<P extends Tree, R extends readonly unknown[] = []> = (params: P, ...rest: R) => Tensor;

/** A value with its gradient, a tree like the parameters. Fresh tensors, owned by the caller (or the enclosing scope). */
export type ValueAndGrad<P extends Tree> = { readonly value: Scalar; readonly grad: P };

function checkedLeaves(params: Tree): Tensor[] {
  const entries = treeEntries(params);
  if (entries.length === 0) throw new ShapeError('params has no tensors', 'pass a tree with at least one tensor');
  for (const [path, leaf] of entries) {
    if (leaf.dtype !== 'float32') {
      throw new ShapeError(`params has ${leaf.dtype} at '${path}', expected float32`, 'differentiate with respect to float32 tensors only');
    }
  }
  return entries.map(([, leaf]) => leaf);
}

function checkedScalar(value: unknown): Tensor {
  if (value instanceof Promise) {
    throw new ConfigError('the differentiated function returned a promise', 'make it synchronous');
  }
  if (!isTensor(value) || value.shape.length > 0) {
    const found = isTensor(value) ? `shape [${value.shape}]` : String(value);
    throw new ShapeError(`the differentiated function returned ${found}, expected a scalar tensor`, 'sum or average the result');
  }
  return value;
}

/**
 * `f` ↦ (params ↦ { value: f(params), grad: ∇f(params) }).
 *
 * Safe at any order: gradients may be taken of functions that take gradients. Parameters that `f` does not use get zeros.
 *
 * @throws MissingGradientError before back-propagation if an operation has no rule; nothing leaks then.
 * @throws ShapeError if `f` does not return a scalar, or a parameter is not float32.
 * @example
 * ```ts
 * import { square, sum, tensor1d } from '@tensorflow/tfjs-core';
 * import { valueAndGrad } from '@bpc/core';
 * const { value, grad } = valueAndGrad((p: { w: ReturnType<typeof tensor1d> }) => sum(square(p.w)))({ w: tensor1d([1, 2]) });
 * ```
 */
export function valueAndGrad<P extends Tree, R extends readonly unknown[]>(
  f: ScalarFunction<P, R>,
): (params: P, ...rest: R) => ValueAndGrad<P> {
  return (params, ...rest) => {
    installGradients();
    const originals = checkedLeaves(params);
    try {
      const { value, grads } = tidy(() => {
        // A tensor that occurs twice is two parameters: the engine tells tensors apart by identity.
        const leaves = originals.map((leaf, i) => (originals.indexOf(leaf) < i ? clone(leaf) : leaf));
        const result = engine().gradients(
          () => {
            const y = checkedScalar(f(treeUnflatten(params, leaves), ...rest));
            assertDifferentiable(leaves, y);
            return y;
          },
          leaves,
          undefined,
          true,
        );
        const made = result.grads.map((g, i) => g ?? zeros(leaves[i]?.shape ?? []));
        // The engine hands the same tensor to both terms of a sum, or an argument back: owners must be able to dispose each.
        const seen = new Set(originals);
        const fresh = (tensor: Tensor): Tensor => {
          const own = seen.has(tensor) || tensor.kept ? clone(tensor) : tensor;
          seen.add(own);
          return own;
        };
        return { value: fresh(result.value), grads: made.map(fresh) };
      });
      return { value: value as Scalar, grad: treeUnflatten(params, grads) };
    } catch (error) {
      releaseTape();
      throw error;
    }
  };
}

/** `f` ↦ (params ↦ ∇f(params)). See `valueAndGrad`. */
export function grad<P extends Tree, R extends readonly unknown[]>(f: ScalarFunction<P, R>): (params: P, ...rest: R) => P {
  const both = valueAndGrad(f);
  return (params, ...rest) => scope(() => both(params, ...rest).grad);
}

/** Σ over leaves of ⟨a, b⟩. @throws ShapeError if the trees differ. */
export function treeDot(a: Tree, b: Tree): Scalar {
  return tidy(() => {
    const products = treeLeaves(treeMap((x, y) => sum(mul(x, y)), a, b));
    return products.reduce((total, product) => add(total, product)) as Scalar;
  });
}

/** `f` ↦ ((params, v) ↦ ⟨∇f(params), v⟩), the directional derivative; itself differentiable. */
export function gradDot<P extends Tree>(f: ScalarFunction<P>): (params: P, direction: Tree) => Scalar {
  const gradient = grad(f);
  return (params, direction) => tidy(() => treeDot(gradient(params), direction));
}

/**
 * `f` ↦ ((params, v) ↦ ∇²f(params) v), without forming the Hessian.
 *
 * Reverse over reverse: the gradient of ⟨∇f, v⟩. Costs about two gradients of `f`.
 */
export function hessianVector<P extends Tree>(f: ScalarFunction<P>): (params: P, direction: Tree) => P {
  const directional = gradDot(f);
  return (params, direction) => grad((p: P) => directional(p, direction))(params);
}

/** Fresh copies of the tensors of a tree that enclosing gradients treat as constants. */
export function stopGradient<T extends Tree>(tree: T): T {
  return untaped(() => treeMap((leaf) => clone(leaf), tree));
}
