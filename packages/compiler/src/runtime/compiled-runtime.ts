import {
  ConfigError,
  ensureHostBackend,
  type HostTree,
  installGradients,
  type Program,
  type ProgramArgument,
  type Runtime,
  type Tree,
} from '@bpc/core';
import type { Scalar } from '@tensorflow/tfjs-core';
import type { Target } from '../ir/index.js';
import { compiledDensity } from './density.js';
import { compiledProgram } from './program.js';

export type CompiledRuntimeOptions = {
  /** What lowers graphs. The runtime owns it and disposes it. */
  readonly target: Target;
};

/**
 * A runtime that traces functions and hands their graphs to a target.
 *
 * Works with nothing but tfjs-core installed: without a tfjs backend, it registers one that only stores values.
 *
 * @example
 * ```ts
 * import { scalar, square, type Tensor } from '@tensorflow/tfjs-core';
 * import { compiledRuntime, jsTarget } from '@bpc/compiler';
 * const runtime = compiledRuntime({ target: jsTarget() });
 * const squared = runtime.compile((x: Tensor) => square(x));
 * console.log((await squared(scalar(3))).dataSync());
 * ```
 */
export function compiledRuntime({ target }: CompiledRuntimeOptions): Runtime {
  ensureHostBackend();
  // Functions may take gradients by tfjs's own means, which needs the rules too.
  installGradients();
  const open = new Set<{ dispose(): Promise<void> }>();
  let disposed = false;
  const check = () => {
    if (disposed) throw new ConfigError(`the ${target.name} runtime is disposed`, 'make a new runtime');
  };
  return {
    name: target.name,
    compile<const A extends readonly ProgramArgument[], R extends Tree>(fn: (...args: A) => R): Program<A, R> {
      check();
      const program = compiledProgram(fn, target, (done) => open.delete(done));
      open.add(program);
      return program;
    },
    async density<P extends Tree, D extends Tree>(logDensity: (params: P, data: D) => Scalar, like: HostTree, data?: HostTree) {
      check();
      const density = await compiledDensity(logDensity, like, data, target, (done) => open.delete(done));
      open.add(density);
      return density;
    },
    describe: () => target.describe(),
    async dispose() {
      if (disposed) return;
      disposed = true;
      await Promise.all([...open].map((each) => each.dispose()));
      await target.dispose();
    },
  };
}
