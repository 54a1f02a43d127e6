import type { Tensor } from '@tensorflow/tfjs-core';
import { dispose as disposeTensor } from '@tensorflow/tfjs-core';
import { ShapeError } from './errors.js';

/**
 * A nested structure of tensors: parameters, optimiser states, batches.
 *
 * Declare parameter and state types with `type`, not `interface`: an interface has no index signature and does not
 * satisfy `extends Tree`.
 */
export type Tree = Tensor | readonly Tree[] | { readonly [name: string]: Tree };

/** True for a tfjs tensor. Structural on purpose: two copies of tfjs-core have different `Tensor` classes. */
export function isTensor(value: unknown): value is Tensor {
  return typeof value === 'object' && value !== null && 'dataId' in value && 'shape' in value && 'dtype' in value;
}

const isList = (tree: Exclude<Tree, Tensor>): tree is readonly Tree[] => Array.isArray(tree);

/** Names of a record's entries in canonical order: sorted, so that a tree built in another order has the same leaves in the same order. */
function sortedNames(record: { readonly [name: string]: unknown }): string[] {
  const names = Object.keys(record);
  return names.length > 1 ? names.sort() : names;
}

/** One leaf with its path, names joined by `/`. */
export type Leaf = readonly [path: string, tensor: Tensor];

// Programs of samplers take and give small trees thousands of times per second: one walk, and no list per node.
function collect(tree: Tree, path: string, leaves: Leaf[]): void {
  if (isTensor(tree)) leaves.push([path, tree]);
  else if (isList(tree)) tree.forEach((child, i) => collect(child, path === '' ? String(i) : `${path}/${i}`, leaves));
  else for (const name of sortedNames(tree)) collect(tree[name] as Tree, path === '' ? name : `${path}/${name}`, leaves);
}

/** Leaves with their paths, in a canonical order: array order, and object keys sorted. */
export function treeEntries(tree: Tree, prefix = ''): Leaf[] {
  const leaves: Leaf[] = [];
  collect(tree, prefix, leaves);
  return leaves;
}

function collectTensors(tree: Tree, tensors: Tensor[]): void {
  if (isTensor(tree)) tensors.push(tree);
  else if (isList(tree)) for (const child of tree) collectTensors(child, tensors);
  else for (const name of sortedNames(tree)) collectTensors(tree[name] as Tree, tensors);
}

/** The tensors of a tree in canonical order. */
export function treeLeaves(tree: Tree): Tensor[] {
  const tensors: Tensor[] = [];
  collectTensors(tree, tensors);
  return tensors;
}

/** Rebuilds a tree shaped like `like` from leaves in canonical order. Throws `ShapeError` on a wrong count. */
export function treeUnflatten<T extends Tree>(like: T, leaves: readonly Tensor[]): T {
  let next = 0;
  const build = (node: Tree): Tree => {
    if (isTensor(node)) {
      const leaf = leaves[next++];
      if (leaf === undefined) throw new ShapeError(`tree has more than ${leaves.length} leaves`, 'pass one tensor per leaf');
      return leaf;
    }
    if (isList(node)) return node.map(build);
    const names = Object.keys(node);
    const sorted = sortedNames(node);
    const built = sorted.map((name) => [name, build(node[name] as Tree)] as const);
    if (names.every((name, i) => name === sorted[i])) return Object.fromEntries(built);
    // Keep the author's key order, which printing and JSON show.
    const byName = new Map(built);
    return Object.fromEntries(names.map((name) => [name, byName.get(name) as Tree]));
  };
  const tree = build(like) as T;
  if (next !== leaves.length) throw new ShapeError(`tree has ${next} leaves, got ${leaves.length}`, 'pass one tensor per leaf');
  return tree;
}

/**
 * Applies `f` to corresponding leaves of one or more trees of the same structure.
 *
 * @example
 * ```ts
 * import { add, scalar } from '@tensorflow/tfjs-core';
 * import { treeMap } from '@bpc/core';
 * const sum = treeMap((a, b) => add(a, b), { w: scalar(1) }, { w: scalar(2) });
 * ```
 */
export function treeMap<T extends Tree>(f: (...leaves: [Tensor, ...Tensor[]]) => Tensor, tree: T, ...rest: readonly Tree[]): T {
  const first = treeEntries(tree);
  const others = rest.map((other) => treeEntries(other));
  for (const other of others) {
    if (other.length !== first.length || other.some(([path], i) => path !== first[i]?.[0])) {
      throw new ShapeError(
        `trees differ: [${first.map(([p]) => p).join(', ')}] and [${other.map(([p]) => p).join(', ')}]`,
        'pass trees with the same names and lengths',
      );
    }
  }
  return treeUnflatten(
    tree,
    first.map(([, leaf], i) => f(leaf, ...others.map((other) => (other[i] as Leaf)[1]))),
  );
}

/** Disposes every tensor of a tree. Disposing twice is harmless. */
export function disposeTree(tree: Tree | null | undefined): void {
  if (tree == null) return;
  for (const leaf of treeLeaves(tree)) if (!leaf.isDisposed) disposeTensor(leaf);
}

/** Throws `ShapeError` unless `tree` has exactly the paths, shapes and dtypes of `like`. `name` is the argument's name. */
export function assertSameShapes(name: string, tree: Tree, like: Tree): void {
  const describe = (t: Tree) => new Map(treeEntries(t).map(([p, x]) => [p, `${x.dtype}[${x.shape}]`]));
  const found = describe(tree);
  const expected = describe(like);
  for (const [path, want] of expected) {
    const have = found.get(path);
    if (have !== want) {
      throw new ShapeError(`${name} has ${have ?? 'nothing'} at '${path}', expected ${want}`, 'pass a tree of the expected shapes');
    }
  }
  for (const path of found.keys()) {
    if (!expected.has(path)) throw new ShapeError(`${name} has an unexpected entry '${path}'`, 'remove it');
  }
}
