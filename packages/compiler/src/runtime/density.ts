import { checkLengths, type FlatDensity, flattenHost, type HostTree, type Tree, treeLeaves, unflattenHost, valueAndGrad } from '@bpc/core';
import { ready, type Scalar } from '@tensorflow/tfjs-core';
import { concat, reshape, type Target } from '../ir/index.js';
import { sizeOf } from '../ir/shape.js';
import { type FlatProgram, lowerFlat } from './flat-program.js';
import { type FlatGraph, refusePromise, traceFlat } from './flat-trace.js';

/** The density and its gradient as one graph: outputs [log density, gradient]. */
function traceDensity<P extends Tree, D extends Tree>(
  logDensity: (params: P, data: D) => Scalar,
  like: HostTree,
  data: HostTree | undefined,
  target: string,
): FlatGraph {
  const name = logDensity.name || 'log density';
  return traceFlat<P, D>({ name, like, data, target }, (session, params, values, size) => {
    const evaluate = (at: P): Scalar => {
      const value = logDensity(at, values);
      refusePromise(value, name, 'a log density is a synchronous function');
      return value;
    };
    const { value, grad } = valueAndGrad(evaluate)(params);
    const g = session.builder;
    const gradient = treeLeaves(grad).map((leaf) => reshape(g, session.node(leaf), [sizeOf(leaf.shape)]));
    return [reshape(g, session.node(value), []), reshape(g, concat(g, gradient, 0), [size])];
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
  const flat = traceDensity(logDensity, like, data, target.name);
  const { size } = flat;
  const program = await lowerFlat('density', flat, target);
  const check = (position: Float64Array, gradient: Float64Array): void => {
    program.checkOpen();
    checkLengths('density', position, gradient, size, size);
  };
  const density: FlatDensity = {
    size,
    flatten: (params) => flattenHost(params, like),
    unflatten: (position) => unflattenHost(position, like),
    evaluate: program.runSync
      ? synchronous(program.runSync, check)
      : async (position, gradient) => {
          check(position, gradient);
          const [value, grad] = await program.run(position);
          if (value === undefined || grad === undefined) throw new RangeError('the target returned too few outputs');
          gradient.set(grad);
          return value[0] ?? Number.NaN;
        },
    async dispose() {
      onDispose(density);
      await program.dispose();
    },
  };
  return density;
}

function synchronous(
  run: NonNullable<FlatProgram['runSync']>,
  check: (position: Float64Array, gradient: Float64Array) => void,
): (position: Float64Array, gradient: Float64Array) => number {
  const value = new Float64Array(1);
  const outputs: Float64Array[] = [value, value];
  return (position, gradient) => {
    check(position, gradient);
    outputs[1] = gradient;
    run(position, outputs);
    return value[0] ?? Number.NaN;
  };
}
