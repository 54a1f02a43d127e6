import { hessianVector, scan, type Tree, treeLeaves, treeUnflatten } from '@bpc/core';
import { cast, equal, mul, range, reshape, sum, type Tensor, zerosLike } from '@tensorflow/tfjs-core';

/**
 * ∂²f/∂θ_i² for every number of the position, a tree like it: one Hessian–vector product (about two gradients) per number.
 *
 * Run it inside a program, where it is one loop per leaf, or a scope.
 */
export function hessianDiagonal<P extends Tree>(f: (params: P) => Tensor, position: P): P {
  const product = hessianVector(f);
  const leaves = treeLeaves(position);
  const diagonal = leaves.map((leaf, k) => {
    const step = (state: readonly Tensor[], { index }: { readonly index: Tensor }) => {
      const unit = reshape(cast(equal(range(0, leaf.size, 1, 'int32'), index), 'float32'), leaf.shape);
      const direction = leaves.map((other, i) => (i === k ? unit : zerosLike(other)));
      const column = treeLeaves(product(position, treeUnflatten(position, direction)))[k] ?? unit;
      return [state, sum(mul(column, unit))] as const;
    };
    const [, entries] = scan(step, [], undefined, { length: leaf.size });
    return reshape(entries, leaf.shape);
  });
  return treeUnflatten(position, diagonal);
}
