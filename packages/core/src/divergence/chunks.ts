import type { Tensor } from '@tensorflow/tfjs-core';
import { clone, concat, customGrad, mul, reshape, slice } from '@tensorflow/tfjs-core';
import { scan } from '../scan.js';
import type { Tree } from '../tree.js';
import { treeLeaves } from '../tree.js';

/** Points per chunk: a divisor of their number if one is not much smaller than `most`, so that no shorter chunk is left. */
export function chunkLength(points: number, most: number): number {
  for (let length = most; length > most / 2; length--) if (points % length === 0) return length;
  return Math.ceil(points / Math.ceil(points / most));
}

/**
 * Steps through chunks of `length` points, rows of all `parts` alike, the last of which may be shorter; second results are
 * joined along the points. One `scan`: one chunk's tensors are alive at a time.
 */
export function overChunks<S extends Tree>(
  parts: readonly Tensor[],
  length: number,
  state: S,
  step: (state: S, rows: readonly Tensor[]) => readonly [state: S, perPoint: readonly Tensor[] | undefined],
): readonly [state: S, perPoint: readonly Tensor[]] {
  const points = parts[0]?.shape[0] ?? 0;
  const count = Math.floor(points / length);
  const window = (part: Tensor, first: number, size: number) => {
    const rest = part.shape.slice(1);
    return slice(part, [first, ...rest.map(() => 0)], [size, ...rest]);
  };
  const stacked = parts.map((part) => reshape(window(part, 0, count * length), [count, length, ...part.shape.slice(1)]));
  const [scanned, results] = scan(
    (current: S, { x: rows }: { readonly x: Tree }) => step(current, treeLeaves(rows)) as readonly [S, Tree | undefined],
    state,
    stacked as readonly Tree[],
  );
  const joined = results === undefined ? [] : treeLeaves(results).map((ys) => reshape(ys, [count * length, ...ys.shape.slice(2)]));
  if (count * length === points) return [scanned, joined];
  const [last, rest = []] = step(
    scanned,
    parts.map((part) => window(part, count * length, points - count * length)),
  );
  return [last, joined.map((head, i) => concat([head, rest[i] as Tensor]))];
}

/** `value` as a function of `inputs` whose gradient is known. */
export function withGradient<T extends Tensor>(inputs: readonly Tensor[], value: T, grads: readonly Tensor[]): T {
  const known = customGrad((...args: unknown[]) => {
    const save = args.at(-1) as (tensors: readonly Tensor[]) => void;
    save(grads);
    return { value: clone(value), gradFunc: (dy: Tensor, saved: Tensor[]) => saved.map((grad) => mul(grad, dy)) };
  });
  return known(...inputs) as T;
}
