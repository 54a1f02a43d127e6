import { ConfigError, type HostTree, hostArray, hostEntries, isHostTensor, type Tree } from '@bpc/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { type DType, type Graph, type Node, reshape, type Shape, slice } from '../ir/index.js';
import { sizeOf } from '../ir/shape.js';
import { type TraceSession, withTracing } from '../trace/session.js';

/** One array of a host tree, in float64. */
export type HostLeaf = { readonly shape: Shape; readonly dtype: DType; readonly values: Float64Array };

function hostLeaves(tree: HostTree | undefined): HostLeaf[] {
  if (tree === undefined) return [];
  return hostEntries(tree).map(([path, leaf]) => {
    const { data, shape } = hostArray(leaf, path);
    // A copy: what the caller writes later must not change the function.
    return { shape, dtype: data instanceof Int32Array ? 'int32' : 'float32', values: Float64Array.from(data) };
  });
}

/** A tree of tensors named like a host tree, from tensors in canonical order. */
function tensorTree(like: HostTree, tensors: Iterator<Tensor>): Tree {
  if (isHostTensor(like)) {
    const next = tensors.next();
    if (next.done) throw new RangeError('too few tensors');
    return next.value;
  }
  const record: { readonly [name: string]: HostTree } = like;
  return Object.fromEntries(
    Object.keys(record)
      .sort()
      .map((name) => [name, tensorTree(record[name] ?? 0, tensors)]),
  );
}

/** A function of a flat position, as a graph. */
export type FlatGraph = {
  /** Numbers of a position. */
  readonly size: number;
  /** What the inputs after the position are bound to. */
  readonly data: readonly HostLeaf[];
  /** Inputs [position, data…]. */
  readonly graph: Graph;
};

/** What a flat function is made of. `like` gives names and shapes of the parameters. */
export type FlatSource = {
  readonly name: string;
  readonly like: HostTree;
  readonly data: HostTree | undefined;
  /** Name of the target, for messages. */
  readonly target: string;
};

/** Traces a function of parameters and data whose outputs `build` makes. */
export function traceFlat<P extends Tree, D extends Tree>(
  { name, like, data, target }: FlatSource,
  build: (session: TraceSession, params: P, data: D, size: number) => Node[],
): FlatGraph {
  const parameters = hostLeaves(like);
  const dataLeaves = hostLeaves(data);
  const size = parameters.reduce((sum, leaf) => sum + leaf.values.length, 0);
  return withTracing({ name, target }, (session) => {
    const g = session.builder;
    const position = g.input([size], 'float32');
    let start = 0;
    // Parameters are windows of the flat position, so that a call passes one array whatever the tree.
    const leaves = parameters.map(({ shape }) => {
      const window = slice(g, position, [start], [sizeOf(shape)]);
      start += sizeOf(shape);
      return session.tensor(reshape(g, window, shape));
    });
    const constants = dataLeaves.map(({ shape, dtype }) => session.tensor(g.input(shape, dtype)));
    const values = data === undefined ? undefined : tensorTree(data, constants.values());
    // Named and shaped like the host trees, whose types the signature of Runtime does not tie to P and D.
    const outputs = build(session, tensorTree(like, leaves.values()) as P, values as D, size);
    return { size, data: dataLeaves, graph: { ...g.finish(outputs, name), fixed: dataLeaves.map((_, i) => i + 1) } };
  });
}

/** @throws ConfigError if what a traced function returned is a promise; `remedy` says what it should be. */
export function refusePromise(value: unknown, name: string, remedy: string): void {
  if (typeof value === 'object' && value !== null && 'then' in value) throw new ConfigError(`'${name}' returned a promise`, remedy);
}
