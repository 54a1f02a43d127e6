import { assertTree, checkLengths, type FlatMapping, type HostTree, type Tree, treeEntries } from '@bpc/core';
import { ready } from '@tensorflow/tfjs-core';
import { cast, concat, reshape, type Target } from '../ir/index.js';
import { sizeOf } from '../ir/shape.js';
import { lowerFlat } from './flat-program.js';
import { type FlatGraph, refusePromise, traceFlat } from './flat-trace.js';

type Outputs = FlatMapping['outputs'];

/** The function as a graph with one flat output, and the leaves of its result. */
function traceMapping<P extends Tree, D extends Tree>(
  fn: (params: P, data: D) => Tree,
  like: HostTree,
  data: HostTree | undefined,
  target: string,
): { readonly flat: FlatGraph; readonly outputs: Outputs; readonly outputSize: number } {
  const name = fn.name || 'mapping';
  let outputs: Outputs = [];
  const flat = traceFlat<P, D>({ name, like, data, target }, (session, params, values) => {
    const result = fn(params, values);
    refusePromise(result, name, 'a mapping is a synchronous function');
    assertTree(result, `the result of '${name}'`);
    const entries = treeEntries(result);
    outputs = entries.map(([path, { shape }]) => ({ path, shape }));
    const g = session.builder;
    const leaves = entries.map(([, leaf]) => reshape(g, cast(g, session.node(leaf), 'float32'), [sizeOf(leaf.shape)]));
    return leaves.length > 0 ? [concat(g, leaves, 0)] : [];
  });
  return { flat, outputs, outputSize: outputs.reduce((sum, { shape }) => sum + sizeOf(shape), 0) };
}

/**
 * A function over a flat vector with a flat result, in float64 where the target computes in float64. Synchronous if the
 * target runs synchronously.
 */
export async function compiledMapping<P extends Tree, D extends Tree>(
  fn: (params: P, data: D) => Tree,
  like: HostTree,
  data: HostTree | undefined,
  target: Target,
  onDispose: (mapping: FlatMapping) => void,
): Promise<FlatMapping> {
  await ready();
  const { flat, outputs, outputSize } = traceMapping(fn, like, data, target.name);
  const program = await lowerFlat('mapping', flat, target);
  const { runSync } = program;
  // Kept and refilled, so that a call allocates nothing.
  const results: Float64Array[] = [new Float64Array(0)];
  const check = (position: Float64Array, out: Float64Array): void => {
    program.checkOpen();
    checkLengths('mapping', position, out, flat.size, outputSize);
  };
  const mapping: FlatMapping = {
    size: flat.size,
    outputSize,
    outputs,
    evaluate: runSync
      ? (position, out) => {
          check(position, out);
          results[0] = out;
          runSync(position, results);
        }
      : async (position, out) => {
          check(position, out);
          const [values] = await program.run(position);
          out.set(values ?? []);
        },
    async dispose() {
      onDispose(mapping);
      await program.dispose();
    },
  };
  return mapping;
}
