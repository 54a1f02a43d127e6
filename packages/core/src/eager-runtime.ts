import type { Scalar } from '@tensorflow/tfjs-core';
import { backend, getBackend, version_core } from '@tensorflow/tfjs-core';
import { runInScope } from './eager-call.js';
import { eagerDensity } from './eager-density.js';
import { eagerMapping } from './eager-mapping.js';
import { ConfigError } from './errors.js';
import { installGradients } from './gradients.js';
import { HOST_BACKEND } from './host-backend.js';
import { argumentLeaves, checkLeaves } from './program-arguments.js';
import type { FlatDensity, FlatMapping, HostTree, Program, ProgramArgument, Runtime } from './runtime.js';
import type { Tree } from './tree.js';
import { disposeTree } from './tree.js';

function currentBackend(): string {
  let name = getBackend() as string | undefined;
  if (!name) {
    try {
      backend();
      name = getBackend();
    } catch (cause) {
      throw new ConfigError(
        'no tfjs backend is ready',
        "import a backend such as '@tensorflow/tfjs-backend-cpu' (and await setBackend for wasm, webgl or webgpu) before eagerRuntime()",
        { cause },
      );
    }
  }
  if (name === HOST_BACKEND) {
    throw new ConfigError(
      "the tfjs backend 'host' only stores tensors",
      "import and set a computing backend such as '@tensorflow/tfjs-backend-cpu', or use a compiled runtime",
    );
  }
  return name;
}

/**
 * A runtime that calls functions directly on the tfjs backend that is set when it is made: nothing is compiled.
 *
 * Numbers are float32, `density` and `mapping` included: tfjs has no wider type. Runs start when they are called, one after the other;
 * results on asynchronous backends may still be computing when the promise resolves. Outputs are fresh tensors owned by
 * the caller.
 *
 * @throws ConfigError if no computing backend is set, if the backend was changed since, or if `fn` returns a promise;
 * MissingKernelError if the backend lacks an operation.
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { scalar, square } from '@tensorflow/tfjs-core';
 * import type { Tensor } from '@tensorflow/tfjs-core';
 * import { eagerRuntime } from '@bpc/core';
 *
 * const runtime = eagerRuntime();
 * const program = runtime.compile((x: Tensor) => square(x));
 * const nine = await program(scalar(3));
 * ```
 */
export function eagerRuntime(): Runtime {
  const backendName = currentBackend();
  const name = `tfjs:${backendName}`;
  // Functions may take gradients by tfjs's own means, which needs the rules too.
  installGradients();
  let disposed = false;
  const check = (programDisposed: boolean): void => {
    if (disposed || programDisposed) throw new ConfigError(`the ${name} ${disposed ? 'runtime' : 'program'} is disposed`, 'make a new one');
    if (getBackend() !== backendName) {
      throw new ConfigError(
        `the tfjs backend is '${getBackend()}', but this runtime was made on '${backendName}'`,
        `set '${backendName}' again, or make a new eagerRuntime()`,
      );
    }
  };

  return {
    name,
    compile<const A extends readonly ProgramArgument[], R extends Tree>(fn: (...args: A) => R): Program<A, R> {
      if (disposed) throw new ConfigError(`the ${name} runtime is disposed`, 'make a new one');
      let programDisposed = false;
      const call = async (...args: A): Promise<R> => {
        check(programDisposed);
        checkLeaves(argumentLeaves(args), fn.name || 'anonymous function');
        return runInScope(name, fn, args);
      };
      const prepare = async (...like: A): Promise<void> => {
        disposeTree(await call(...like));
      };
      const dispose = async (): Promise<void> => {
        programDisposed = true;
      };
      return Object.assign(call, { prepare, dispose });
    },
    async density<P extends Tree, D extends Tree>(
      logDensity: (params: P, data: D) => Scalar,
      like: HostTree,
      data?: HostTree,
    ): Promise<FlatDensity> {
      check(false);
      return eagerDensity(logDensity, like, data, () => check(false));
    },
    async mapping<P extends Tree, D extends Tree>(fn: (params: P, data: D) => Tree, like: HostTree, data?: HostTree): Promise<FlatMapping> {
      check(false);
      return eagerMapping(name, fn, like, data, () => check(false));
    },
    describe: () => ({ runtime: name, tfjs: version_core }),
    async dispose(): Promise<void> {
      disposed = true;
    },
  };
}
