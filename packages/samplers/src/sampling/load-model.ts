import { BpcError, ConfigError, type Json, type Runtime } from '@bpc/core';
import { show } from '../show.js';
import type { Target } from '../target.js';
import type { AlgorithmFactory } from './algorithm-programs.js';
import { checkRuntime } from './check-runtime.js';
import { checkTarget } from './check-target.js';
import { type PreparedTarget, prepareTarget } from './prepared-target.js';
import type { RemoteModel } from './worker-pool.js';

/** `ModelModule` as plain JavaScript may pass it. */
export interface UncheckedModule {
  readonly module?: unknown;
  readonly export?: unknown;
  readonly options?: Json;
}

type Exports = Readonly<Record<string, unknown>>;

const list = (names: readonly string[]): string => (names.length === 0 ? 'nothing' : names.map((name) => `'${name}'`).join(', '));

/** The first line of what was thrown. */
const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';

/**
 * The module's URL and names as text.
 *
 * @throws ConfigError for a relative path, which would mean another file in every thread.
 */
export function remoteModel({ module, export: name = 'target', options }: UncheckedModule): RemoteModel {
  const href = module instanceof URL ? module.href : module;
  if (typeof href !== 'string' || !/^[a-z][a-z0-9+.-]+:/i.test(href)) {
    throw new ConfigError(
      `model.module is ${show(module)}, expected a URL`,
      "pass new URL('./model.js', import.meta.url), or import.meta.resolve('package')",
    );
  }
  if (typeof name !== 'string') throw new ConfigError(`model.export is ${show(name)}, expected a name`, 'pass the name of an export');
  return { module: href, export: name, options };
}

async function importModule(href: string): Promise<Exports> {
  try {
    return await import(/* @vite-ignore */ /* webpackIgnore: true */ href);
  } catch (cause) {
    throw new ConfigError(
      `the module ${href} cannot be imported: ${reason(cause)}`,
      'check its path, that it is JavaScript that this program can run (compiled, not TypeScript), and that it throws nothing',
      { cause },
    );
  }
}

function exported(exports: Exports, href: string, name: string): unknown {
  if (name in exports) return exports[name];
  throw new ConfigError(`the module ${href} exports no '${name}'`, `it exports ${list(Object.keys(exports))}: name one of them`);
}

/** Calls a function of the model's author; what it throws, if it is no error with a remedy, gets one. */
async function called(name: string, href: string, make: () => unknown): Promise<unknown> {
  try {
    return await make();
  } catch (cause) {
    if (cause instanceof BpcError) throw cause;
    throw new ConfigError(`'${name}' of ${href} threw: ${reason(cause)}`, 'see the cause, and the options that the model is given', {
      cause,
    });
  }
}

/** A model of a module, compiled. */
export interface LoadedModel {
  readonly prepared: PreparedTarget;
  /** An algorithm factory that the module exports. @throws ConfigError if it does not. */
  factory(name: string): AlgorithmFactory;
}

/**
 * Imports a model's module in this thread and compiles its target.
 *
 * A module that exports `runtime`, a function that makes a Runtime, is compiled for that; others for `jsRuntime()`, unless one
 * is given. Disposing `prepared` disposes the runtime that was made here.
 *
 * @throws ConfigError if the module or its export is missing, throws, or is no target.
 */
export async function loadModel({ module: href, export: name, options }: RemoteModel, given?: Runtime): Promise<LoadedModel> {
  const exports = await importModule(href);
  const value = exported(exports, href, name);
  const target: unknown = typeof value === 'function' ? await called(name, href, () => value(options satisfies Json | undefined)) : value;
  if (typeof target !== 'object' || target === null || !('parameters' in target) || !('logDensity' in target)) {
    throw new ConfigError(
      `'${name}' of ${href} is no target`,
      'export target({ parameters, logDensity, … }), or a function of the options that returns one',
    );
  }
  checkTarget(target);
  const { runtime: makeRuntime } = exports;
  const own: unknown =
    given === undefined && typeof makeRuntime === 'function' ? await called('runtime', href, () => makeRuntime()) : undefined;
  if (own !== undefined) checkRuntime(own, `what 'runtime' of ${href} returned`);
  const runtime = given ?? own;
  // Checked above, as far as a value can be.
  const compiled = prepareTarget({ ...(target as Target), ...(runtime === undefined ? {} : { runtime }) });
  const release = async (): Promise<void> => own?.dispose();
  const prepared = await compiled.catch(async (error: unknown) => {
    await release();
    throw error;
  });
  return {
    prepared: {
      ...prepared,
      async dispose() {
        await prepared.dispose();
        await release();
      },
    },
    factory(wanted) {
      const factory = exported(exports, href, wanted);
      if (typeof factory === 'function') return factory as AlgorithmFactory;
      throw new ConfigError(`'${wanted}' of ${href} is no function`, 'export ({ logDensity }) => hmc({ logDensity, … })');
    },
  };
}
