import type { Scalar } from '@tensorflow/tfjs-core';
import { backend, getBackend, version_core } from '@tensorflow/tfjs-core';
import { eagerDensity } from './eager-density.js';
import { BpcError, ConfigError, MissingKernelError } from './errors.js';
import { installGradients } from './gradients.js';
import { HOST_BACKEND } from './host-backend.js';
import { argumentLeaves, assertTree, checkLeaves } from './program-arguments.js';
import type { FlatDensity, HostTree, Program, ProgramArgument, Runtime } from './runtime.js';
import { cloneTree, scope } from './scope.js';
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

/** Runs `fn` in a scope of its own; what leaves the scope is fresh, whatever `fn` returned. */
function runInScope<A extends readonly ProgramArgument[], R extends Tree>(name: string, fn: (...args: A) => R, args: A): R {
  return scope(() => {
    const result = callExplained(name, fn, args);
    if (typeof (result as { readonly then?: unknown } | null)?.then === 'function') {
      throw new ConfigError(
        'the function given to compile returned a promise',
        'make it synchronous: read files and wait before the call, and pass the results as arguments',
      );
    }
    assertTree(result, `the result of '${fn.name || 'anonymous function'}'`);
    // A returned argument or captured tensor belongs to somebody else; a clone shares its values, not its lifetime.
    return cloneTree(result);
  });
}

function callExplained<A extends readonly ProgramArgument[], R extends Tree>(name: string, fn: (...args: A) => R, args: A): R {
  try {
    return fn(...args);
  } catch (error) {
    throw explain(name, fn.name || 'anonymous function', error);
  }
}

function explain(name: string, functionName: string, error: unknown): unknown {
  const missing = error instanceof Error && !(error instanceof BpcError) && /Kernel '(\w+)' not registered/.exec(error.message);
  if (!missing) return error;
  return new MissingKernelError(
    missing[1] ?? 'unknown',
    name,
    `found while running '${functionName}': use another backend ('cpu' has every kernel) or a compiled runtime`,
    { cause: error },
  );
}

/**
 * A runtime that calls functions directly on the tfjs backend that is set when it is made: nothing is compiled.
 *
 * Numbers are float32, `density` included: tfjs has no wider type. Runs start when they are called, one after the other;
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
    describe: () => ({ runtime: name, tfjs: version_core }),
    async dispose(): Promise<void> {
      disposed = true;
    },
  };
}
