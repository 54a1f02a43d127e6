import { ConfigError, type HostTree, hostArray, hostEntries, isHostTensor, type Key, ShapeError, type Tree } from '@bpc/core';
import { tensor } from '@tensorflow/tfjs-core';
import { randomStream } from '../nuts/random-stream.js';
import { sizeOf } from '../transforms/support.js';

/**
 * Rows of every leaf of `data`.
 *
 * @throws ConfigError without data, or if there are fewer rows than `size`; ShapeError if leaves have different numbers of rows.
 */
export function countRows(data: HostTree | undefined, size: number): number {
  if (data === undefined) throw new ConfigError('minibatch is given, but no data', 'pass the data set as data');
  let count: number | undefined;
  for (const [path, leaf] of hostEntries(data)) {
    const [rows] = hostArray(leaf, path).shape;
    const name = path === '' ? 'data' : `data '${path}'`;
    if (rows === undefined) throw new ShapeError(`${name} is a number, which has no rows`, 'put what all rows share into the log density');
    count ??= rows;
    if (rows !== count)
      throw new ShapeError(`${name} has ${rows} rows, expected ${count} like the others`, 'give every leaf one row per point');
  }
  if (count === undefined) throw new ConfigError('minibatch is given, but the data are empty', 'pass the data set as data');
  if (size > count) throw new ConfigError(`minibatch.size is ${size}, but the data have ${count} rows`, 'pass a smaller size');
  return count;
}

/** Applies `f` to every leaf. */
function mapLeaves<R>(tree: HostTree, f: (values: ReturnType<typeof hostArray>) => R): unknown {
  if (isHostTensor(tree)) return f(hostArray(tree));
  return Object.fromEntries(Object.entries(tree).map(([name, child]) => [name, mapLeaves(child as HostTree, f)]));
}

/** The first `count` rows of every leaf. Views where possible. */
export function firstRows(data: HostTree, count: number): HostTree {
  countRows(data, count);
  return mapLeaves(data, ({ data: values, shape: [, ...rest] }) => ({
    data: values.subarray(0, count * sizeOf(rest)),
    shape: [count, ...rest],
  })) as HostTree;
}

/** Writes `size` different numbers below `count`, uniformly chosen (Floyd's algorithm; Bentley & Floyd 1987). */
export function chooseRows(key: Key, count: number, size: number, out: Int32Array, start: number): void {
  const stream = randomStream(key);
  const chosen = new Set<number>();
  for (let j = count - size; j < count; j++) {
    const candidate = Math.floor(stream.uniform() * (j + 1));
    const row = chosen.has(candidate) ? j : candidate;
    chosen.add(row);
    out[start++] = row;
  }
}

/**
 * Rows of a host tree as tensors `[steps, size, …]`, made on the host, so that a program's inputs grow with the batch and not
 * with the data set. int32 for `Int32Array`, else float32. Fresh, owned by the caller.
 */
export function gatherRows(data: HostTree, rows: Int32Array, steps: number): Tree {
  const size = rows.length / steps;
  return mapLeaves(data, ({ data: values, shape: [, ...rest] }) => {
    const width = sizeOf(rest);
    const integers = values instanceof Int32Array;
    const out = integers ? new Int32Array(rows.length * width) : new Float32Array(rows.length * width);
    rows.forEach((row, i) => {
      for (let j = 0; j < width; j++) out[i * width + j] = values[row * width + j] as number;
    });
    return tensor(out, [steps, size, ...rest], integers ? 'int32' : 'float32');
  }) as Tree;
}
