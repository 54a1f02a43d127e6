import type { Scalar, Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import { add, clone, concat, customGrad, engine, mul, reshape, scalar, slice, zeros } from '@tensorflow/tfjs-core';
import { valueAndGrad } from '../autodiff.js';
import type { Coreset, Learnable } from '../coreset.js';
import { scan } from '../scan.js';
import { untaped } from '../tape.js';
import type { Tree } from '../tree.js';
import { treeLeaves, treeMap } from '../tree.js';

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
    return overChunks(coreset, length, scalar(0), (total, rows) => [add(total, energy(params, rows)), undefined])[0];
  }
  return of === 'params' ? inParams(energy, params, coreset, length) : inCoreset(energy, params, coreset, length, of);
}

type Rows<P extends Tree> = (params: P, coreset: Coreset) => Scalar;

function inParams<P extends Tree>(energy: Rows<P>, params: P, coreset: Coreset, length: number): Scalar {
  const start = { value: scalar(0), grad: treeMap((leaf) => zeros(leaf.shape), params) };
  const [{ value, grad }] = untaped(() =>
    overChunks(coreset, length, start, (total, rows) => {
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
    overChunks(coreset, length, scalar(0), (total, rows) => {
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

/** `value` as a function of `inputs` whose gradient is known. */
function withGradient(inputs: readonly Tensor[], value: Scalar, grads: readonly Tensor[]): Scalar {
  const known = customGrad((...args: unknown[]) => {
    const save = args.at(-1) as (tensors: readonly Tensor[]) => void;
    save(grads);
    return { value: clone(value), gradFunc: (dy: Tensor, saved: Tensor[]) => saved.map((grad) => mul(grad, dy)) };
  });
  return known(...inputs);
}

/** Points per chunk: a divisor of their number if one is not much smaller than `most`, so that no shorter chunk is left. */
function chunkLength(points: number, most: number): number {
  for (let length = most; length > most / 2; length--) if (points % length === 0) return length;
  return Math.ceil(points / Math.ceil(points / most));
}

const coresetOf = ([x, y, weights]: readonly Tensor[]): Coreset => ({ x, y, weights }) as { x: Tensor; y: Tensor; weights: Tensor1D };

/** Steps through chunks of `length` points, the last of which may be shorter; second results are joined along the points. */
function overChunks<S extends Tree>(
  { x, y, weights }: Coreset,
  length: number,
  state: S,
  step: (state: S, rows: Coreset) => readonly [state: S, perPoint: readonly Tensor[] | undefined],
): readonly [state: S, perPoint: readonly Tensor[]] {
  const [points] = weights.shape;
  const count = Math.floor(points / length);
  const parts = [x, y, weights];
  const window = (part: Tensor, first: number, size: number) => {
    const rest = part.shape.slice(1);
    return slice(part, [first, ...rest.map(() => 0)], [size, ...rest]);
  };
  const stacked = parts.map((part) => reshape(window(part, 0, count * length), [count, length, ...part.shape.slice(1)]));
  const [scanned, results] = scan(
    (current: S, { x: rows }: { readonly x: Tree }) => step(current, coresetOf(treeLeaves(rows))) as readonly [S, Tree | undefined],
    state,
    stacked as readonly Tree[],
  );
  const joined = results === undefined ? [] : treeLeaves(results).map((ys) => reshape(ys, [count * length, ...ys.shape.slice(2)]));
  if (count * length === points) return [scanned, joined];
  const [last, rest = []] = step(scanned, coresetOf(parts.map((part) => window(part, count * length, points - count * length))));
  return [last, joined.map((head, i) => concat([head, rest[i] as Tensor]))];
}
