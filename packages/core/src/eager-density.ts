import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import { dispose, tensor, tidy } from '@tensorflow/tfjs-core';
import { valueAndGrad } from './autodiff.js';
import { ConfigError, ShapeError } from './errors.js';
import { flattenHost, hostArray, hostEntries, tensorsFromHost, unflattenHost } from './host-tensor.js';
import type { FlatDensity, HostTree } from './runtime.js';
import type { Tree } from './tree.js';
import { disposeTree, treeLeaves, treeUnflatten } from './tree.js';

/**
 * A flat log density evaluated eagerly by the current tfjs backend, in float32: positions are rounded on the way in, and
 * value and gradient carry float32 errors (relative 1e-7 at best). `data` is copied to tensors once.
 */
export function eagerDensity<P extends Tree, D extends Tree>(
  logDensity: (params: P, data: D) => Scalar,
  like: HostTree,
  data: HostTree | undefined,
  check: () => void,
): FlatDensity {
  const shapes = hostEntries(like).map(([path, leaf]) => hostArray(leaf, path).shape);
  const sizes = shapes.map((shape) => shape.reduce((a, b) => a * b, 1));
  const size = sizes.reduce((a, b) => a + b, 0);
  // Only the structure is used: positions replace the values.
  const structure = tensorsFromHost(like);
  const dataTensors = (data === undefined ? [] : tensorsFromHost(data)) as D;

  const derivative = valueAndGrad(logDensity);

  let disposed = false;
  const leavesAt = (position: Float64Array): Tensor[] => {
    let offset = 0;
    return shapes.map((shape, i) => {
      const end = offset + (sizes[i] as number);
      const leaf = tensor(Float32Array.from(position.subarray(offset, end)), [...shape], 'float32');
      offset = end;
      return leaf;
    });
  };

  return {
    size,
    flatten: (params) => flattenHost(params, like),
    unflatten: (position) => unflattenHost(position, like),
    async evaluate(position, gradient) {
      check();
      if (disposed) throw new ConfigError('the density is disposed', 'make a new one with runtime.density');
      if (position.length !== size || gradient.length !== size) {
        throw new ShapeError(
          `position and gradient have ${position.length} and ${gradient.length} numbers, expected ${size}`,
          "pass vectors of the density's size",
        );
      }
      const outputs = tidy(() => {
        const { value, grad } = derivative(treeUnflatten(structure, leavesAt(position)) as P, dataTensors);
        return [value, ...treeLeaves(grad)];
      });
      const arrays = await Promise.all(outputs.map((output) => output.data()));
      dispose(outputs);
      let offset = 0;
      for (const array of arrays.slice(1)) {
        gradient.set(array, offset);
        offset += array.length;
      }
      return arrays[0]?.[0] ?? Number.NaN;
    },
    async dispose() {
      disposed = true;
      disposeTree(structure);
      disposeTree(treeLeaves(dataTensors));
    },
  };
}
