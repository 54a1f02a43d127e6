import type { Scalar } from '@tensorflow/tfjs-core';
import { dispose, tidy } from '@tensorflow/tfjs-core';
import { valueAndGrad } from './autodiff.js';
import { eagerPosition } from './eager-position.js';
import { checkLengths } from './flat-lengths.js';
import { flattenHost, unflattenHost } from './host-tensor.js';
import type { FlatDensity, HostTree } from './runtime.js';
import type { Tree } from './tree.js';
import { treeLeaves } from './tree.js';

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
  const parameters = eagerPosition<P, D>('density', like, data);
  const { size } = parameters;
  const derivative = valueAndGrad(logDensity);
  return {
    size,
    flatten: (params) => flattenHost(params, like),
    unflatten: (position) => unflattenHost(position, like),
    async evaluate(position, gradient) {
      check();
      parameters.checkOpen();
      checkLengths('density', position, gradient, size, size);
      const outputs = tidy(() => {
        const { value, grad } = derivative(parameters.at(position), parameters.data);
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
      parameters.dispose();
    },
  };
}
