import { type Tensor, tensor } from '@tensorflow/tfjs-core';
import { ConfigError } from './errors.js';
import { hostArray, hostEntries, tensorsFromHost } from './host-tensor.js';
import type { HostTree } from './runtime.js';
import { disposeTree, type Tree, treeUnflatten } from './tree.js';

/** The arguments of a function of a flat position, as tensors. */
export interface EagerPosition<P extends Tree, D extends Tree> {
  /** Numbers of a position. */
  readonly size: number;
  readonly data: D;
  /** Parameters at `position`, rounded to float32. Fresh tensors, owned by the enclosing scope. */
  at(position: Float64Array): P;
  /** @throws ConfigError after `dispose`. */
  checkOpen(): void;
  dispose(): void;
}

/** `what` (a density, a mapping) names the function in messages. Data are copied to tensors once. */
export function eagerPosition<P extends Tree, D extends Tree>(
  what: 'density' | 'mapping',
  like: HostTree,
  data: HostTree | undefined,
): EagerPosition<P, D> {
  const shapes = hostEntries(like).map(([path, leaf]) => hostArray(leaf, path).shape);
  const sizes = shapes.map((shape) => shape.reduce((a, b) => a * b, 1));
  // Only the structure is used: positions replace the values. Named and shaped like the host trees, whose types the
  // signature of Runtime does not tie to P and D.
  const structure = tensorsFromHost(like) as P;
  const dataTensors = (data === undefined ? [] : tensorsFromHost(data)) as D;
  let disposed = false;
  return {
    size: sizes.reduce((a, b) => a + b, 0),
    data: dataTensors,
    at(position) {
      let offset = 0;
      const leaves = shapes.map((shape, i): Tensor => {
        const end = offset + (sizes[i] ?? 0);
        const leaf = tensor(Float32Array.from(position.subarray(offset, end)), [...shape], 'float32');
        offset = end;
        return leaf;
      });
      return treeUnflatten(structure, leaves);
    },
    checkOpen() {
      if (disposed) throw new ConfigError(`the ${what} is disposed`, `make a new one with runtime.${what}`);
    },
    dispose() {
      disposed = true;
      disposeTree(structure);
      disposeTree(dataTensors);
    },
  };
}
