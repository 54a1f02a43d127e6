import type { Scalar, Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import { add, engine, scalar, zeros } from '@tensorflow/tfjs-core';
import { valueAndGrad } from '../autodiff.js';
import type { Coreset, Learnable } from '../coreset.js';
import { untaped } from '../tape.js';
import type { Tree } from '../tree.js';
import { treeLeaves, treeMap } from '../tree.js';
import { chunkLength, overChunks, withGradient } from './chunks.js';

/** What an energy is differentiated in: the parameters, or parts of the coreset. The rest are constants. */
export type EnergyArgument = 'params' | Learnable;

/** Settings of `chunkedEnergy`. */
export interface ChunkedEnergyOptions {
  /** Most points at a time. */
  readonly size: number;
  readonly of: EnergyArgument;
}

/**
 * `Σ_c energy(params, chunk c of the coreset)`, for an energy that is a sum over points, with one chunk's tensors alive at a
 * time: a `scan` computes value and gradient of chunk after chunk, so that memory does not grow with the coreset.
 *
 * First derivatives in what `of` names. Inside two gradients at once, where the inner one must not be a constant, all points
 * are taken together.
 *
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { mul, ones, type Scalar, scalar, sum, type Tensor } from '@tensorflow/tfjs-core';
 * import { chunkedEnergy, type Coreset, grad } from '@bpc/core';
 * const coreset: Coreset = { x: ones([10, 2]), y: ones([10, 1]), weights: ones([10]) };
 * const energy = (slope: Tensor, { x }: Coreset) => mul(slope, sum(x)) as Scalar;
 * grad((slope: Tensor) => chunkedEnergy(energy, slope, coreset, { size: 4, of: 'params' }))(scalar(1)).print(); // 20
 * ```
 */
export function chunkedEnergy<P extends Tree>(
  energy: (params: P, coreset: Coreset) => Scalar,
  params: P,
  coreset: Coreset,
  { size, of }: ChunkedEnergyOptions,
): Scalar {
  const [points] = coreset.weights.shape;
  const { gradientDepth } = engine().state;
  if (points <= size || gradientDepth > 1) return energy(params, coreset);
  const length = chunkLength(points, size);
  if (gradientDepth === 0) {
    return overRows(coreset, length, scalar(0), (total, rows) => [add(total, energy(params, rows)), undefined])[0];
  }
  return of === 'params' ? inParams(energy, params, coreset, length) : inCoreset(energy, params, coreset, length, of);
}

type Rows<P extends Tree> = (params: P, coreset: Coreset) => Scalar;

function inParams<P extends Tree>(energy: Rows<P>, params: P, coreset: Coreset, length: number): Scalar {
  const start = { value: scalar(0), grad: treeMap((leaf) => zeros(leaf.shape), params) };
  const [{ value, grad }] = untaped(() =>
    overRows(coreset, length, start, (total, rows) => {
      const found = valueAndGrad((argument: P) => energy(argument, rows))(params);
      return [treeMap((a, b) => add(a, b), total, found), undefined];
    }),
  );
  return withGradient(treeLeaves(params), value, treeLeaves(grad));
}

function inCoreset<P extends Tree>(energy: Rows<P>, params: P, coreset: Coreset, length: number, of: Learnable): Scalar {
  const names = (['x', 'y', 'weights'] as const).filter((part) => of[part]);
  const partsOf = (rows: Coreset): { readonly [part: string]: Tensor } => Object.fromEntries(names.map((part) => [part, rows[part]]));
  const [value, grads] = untaped(() =>
    overRows(coreset, length, scalar(0), (total, rows) => {
      const found = valueAndGrad((learned: { readonly [part: string]: Tensor }) => energy(params, { ...rows, ...learned }))(partsOf(rows));
      return [add(total, found.value), names.map((part) => found.grad[part] as Tensor)];
    }),
  );
  return withGradient(
    names.map((part) => coreset[part]),
    value,
    grads,
  );
}

const coresetOf = ([x, y, weights]: readonly Tensor[]): Coreset => ({ x, y, weights }) as { x: Tensor; y: Tensor; weights: Tensor1D };

/** Steps through chunks of `length` points of a coreset. */
const overRows = <S extends Tree>(
  { x, y, weights }: Coreset,
  length: number,
  state: S,
  step: (state: S, rows: Coreset) => readonly [state: S, perPoint: readonly Tensor[] | undefined],
) => overChunks([x, y, weights], length, state, (current, rows) => step(current, coresetOf(rows)));
