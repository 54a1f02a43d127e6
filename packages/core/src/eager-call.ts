import { BpcError, ConfigError, MissingKernelError } from './errors.js';
import { assertTree } from './program-arguments.js';
import { cloneTree, scope } from './scope.js';
import type { Tree } from './tree.js';

/** Runs `fn` on the runtime called `name`, in a scope of its own; what leaves the scope is fresh, whatever `fn` returned. */
export function runInScope<A extends readonly unknown[], R extends Tree>(name: string, fn: (...args: A) => R, args: A): R {
  return scope(() => {
    const result = callExplained(name, fn, args);
    if (typeof (result as { readonly then?: unknown } | null)?.then === 'function') {
      throw new ConfigError(
        `'${fn.name || 'anonymous function'}' returned a promise`,
        'make it synchronous: read files and wait before the call, and pass the results as arguments',
      );
    }
    assertTree(result, `the result of '${fn.name || 'anonymous function'}'`);
    // A returned argument or captured tensor belongs to somebody else; a clone shares its values, not its lifetime.
    return cloneTree(result);
  });
}

function callExplained<A extends readonly unknown[], R extends Tree>(name: string, fn: (...args: A) => R, args: A): R {
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
