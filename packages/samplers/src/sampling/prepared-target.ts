import { jsRuntime } from '@bpc/compiler';
import type { FlatDensity, FlatMapping, HostTree, Metadata, Runtime, Tree } from '@bpc/core';
import type { Scalar } from '@tensorflow/tfjs-core';
import type { Target } from '../target.js';
import type { ParameterTree } from '../transforms/parameter.js';
import { unconstrainedLike } from '../transforms/parameter-tree.js';
import { targetQuantities, unconstrainedDensity } from '../unconstrained.js';
import { checkTarget } from './check-target.js';
import { type Layout, makeLayout } from './layout.js';
import { firstRows } from './minibatch.js';

/** A target compiled for a runtime, to be sampled from any number of times. */
export interface PreparedTarget {
  /** Names, shapes and places of what draws report. */
  readonly layout: Layout;
  readonly runtime: Runtime;
  /** Frees what was compiled, and the runtime if `prepareTarget` made it. Waits for running evaluations. */
  dispose(): Promise<void>;
  /** @internal */
  readonly internals: PreparedInternals;
}

/** What chains are made from. */
export interface PreparedInternals {
  readonly parameters: ParameterTree;
  readonly data: HostTree | undefined;
  /** The log density over unconstrained trees, log-Jacobians included. */
  readonly logDensity: (u: Tree, data: Tree) => Scalar;
  readonly like: HostTree;
  readonly mapping: FlatMapping;
  /** Compiled at the first use; with `rows`, the density given the first so many rows of the data only. */
  density(rows?: number): Promise<FlatDensity>;
  /** Anything else compiled for this target, kept and freed with it; `owner` is what it was made from. */
  keep<T extends { dispose(): Promise<void> }>(owner: unknown, name: string, make: () => Promise<T>): Promise<T>;
  /** What must be equal for results to be equal to the last bit. */
  readonly environment: Metadata;
}

/** Options of `prepareTarget`: a target, and where it runs. */
export type PrepareOptions<S extends ParameterTree, H extends HostTree> = Target<S, H> & {
  /** `jsRuntime()` by default. */
  readonly runtime?: Runtime | undefined;
};

/** Values made once per owner and name, disposed together. */
function cache() {
  const owners = new Map<unknown, Map<string, Promise<{ dispose(): Promise<void> }>>>();
  return {
    get<T extends { dispose(): Promise<void> }>(owner: unknown, name: string, make: () => Promise<T>): Promise<T> {
      const values = owners.get(owner) ?? new Map<string, Promise<{ dispose(): Promise<void> }>>();
      owners.set(owner, values);
      const kept = values.get(name);
      // An owner asks for a name with one type only.
      if (kept !== undefined) return kept as Promise<T>;
      const made = make();
      values.set(name, made);
      made.catch(() => values.delete(name));
      return made;
    },
    async dispose(): Promise<void> {
      const made = await Promise.allSettled([...owners.values()].flatMap((values) => [...values.values()]));
      owners.clear();
      for (const each of made) if (each.status === 'fulfilled') await each.value.dispose();
    },
  };
}

/**
 * Compiles a target once, for many runs of `sample({ prepared, … })`: tracing and compiling take milliseconds to seconds,
 * which short runs would pay each time.
 *
 * The caller owns the result and disposes it; `sample` does not.
 *
 * @throws ConfigError or ShapeError if the target is none: what is no parameter, a log density that gives no scalar, data that
 * are no numbers; MissingKernelError if the runtime lacks an operation.
 * @example
 * ```ts
 * import { mul, square, type Scalar } from '@tensorflow/tfjs-core';
 * import { key, prepareTarget, real, sample } from '@bpc/samplers';
 * const prepared = await prepareTarget({ parameters: { x: real() }, logDensity: ({ x }) => mul(square(x), -0.5) as Scalar });
 * const [one, other] = await Promise.all([1, 2].map((seed) => sample({ prepared, key: key(seed), warmup: 200, draws: 200 }).collect()));
 * console.log(one?.length, other?.length);
 * await prepared.dispose();
 * ```
 */
export async function prepareTarget<const S extends ParameterTree, const H extends HostTree = HostTree>(
  options: PrepareOptions<S, H>,
): Promise<PreparedTarget> {
  const { parameters, data, derived } = options;
  checkTarget(options);
  const runtime = options.runtime ?? jsRuntime();
  const logDensity = unconstrainedDensity(options);
  const like = unconstrainedLike(parameters);
  const compiled = cache();
  const dispose = async (): Promise<void> => {
    await compiled.dispose();
    if (options.runtime === undefined) await runtime.dispose();
  };
  const density = (rows?: number): Promise<FlatDensity> =>
    compiled.get(runtime, `density:${rows ?? 'all'}`, () =>
      runtime.density(logDensity, like, rows === undefined || data === undefined ? data : firstRows(data, rows)),
    );
  try {
    // Without derived quantities the mapping needs no data, which may be large.
    const mapping = await compiled.get(runtime, 'mapping', () =>
      runtime.mapping(targetQuantities(options), like, derived === undefined ? undefined : data),
    );
    return {
      layout: makeLayout(parameters, mapping),
      runtime,
      dispose,
      internals: {
        parameters,
        data,
        logDensity,
        like,
        mapping,
        density,
        keep: compiled.get,
        environment: { ...runtime.describe(), name: runtime.name },
      },
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}
