import {
  ConfigError,
  type FlatDensity,
  flattenHost,
  type HostTree,
  hostArray,
  hostEntries,
  isHostTensor,
  ShapeError,
  type Tree,
  treeLeaves,
  unflattenHost,
  valueAndGrad,
} from '@bpc/core';
import { ready, type Scalar, type Tensor } from '@tensorflow/tfjs-core';
import { concat, type DType, type Executable, type Graph, type Node, reshape, type Shape, slice, type Target } from '../ir/index.js';
import { sizeOf } from '../ir/shape.js';
import { withTracing } from '../trace/session.js';
import { queue } from './queue.js';

/** One array of a host tree, in float64. */
type HostLeaf = { readonly shape: Shape; readonly dtype: DType; readonly values: Float64Array };

function hostLeaves(tree: HostTree | undefined): HostLeaf[] {
  if (tree === undefined) return [];
  return hostEntries(tree).map(([path, leaf]) => {
    const { data, shape } = hostArray(leaf, path);
    // A copy: what the caller writes later must not change the density.
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

/** The density and its gradient as one graph: inputs [position, data…], outputs [log density, gradient]. */
function traceDensity<P extends Tree, D extends Tree>(
  logDensity: (params: P, data: D) => Scalar,
  like: HostTree,
  data: HostTree | undefined,
  target: string,
): Graph {
  const name = logDensity.name || 'log density';
  const parameters = hostLeaves(like);
  const dataLeaves = hostLeaves(data);
  const length = parameters.reduce((sum, leaf) => sum + leaf.values.length, 0);
  return withTracing({ name, target }, (session) => {
    const g = session.builder;
    const position = g.input([length], 'float32');
    let start = 0;
    // Parameters are windows of the flat position, so that a call passes two arrays whatever the tree.
    const leaves = parameters.map(({ shape }) => {
      const size = sizeOf(shape);
      const window = slice(g, position, [start], [size]);
      start += size;
      return session.tensor(reshape(g, window, shape));
    });
    const constants = dataLeaves.map(({ shape, dtype }) => session.tensor(g.input(shape, dtype)));
    const evaluate = (params: P, values: D): Scalar => {
      const value = logDensity(params, values);
      if (typeof value === 'object' && value !== null && 'then' in value) {
        throw new ConfigError(`'${name}' returned a promise`, 'a log density is a synchronous function');
      }
      return value;
    };
    const values = data === undefined ? undefined : tensorTree(data, constants.values());
    // Named and shaped like the host trees, whose types the signature of Runtime does not tie to P and D.
    const { value, grad } = valueAndGrad(evaluate)(tensorTree(like, leaves.values()) as P, values as D);
    const gradient: Node[] = treeLeaves(grad).map((leaf) => reshape(g, session.node(leaf), [sizeOf(leaf.shape)]));
    const graph = g.finish([reshape(g, session.node(value), []), reshape(g, concat(g, gradient, 0), [length])], name);
    return { ...graph, fixed: dataLeaves.map((_, i) => i + 1) };
  });
}

/**
 * A log density over a flat vector, in float64 where the target computes in float64: positions and data never pass
 * through a float32 tensor. Synchronous if the target runs synchronously.
 */
export async function compiledDensity<P extends Tree, D extends Tree>(
  logDensity: (params: P, data: D) => Scalar,
  like: HostTree,
  data: HostTree | undefined,
  target: Target,
  onDispose: (density: FlatDensity) => void,
): Promise<FlatDensity> {
  await ready();
  const parameters = hostLeaves(like);
  const dataLeaves = hostLeaves(data);
  const graph = traceDensity(logDensity, like, data, target.name);
  const executable = await target.lower(graph);
  const size = parameters.reduce((sum, leaf) => sum + leaf.values.length, 0);
  const { run, idle } = queue();
  let disposed = false;
  const check = (position: Float64Array, gradient: Float64Array): void => {
    if (disposed) throw new ConfigError('the density is disposed', 'make a new one with runtime.density');
    if (position.length === size && gradient.length === size) return;
    throw new ShapeError(
      `position and gradient have ${position.length} and ${gradient.length} numbers, expected ${size}`,
      "pass vectors of the density's size",
    );
  };
  const density: FlatDensity = {
    size,
    flatten: (params) => flattenHost(params, like),
    unflatten: (position) => unflattenHost(position, like),
    evaluate: executable.runSync
      ? synchronous(executable, dataLeaves, check)
      : async (position, gradient) => {
          check(position, gradient);
          return run(() => asynchronous(executable, dataLeaves, position, gradient));
        },
    async dispose() {
      if (disposed) return;
      disposed = true;
      await idle();
      onDispose(density);
      await executable.dispose();
    },
  };
  return density;
}

function synchronous(
  executable: Executable,
  data: readonly HostLeaf[],
  check: (position: Float64Array, gradient: Float64Array) => void,
): (position: Float64Array, gradient: Float64Array) => number {
  const value = new Float64Array(1);
  // A target that keeps the data copies in nothing but the position from now on.
  executable.bind?.([undefined, ...data.map((leaf) => leaf.values)]);
  // Kept and refilled: no allocation may stand in a sampler's inner loop.
  const inputs: Float64Array[] = [value, ...data.map((leaf) => leaf.values)];
  const outputs: Float64Array[] = [value, value];
  return (position, gradient) => {
    check(position, gradient);
    inputs[0] = position;
    outputs[1] = gradient;
    executable.runSync?.(inputs, outputs);
    return value[0] ?? Number.NaN;
  };
}

async function asynchronous(
  executable: Executable,
  data: readonly HostLeaf[],
  position: Float64Array,
  gradient: Float64Array,
): Promise<number> {
  const cast = ({ values, dtype }: HostLeaf) => (dtype === 'int32' ? Int32Array.from(values) : Float32Array.from(values));
  const [value, grad] = await executable.run([Float32Array.from(position), ...data.map(cast)]);
  if (value === undefined || grad === undefined) throw new RangeError('the target returned too few outputs');
  gradient.set(grad);
  return value[0] ?? Number.NaN;
}
