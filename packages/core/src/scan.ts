import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import { clone, engine, reshape, scalar, slice, stack, tensor, unstack, zeros } from '@tensorflow/tfjs-core';
import { checkInteger } from './check.js';
import { ConfigError, ShapeError } from './errors.js';
import { foldIn, type Key } from './random.js';
import { cloneTree, scope } from './scope.js';
import { activeTrace } from './tracing.js';
import type { Tree } from './tree.js';
import { assertSameShapes, disposeTree, treeEntries, treeLeaves, treeMap, treeUnflatten } from './tree.js';

/** The tree `T` with leaves of another rank: one slice of each, or a stack of them. */
export type AnyRank<T> = [Tree] extends [T] ? Tree : T extends Tensor ? Tensor : { readonly [K in keyof T]: AnyRank<T[K]> };

/** What a step of `scan` knows besides its state. Borrowed tensors. */
export interface ScanIteration<X extends Tree | undefined = undefined> {
  /** Row i of every leaf of `xs`. */
  readonly x: AnyRank<X>;
  /** i, an int32 scalar: a tensor, since a compiled loop runs the step once for all i. */
  readonly index: Scalar;
  /** `foldIn(key, i)`. @throws ConfigError if `scan` got no key. */
  readonly key: Key;
}

/** One iteration: the next state, and what to stack, if anything. */
export type ScanStep<S extends Tree, X extends Tree | undefined, Y extends Tree | undefined> = (
  state: S,
  iteration: ScanIteration<X>,
) => readonly [state: S, y?: Y];

/** Options of `scan`. */
export interface ScanOptions {
  /** Number of iterations; needed without `xs`, else it must be their length. */
  readonly length?: number;
  /** Randomness of the loop: iteration i has `foldIn(key, i)`. */
  readonly key?: Key;
}

/**
 * A loop that carries a state: `(state, y_i) = step(state, { x: xs[i], index: i, key: foldIn(key, i) })` for i = 0, 1, ….
 *
 * In a compiled program the step is traced and compiled once, whatever the number of iterations; what it computes from
 * outside alone is computed before the loop. Eagerly it is a plain loop with one step's tensors alive at a time. Draws from
 * the iteration's key are equal bit for bit on every runtime. Scans may be nested, and the step may take gradients. A
 * gradient *through* a scan works too; in a compiled program such a scan is unrolled, one copy of the step per iteration
 * (put `untaped` around it if its result counts as a constant).
 *
 * Shapes: `xs` leaves `[length, …]` reach the step as `[…]`; its second result, if any, comes back stacked along a new axis
 * 0. The state keeps its structure, shapes and dtypes. With length 0 the step is called once for its shapes and its values
 * are dropped. Results are fresh tensors, owned by the caller; state and `xs` are borrowed.
 *
 * @throws ShapeError if the step changes a shape or dtype of the state, or lengths disagree; ConfigError without a length,
 * if the step returns a promise, or if it asks for a key that `scan` did not get.
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { add, mul, scalar, type Tensor, tensor1d } from '@tensorflow/tfjs-core';
 * import { type Key, key, normal, scan } from '@bpc/core';
 * // A moving average of three numbers with its path, and the end of a random walk.
 * const average = (m: Tensor, { x }: { x: Tensor }) => [add(mul(m, 0.9), mul(x, 0.1)), m] as const;
 * const [last, path] = scan(average, scalar(0), tensor1d([1, 2, 3]));
 * const walk = (w: Tensor, { key: own }: { key: Key }) => [add(w, normal(own, []))] as const;
 * const [end] = scan(walk, scalar(0), undefined, { length: 100, key: key(0) });
 * ```
 */
export function scan<S extends Tree, X extends Tree | undefined = undefined, Y extends Tree | undefined = undefined>(
  step: ScanStep<S, X, Y>,
  state: S,
  xs?: X,
  options: ScanOptions = {},
): readonly [state: S, ys: AnyRank<Y>] {
  const length = lengthOf(xs, options.length);
  const trace = activeTrace();
  const loop: Loop = {
    name: step.name || 'a scan step',
    length,
    state: treeLeaves(state),
    xs: xs === undefined ? [] : treeLeaves(xs),
    key: options.key,
    iterate: leafStep(step, state, xs),
  };
  return scope(() => {
    const run = length === 0 ? empty : trace !== undefined && engine().state.gradientDepth === 0 ? traced : eager;
    const { state: last, ys } = run(loop);
    // Shaped like what the step returned, up to the ranks of its leaves, which trees do not carry.
    return [treeUnflatten(state, last), ys] as readonly [Tree, Tree];
  }) as unknown as readonly [S, AnyRank<Y>];
}

type Leaves = readonly Tensor[];

interface Loop {
  readonly name: string;
  readonly length: number;
  readonly state: Leaves;
  readonly xs: Leaves;
  readonly key: Key | undefined;
  iterate(state: Leaves, x: Leaves, index: () => Scalar, key: Key | undefined): { readonly state: Leaves; readonly y: Tree | undefined };
}

type Result = { readonly state: Leaves; readonly ys: Tree | undefined };

function lengthOf(xs: Tree | undefined, given: number | undefined): number {
  if (given !== undefined) checkInteger('length', given, 0);
  const entries = xs === undefined ? [] : treeEntries(xs);
  const length = given ?? entries[0]?.[1].shape[0];
  for (const [path, { shape }] of entries) {
    if (shape[0] === length && shape.length > 0) continue;
    const where = path === '' ? 'xs' : `xs at '${path}'`;
    throw new ShapeError(`${where} has shape [${shape}], expected [${length ?? 'length'}, …]`, 'stack one row per iteration along axis 0');
  }
  if (length === undefined) throw new ConfigError('scan got neither xs nor a length', 'pass { length } as the fourth argument');
  return length;
}

/** The step as a function of leaves, with its result checked. */
function leafStep<S extends Tree, X extends Tree | undefined, Y extends Tree | undefined>(
  step: ScanStep<S, X, Y>,
  state: S,
  xs: X | undefined,
): Loop['iterate'] {
  return (leaves, rows, index, key) => {
    const iteration = {
      x: xs === undefined ? undefined : treeUnflatten(xs, rows),
      get index() {
        return index();
      },
      get key() {
        if (key === undefined) throw new ConfigError('the step of a scan asks for a key, but scan got none', 'pass { key } to scan');
        return key;
      },
    };
    // The row has the names of xs, and other ranks.
    const result: unknown = step(treeUnflatten(state, leaves), iteration as unknown as ScanIteration<X>);
    if (result instanceof Promise) throw new ConfigError('the step of a scan returned a promise', 'make it synchronous');
    if (!Array.isArray(result) || result.length < 1 || result.length > 2) {
      throw new ShapeError('the step of a scan returned no pair', 'return [state] or [state, y]');
    }
    const [next, y]: readonly (S | Y)[] = result;
    assertSameShapes('the next state of a scan', next as S, state);
    return { state: treeLeaves(next as S), y };
  };
}

function row(x: Tensor, i: number): Tensor {
  const rest = x.shape.slice(1);
  return reshape(slice(x, [i, ...rest.map(() => 0)], [1, ...rest]), rest);
}

/** A plain loop: one step's tensors are alive at a time, and the results so far. */
function eager({ length, state, xs, key, iterate }: Loop): Result {
  let current = state;
  let structure: Tree | undefined;
  const columns: Tensor[][] = [];
  // Under a gradient tape rows live on anyway; the gradient of a slice would be as large as all of them, and that of `unstack` is not.
  const taken = engine().state.gradientDepth > 0 ? xs.map((x) => unstack(x)) : undefined;
  for (let i = 0; i < length; i++) {
    const [next, results] = scope(() => {
      const rows = xs.map((x, k) => taken?.[k]?.[i] ?? row(x, i));
      const { state: after, y } = iterate(current, rows, () => scalar(i, 'int32'), key === undefined ? undefined : foldIn(key, i));
      if (y !== undefined && structure !== undefined) assertSameShapes(`result ${i} of a scan`, y, structure);
      structure ??= y;
      // A step may hand back what it got; clones have lives of their own.
      return [after.map((leaf) => clone(leaf)), y === undefined ? [] : treeLeaves(y).map((leaf) => clone(leaf))];
    });
    if (i > 0) disposeTree(current);
    current = next;
    if (i === 0) columns.push(...results.map(() => []));
    columns.forEach((column, k) => column.push(...results.slice(k, k + 1)));
  }
  if (structure === undefined) return { state: current, ys: undefined };
  const stacked = columns.map((column) => stack(column));
  for (const column of columns) disposeTree(column);
  return { state: current, ys: treeUnflatten(structure, stacked) };
}

/** One sub-program, run `length` times. */
function traced(loop: Loop): Result {
  const trace = activeTrace();
  if (trace === undefined) return eager(loop);
  let structure: Tree | undefined;
  const { state, ys } = trace.traceLoop({
    ...loop,
    body: (leaves, rows, index, key) => {
      const { state: next, y } = loop.iterate(leaves, rows, index, key);
      structure = y;
      return { state: next, ys: y === undefined ? [] : treeLeaves(y) };
    },
  });
  return { state, ys: structure === undefined ? undefined : treeUnflatten(structure, ys) };
}

/** No iteration: only the shapes of results are wanted, which the step alone knows. */
function empty({ state, xs, key, iterate }: Loop): Result {
  const rows = xs.map((x) => zeros(x.shape.slice(1), x.dtype));
  const { y } = iterate(state, rows, () => scalar(0, 'int32'), key === undefined ? undefined : foldIn(key, 0));
  const none = (leaf: Tensor) => tensor([], [0, ...leaf.shape], leaf.dtype);
  return { state: treeLeaves(cloneTree([...state])), ys: y === undefined ? undefined : treeMap(none, y) };
}
