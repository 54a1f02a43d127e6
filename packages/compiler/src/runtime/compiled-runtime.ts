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
import { compiledMapping } from './mapping.js';
import { compiledProgram } from './program.js';

export type CompiledRuntimeOptions = {
  /** What lowers graphs. The runtime owns it and disposes it. */
  readonly target: Target;
  /**
   * Most bytes of noise that a `scan` keeps at a time; a longer one runs in chunks of iterations, with equal results.
   * Default 32 MiB: enough for any gain from larger chunks to vanish, little beside what a network needs.
   */
  readonly noiseBytes?: number;
  /** Most combinations of argument shapes for which a program stays compiled, per program. Default 32. */
  readonly signatures?: number;
  /** Gets warnings: a program that is compiled for ever new shapes. Default `console.warn`. */
  readonly onWarning?: (message: string) => void;
};

// biome-ignore lint/suspicious/noConsole: only the default of an option; a library user sees it on stderr.
const warn = (message: string): void => console.warn(message);

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
export function compiledRuntime(options: CompiledRuntimeOptions): Runtime {
  const { target, noiseBytes = 2 ** 25, signatures = 32, onWarning = warn } = options;
  if (!(noiseBytes > 0)) throw new ConfigError(`noiseBytes is ${noiseBytes}, expected a positive number`, 'pass a number of bytes');
  if (!Number.isInteger(signatures) || signatures < 1) {
    throw new ConfigError(`signatures is ${signatures}, expected a positive integer`, 'pass how many shapes may stay compiled');
  }
  const settings = { target, noiseBytes, signatures, warn: onWarning };
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
      const program = compiledProgram(fn, settings, (done) => open.delete(done));
      open.add(program);
      return program;
    },
    async density<P extends Tree, D extends Tree>(logDensity: (params: P, data: D) => Scalar, like: HostTree, data?: HostTree) {
      check();
      const density = await compiledDensity(logDensity, like, data, target, (done) => open.delete(done));
      open.add(density);
      return density;
    },
    async mapping<P extends Tree, D extends Tree>(fn: (params: P, data: D) => Tree, like: HostTree, data?: HostTree) {
      check();
      const mapping = await compiledMapping(fn, like, data, target, (done) => open.delete(done));
      open.add(mapping);
      return mapping;
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
