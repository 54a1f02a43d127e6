import { ConfigError, cholesky, choleskyFactor, isTensor, ShapeError, scope, type Tree, treeEntries, treeMap } from '@bpc/core';
import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import { matMul, mul, reshape, sqrt } from '@tensorflow/tfjs-core';
import { indexOf } from '../transforms/support.js';

/**
 * The factor L of an inverse mass matrix, M⁻¹ = L Lᵀ.
 *
 * Momentum is kept whitened, r = Lᵀ p ~ N(0, T·I): kinetic energy is ½‖r‖² whatever the mass, positions move along L r and
 * momenta along Lᵀ ∇log p.
 */
export interface TensorMetric<P extends Tree> {
  /** L r. */
  velocity(momentum: P): P;
  /** Lᵀ g. */
  force(gradient: P): P;
}

/** A matrix `[d, d]` is a dense inverse mass for a position that is one vector `[d]`. */
function isDense(inverseMass: Tree, position: Tree): boolean {
  if (!isTensor(inverseMass) || !isTensor(position)) return false;
  const [size, ...rest] = position.shape;
  return rest.length === 0 && inverseMass.shape.length === 2 && inverseMass.shape.every((length) => length === size);
}

/** @throws ShapeError unless `inverseMass` is a tree like the position, or `[d, d]` for a single vector `[d]`. */
export function checkInverseMass(inverseMass: Tree, position: Tree): void {
  if (isDense(inverseMass, position)) return;
  const describe = (tree: Tree) =>
    treeEntries(tree).map(([path, { dtype, shape }]) => `${path === '' ? '' : `${path}: `}${dtype}[${shape}]`);
  const [found, expected] = [describe(inverseMass).join(', '), describe(position).join(', ')];
  if (found === expected) return;
  throw new ShapeError(
    `inverseMass has ${found}, expected ${expected}`,
    'pass variances shaped like the position, or a covariance [d, d] for a position that is one vector [d]',
  );
}

/** The numbers of a tensor, unless a program that is being traced computes it. */
function numbersOf(x: Tensor): ArrayLike<number> | undefined {
  try {
    return x.dataSync();
  } catch {
    return undefined;
  }
}

/**
 * Checks an inverse mass that a user gives, its numbers included: a variance of 0 would hold its parameter still, and anything
 * else that is none would have every proposal rejected.
 *
 * @throws ShapeError like `checkInverseMass`; ConfigError unless variances are positive and finite, a covariance positive
 * definite.
 */
export function checkGivenInverseMass(inverseMass: Tree, position: Tree): void {
  checkInverseMass(inverseMass, position);
  const dense = isDense(inverseMass, position);
  for (const [path, leaf] of treeEntries(inverseMass)) {
    const numbers = Float64Array.from(numbersOf(leaf) ?? []);
    const name = `inverseMass${path === '' ? '' : ` '${path}'`}`;
    const place = (k: number) => (leaf.shape.length === 0 ? '' : ` at ${indexOf(k, leaf.shape)}`);
    const odd = numbers.findIndex((x) => !Number.isFinite(x) || (!dense && x <= 0));
    if (odd >= 0) {
      throw new ConfigError(
        `${name} is ${numbers[odd]}${place(odd)}, expected ${dense ? 'finite numbers' : 'positive finite variances'}`,
        'pass estimates of the posterior variances, or leave it out for ones',
      );
    }
    if (!dense || numbers.length === 0 || choleskyFactor(numbers, leaf.shape[0] ?? 0)) continue;
    throw new ConfigError(
      'inverseMass is a matrix that is not positive definite, expected a covariance',
      'pass a covariance matrix estimated from more draws than parameters, or add a multiple of the identity',
    );
  }
}

/**
 * The metric of an inverse mass: variances shaped like the position (L = their square roots), or a covariance `[d, d]` for a
 * position that is one vector `[d]` (L = its Cholesky factor, found anew at every call).
 *
 * @throws ShapeError if the shapes do not fit.
 * @example
 * ```ts
 * import { tensor1d } from '@tensorflow/tfjs-core';
 * import { metricOf } from '@bpc/samplers';
 * metricOf(tensor1d([4, 9]), tensor1d([0, 0])).velocity(tensor1d([1, 1])).print(); // [2, 3]
 * ```
 */
export function metricOf<P extends Tree>(inverseMass: Tree, position: P): TensorMetric<P> {
  checkInverseMass(inverseMass, position);
  if (isTensor(inverseMass) && isDense(inverseMass, position)) {
    const factor = cholesky(inverseMass) as Tensor2D;
    const product = (vector: Tensor, transpose: boolean): Tensor =>
      reshape(matMul(factor, reshape(vector, [vector.shape[0] ?? 0, 1]), transpose), vector.shape);
    return {
      velocity: (momentum) => scope(() => treeMap((r) => product(r, false), momentum)),
      force: (gradient) => scope(() => treeMap((g) => product(g, true), gradient)),
    };
  }
  const factor = treeMap((m) => sqrt(m), inverseMass);
  const scale = (tree: P): P => treeMap((x, l) => mul(x, l), tree, factor);
  return { velocity: scale, force: scale };
}
