import { runInScope } from './eager-call.js';
import { eagerPosition } from './eager-position.js';
import { checkLengths } from './flat-lengths.js';
import { flattenHost } from './host-tensor.js';
import type { FlatMapping, HostTree } from './runtime.js';
import { scope } from './scope.js';
import type { Tree } from './tree.js';
import { disposeTree, treeEntries, treeLeaves } from './tree.js';

/**
 * A flat mapping evaluated eagerly by the current tfjs backend, in float32. It is run once at the values of `like`, since
 * nothing else tells the shapes of its results.
 */
export function eagerMapping<P extends Tree, D extends Tree>(
  runtime: string,
  fn: (params: P, data: D) => Tree,
  like: HostTree,
  data: HostTree | undefined,
  check: () => void,
): FlatMapping {
  const parameters = eagerPosition<P, D>('mapping', like, data);
  const { size } = parameters;
  // The position's tensors belong to a scope, too, which frees them if `fn` throws.
  const call = (position: Float64Array): Tree => scope(() => runInScope(runtime, fn, [parameters.at(position), parameters.data]));
  const example = ((): Tree => {
    try {
      return call(flattenHost(like));
    } catch (error) {
      parameters.dispose();
      throw error;
    }
  })();
  const outputs = treeEntries(example).map(([path, { shape }]) => ({ path, shape }));
  const outputSize = treeLeaves(example).reduce((sum, leaf) => sum + leaf.size, 0);
  disposeTree(example);
  return {
    size,
    outputSize,
    outputs,
    async evaluate(position, out) {
      check();
      parameters.checkOpen();
      checkLengths('mapping', position, out, size, outputSize);
      const result = call(position);
      const arrays = await Promise.all(treeLeaves(result).map((leaf) => leaf.data()));
      disposeTree(result);
      let offset = 0;
      for (const array of arrays) {
        out.set(array, offset);
        offset += array.length;
      }
    },
    async dispose() {
      parameters.dispose();
    },
  };
}
