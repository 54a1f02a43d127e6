import { argumentLeaves, ConfigError, checkLeaves, isKey, type Program, type ProgramArgument, type Tree } from '@bpc/core';
import { ready, type Tensor, tensor } from '@tensorflow/tfjs-core';
import type { Target } from '../ir/index.js';
import { signature } from '../trace/arguments.js';
import { traceBackend } from '../trace/backend.js';
import { printTraced } from '../trace/print-traced.js';
import { drawNoise } from '../trace/symbolic-key.js';
import { type InputSource, type Traced, trace } from '../trace/trace.js';
import { cache } from './cache.js';
import { type OutputPlan, planOutputs, type Values } from './outputs.js';
import { queue } from './queue.js';
import { lowerStaged, type ReadInput, type Staged } from './staged.js';

/** What programs are made for. */
export type ProgramSettings = {
  readonly target: Target;
  /** Most bytes of a loop's noise that a call keeps at a time. */
  readonly noiseBytes: number;
  /** Most combinations of shapes for which one program stays compiled. */
  readonly signatures: number;
  readonly warn: (message: string) => void;
};

/** A function compiled for one combination of shapes. */
type Compiled<R> = { readonly traced: Traced<R>; readonly plan: OutputPlan; readonly staged: Staged | undefined };

async function compileFor<A extends readonly ProgramArgument[], R extends Tree>(
  fn: (...args: A) => R,
  args: A,
  { target, noiseBytes }: ProgramSettings,
): Promise<Compiled<R>> {
  await ready();
  const traced = trace(fn, args, { target: target.name });
  const plan = planOutputs(traced.graph);
  const empty = plan.graph.outputs.length === 0;
  return { traced, plan, staged: empty ? undefined : await lowerStaged(plan.graph, traced.sources, target, noiseBytes) };
}

/** Arguments of one call with their tensors. */
type Call = { readonly args: readonly ProgramArgument[]; readonly leaves: ReturnType<typeof argumentLeaves> };

/** The values of one input at this call: a tensor's, or noise drawn from the real key, possibly for some iterations only. */
async function inputValues(source: InputSource, { args, leaves }: Call, rows?: Parameters<ReadInput>[1]): Promise<Values> {
  if (source.kind === 'tensor') {
    const leaf = leaves[source.argument]?.[source.leaf];
    if (leaf === undefined) throw new RangeError(`argument ${source.argument} has no leaf ${source.leaf}`);
    return leaf[1].data() as Promise<Values>;
  }
  const argument = args[source.argument];
  if (!isKey(argument)) throw new RangeError(`argument ${source.argument} is not a key`);
  return drawNoise(argument, source, rows?.first, rows?.count);
}

async function execute<R>({ traced, plan, staged }: Compiled<R>, call: Call): Promise<R> {
  const { outputs } = traced.graph;
  const whole = new Map<number, Promise<Values>>();
  const read: ReadInput = (index, rows) => {
    const source = traced.sources[index];
    if (source === undefined) throw new RangeError(`no source for input ${index}`);
    if (rows !== undefined) return inputValues(source, call, rows);
    const values = whole.get(index) ?? inputValues(source, call);
    whole.set(index, values);
    return values;
  };
  const computed = staged ? await staged.run(read) : [];
  const returned: Values[] = [];
  for (const node of outputs) if (node.op === 'Input') returned[node.attributes.index] = await read(node.attributes.index);
  const tensors: Tensor[] = plan.collect(returned, computed).map((values, i) => {
    const node = outputs[i];
    // tfjs types its typed arrays as one union.
    return tensor(values as Float32Array, [...(node?.shape ?? [])], node?.dtype);
  });
  return traced.assemble(tensors);
}

/**
 * A callable program: traced and lowered once per combination of structures, shapes and dtypes, then only run. At most
 * `signatures` combinations stay compiled; beyond, a warning says so once and the one used longest ago is freed.
 *
 * Calls run one after the other in the order they came.
 */
export function compiledProgram<const A extends readonly ProgramArgument[], R extends Tree>(
  fn: (...args: A) => R,
  settings: ProgramSettings,
  onDispose: (program: Program<A, R>) => void,
): Program<A, R> {
  const { run, idle } = queue();
  const name = fn.name || 'anonymous function';
  let disposed = false;
  let warned = false;
  /** What `toString` prints, in the order of compilation. */
  const live = new Set<Traced<R>>();
  const free = (entry: Promise<Compiled<R>>): Promise<void> =>
    entry
      .then(({ traced, staged }) => {
        live.delete(traced);
        return staged?.dispose();
      })
      .catch(() => undefined);
  const evictions = new Set<Promise<void>>();
  const compiled = cache<Compiled<R>>(settings.signatures, (entry) => {
    if (!warned) {
      settings.warn(
        `'${name}' was called with more than ${settings.signatures} combinations of shapes and is compiled anew for each: pad its arguments to fewer shapes`,
      );
    }
    warned = true;
    const eviction = free(entry).finally(() => evictions.delete(eviction));
    evictions.add(eviction);
  });
  const compile = (args: A): Promise<Compiled<R>> =>
    compiled.get(signature(args), async () => {
      const made = await compileFor(fn, args, settings);
      live.add(made.traced);
      return made;
    });
  const check = () => {
    if (disposed) throw new ConfigError(`the program of '${name}' is disposed`, 'compile the function again');
    const { session } = traceBackend().backend;
    if (session) {
      throw new ConfigError(
        `the program of '${name}' was called inside the trace of '${session.name}'`,
        'call the function itself instead of its program',
      );
    }
  };
  const call = async (...args: A): Promise<R> => {
    check();
    const given: Call = { args, leaves: argumentLeaves(args) };
    checkLeaves(given.leaves, name);
    return run(async () => execute(await compile(args), given));
  };
  const program: Program<A, R> = Object.assign(call, {
    async prepare(...like: A) {
      check();
      // Refuses what is no tree of tensors.
      argumentLeaves(like);
      await run(() => compile(like));
    },
    /** The graphs compiled so far, one per combination of shapes, to be read. */
    toString() {
      const graphs = [...live].map(printTraced);
      return graphs.length > 0 ? graphs.join('\n\n') : `${name}: not compiled yet; call it, or prepare(…)`;
    },
    async dispose() {
      if (disposed) return;
      disposed = true;
      await idle();
      onDispose(program);
      await Promise.all([...evictions, ...compiled.clear().map(free)]);
    },
  });
  return program;
}
