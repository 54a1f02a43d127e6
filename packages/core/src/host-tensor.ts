import type { Tensor } from '@tensorflow/tfjs-core';
import { tensor } from '@tensorflow/tfjs-core';
import { ShapeError } from './errors.js';
import type { HostTensor, HostTree } from './runtime.js';
import type { Tree } from './tree.js';

type TypedArray = Float32Array | Float64Array | Int32Array;
type Nested = number | readonly Nested[];

/** Row-major numbers with their shape: what every form of `HostTensor` amounts to. */
export type HostArray = { readonly data: Float64Array | Float32Array | Int32Array; readonly shape: readonly number[] };

/** One leaf of a host tree with its path, names joined by `/`. */
export type HostLeaf = readonly [path: string, value: HostTensor];

const isTyped = (value: unknown): value is TypedArray =>
  value instanceof Float64Array || value instanceof Float32Array || value instanceof Int32Array;

const isShaped = (value: object): value is Extract<HostTensor, { readonly data: unknown }> =>
  'data' in value && isTyped(value.data) && 'shape' in value && Array.isArray(value.shape);

/** True for a leaf of a `HostTree`: a number, nested arrays, a typed array, or `{ data, shape }`. */
export function isHostTensor(value: HostTree): value is HostTensor {
  return (
    typeof value === 'number' || isTyped(value) || Array.isArray(value) || (typeof value === 'object' && value !== null && isShaped(value))
  );
}

function nestedShape(value: Nested, where: string): number[] {
  if (typeof value === 'number') return [];
  const shapes = value.map((child, i) => nestedShape(child, `${where}[${i}]`));
  const [first = []] = shapes;
  shapes.forEach((shape, i) => {
    if (shape.join() !== first.join()) {
      throw new ShapeError(
        `${where}[${i}] has shape [${shape}] but ${where}[0] has shape [${first}]`,
        'nested arrays must be rectangular; pad or split ragged data',
      );
    }
  });
  return [value.length, ...first];
}

/**
 * Values and shape of a host tensor. Nested arrays become a new `Float64Array`; typed arrays are not copied.
 *
 * @throws ShapeError on ragged arrays, entries that are no numbers, and a shape that does not fit its data.
 * @example
 * ```ts
 * import { hostArray } from '@bpc/core';
 * hostArray([[1, 2], [3, 4]]).shape; // [2, 2]
 * ```
 */
export function hostArray(value: HostTensor, name = 'value'): HostArray {
  if (typeof value === 'number') return { data: Float64Array.of(value), shape: [] };
  if (isTyped(value)) return { data: value, shape: [value.length] };
  if (Array.isArray(value)) {
    const nested = value as readonly Nested[];
    const shape = nestedShape(checkNumbers(nested, name), name);
    return { data: Float64Array.from(nested.flat(Infinity as 1) as number[]), shape };
  }
  const shaped = value as HostArray;
  const size = shaped.shape.reduce((a, b) => a * b, 1);
  if (size !== shaped.data.length) {
    throw new ShapeError(
      `${name} has shape [${shaped.shape}] (${size} numbers) but ${shaped.data.length} numbers`,
      'make shape and data agree',
    );
  }
  return shaped;
}

// Plain JavaScript callers can pass anything, and a NaN from a string would surface far away.
function checkNumbers(value: Nested, where: string): readonly Nested[] {
  if (!Array.isArray(value)) return [];
  value.forEach((child: unknown, i: number) => {
    if (Array.isArray(child)) checkNumbers(child, `${where}[${i}]`);
    else if (typeof child !== 'number') {
      throw new ShapeError(
        `${where}[${i}] is ${isTyped(child) ? 'a typed array' : typeof child}, expected a number`,
        'pass nested arrays of numbers, or { data, shape }',
      );
    }
  });
  return value;
}

/** Leaves of a host tree in the canonical order of `treeEntries`: object keys sorted. */
export function hostEntries(tree: HostTree, prefix = ''): HostLeaf[] {
  if (isHostTensor(tree)) return [[prefix, tree]];
  if (typeof tree !== 'object' || tree === null) {
    throw new ShapeError(
      `'${prefix}' is ${String(tree)}, expected numbers`,
      'pass numbers, nested arrays, typed arrays or records of them',
    );
  }
  const record: { readonly [name: string]: HostTree } = tree;
  return Object.keys(record)
    .sort()
    .flatMap((name) => hostEntries(record[name] as HostTree, prefix === '' ? name : `${prefix}/${name}`));
}

/** Total count of numbers in a host tree. */
export function hostSize(tree: HostTree): number {
  return hostEntries(tree).reduce((total, [path, leaf]) => total + hostArray(leaf, path).data.length, 0);
}

/**
 * All numbers of a host tree in one float64 vector, leaves in canonical order.
 *
 * @throws ShapeError if `like` is given and paths or shapes differ from its.
 */
export function flattenHost(tree: HostTree, like?: HostTree): Float64Array {
  const leaves = hostEntries(tree).map(([path, leaf]) => [path, hostArray(leaf, path)] as const);
  if (like !== undefined) {
    const describe = (list: readonly (readonly [string, HostArray])[]) => list.map(([path, { shape }]) => `${path}[${shape}]`).join(', ');
    const expected = describe(hostEntries(like).map(([path, leaf]) => [path, hostArray(leaf, path)] as const));
    if (describe(leaves) !== expected) {
      throw new ShapeError(`parameters are ${describe(leaves)}, expected ${expected}`, 'pass the names and shapes of the example');
    }
  }
  const out = new Float64Array(leaves.reduce((total, [, { data }]) => total + data.length, 0));
  let offset = 0;
  for (const [, { data }] of leaves) {
    out.set(data, offset);
    offset += data.length;
  }
  return out;
}

function nest(data: Float64Array, shape: readonly number[]): Nested {
  const [length, ...rest] = shape;
  if (length === undefined) return data[0] ?? Number.NaN;
  const size = rest.reduce((a, b) => a * b, 1);
  return Array.from({ length }, (_, i) => nest(data.subarray(i * size, (i + 1) * size), rest));
}

/** The inverse of `flattenHost`: leaves take the form of `like` (numbers, nested arrays, float64 typed arrays). */
export function unflattenHost(vector: Float64Array, like: HostTree): HostTree {
  let offset = 0;
  const take = (leaf: HostTensor, path: string): HostTensor => {
    const {
      data: { length },
      shape,
    } = hostArray(leaf, path);
    const data = vector.slice(offset, offset + length);
    offset += length;
    if (isTyped(leaf)) return data;
    if (typeof leaf === 'number' || Array.isArray(leaf)) return nest(data, shape) as HostTensor;
    return { data, shape };
  };
  const leaves = new Map(hostEntries(like).map(([path, leaf]) => [path, take(leaf, path)]));
  if (offset !== vector.length)
    throw new ShapeError(`vector has ${vector.length} numbers, expected ${offset}`, 'pass one number per parameter');
  const build = (node: HostTree, prefix: string): HostTree => {
    if (isHostTensor(node)) return leaves.get(prefix) as HostTensor;
    return Object.fromEntries(
      Object.entries(node).map(([name, child]) => [name, build(child as HostTree, prefix === '' ? name : `${prefix}/${name}`)]),
    );
  };
  return build(like, '');
}

/** Fresh tensors of a host tree: int32 for `Int32Array`, else float32. Owned by the caller. */
export function tensorsFromHost(tree: HostTree): Tree {
  const leaves = new Map(hostEntries(tree).map(([path, leaf]) => [path, hostArray(leaf, path)]));
  const build = (node: HostTree, prefix: string): Tree => {
    const leaf = leaves.get(prefix);
    if (leaf !== undefined && isHostTensor(node)) return tensorFromHost(leaf);
    return Object.fromEntries(
      Object.entries(node).map(([name, child]) => [name, build(child as HostTree, prefix === '' ? name : `${prefix}/${name}`)]),
    );
  };
  return build(tree, '');
}

function tensorFromHost({ data, shape }: HostArray): Tensor {
  // tfjs keeps the array it is given; a copy keeps later writes by the caller out of the tensor.
  return data instanceof Int32Array ? tensor(data.slice(), [...shape], 'int32') : tensor(Float32Array.from(data), [...shape], 'float32');
}
