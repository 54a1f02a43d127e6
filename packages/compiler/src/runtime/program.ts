import { ConfigError, isKey, type Program, type ProgramArgument, type Tree } from '@bpc/core';
import { ready, type Tensor, tensor } from '@tensorflow/tfjs-core';
import type { Executable, Target } from '../ir/index.js';
import { allLeaves, signature } from '../trace/arguments.js';
import { drawNoise } from '../trace/symbolic-key.js';
import { type InputSource, type Traced, trace } from '../trace/trace.js';
import { type OutputPlan, planOutputs, type Values } from './outputs.js';
import { queue } from './queue.js';

/** A function compiled for one combination of shapes. */
type Compiled<R> = { readonly traced: Traced<R>; readonly plan: OutputPlan; readonly executable: Executable | undefined };

async function compileFor<A extends readonly ProgramArgument[], R extends Tree>(
  fn: (...args: A) => R,
  args: A,
  target: Target,
): Promise<Compiled<R>> {
  await ready();
  const traced = trace(fn, args, { target: target.name });
  const plan = planOutputs(traced.graph);
  return { traced, plan, executable: plan.graph.outputs.length > 0 ? await target.lower(plan.graph) : undefined };
}

/** Arguments of one call with their tensors. */
type Call = { readonly args: readonly ProgramArgument[]; readonly leaves: ReturnType<typeof allLeaves> };

/** The values of one input at this call: a tensor's, or noise drawn from the real key. */
async function inputValues(source: InputSource, { args, leaves }: Call): Promise<Values> {
  if (source.kind === 'tensor') {
    const leaf = leaves[source.argument]?.[source.leaf];
    if (leaf === undefined) throw new RangeError(`argument ${source.argument} has no leaf ${source.leaf}`);
    return leaf[1].data() as Promise<Values>;
  }
  const argument = args[source.argument];
  if (!isKey(argument)) throw new RangeError(`argument ${source.argument} is not a key`);
  return drawNoise(argument, source);
}

function checkAlive({ leaves }: Call, name: string): void {
  leaves.forEach((entries, position) => {
    for (const [path, leaf] of entries) {
      if (leaf.isDisposed) {
        throw new ConfigError(
          `argument ${position} of '${name}' is disposed${path ? ` at '${path}'` : ''}`,
          'pass tensors that are still alive',
        );
      }
    }
  });
}

async function execute<R>({ traced, plan, executable }: Compiled<R>, call: Call): Promise<R> {
  const inputs = await Promise.all(traced.sources.map((source) => inputValues(source, call)));
  const computed = executable ? await executable.run(inputs) : [];
  const { outputs } = traced.graph;
  const tensors: Tensor[] = plan.collect(inputs, computed).map((values, i) => {
    const node = outputs[i];
    // tfjs types its typed arrays as one union.
    return tensor(values as Float32Array, [...(node?.shape ?? [])], node?.dtype);
  });
  return traced.assemble(tensors);
}

/**
 * A callable program: traced and lowered once per combination of structures, shapes and dtypes, then only run.
 *
 * Calls run one after the other in the order they came.
 */
export function compiledProgram<const A extends readonly ProgramArgument[], R extends Tree>(
  fn: (...args: A) => R,
  target: Target,
  onDispose: (program: Program<A, R>) => void,
): Program<A, R> {
  const cache = new Map<string, Promise<Compiled<R>>>();
  const { run, idle } = queue();
  const name = fn.name || 'anonymous function';
  let disposed = false;
  const compiled = (args: A): Promise<Compiled<R>> => {
    const id = signature(args);
    let entry = cache.get(id);
    if (entry === undefined) {
      entry = compileFor(fn, args, target);
      cache.set(id, entry);
      // A failure is not remembered: what the function captures may have changed by the next call.
      entry.catch(() => cache.delete(id));
    }
    return entry;
  };
  const check = () => {
    if (disposed) throw new ConfigError(`the program of '${name}' is disposed`, 'compile the function again');
  };
  const call = async (...args: A): Promise<R> => {
    check();
    const given: Call = { args, leaves: allLeaves(args) };
    checkAlive(given, name);
    return run(async () => execute(await compiled(args), given));
  };
  const program: Program<A, R> = Object.assign(call, {
    async prepare(...like: A) {
      check();
      // Refuses what is no tree of tensors.
      allLeaves(like);
      await run(() => compiled(like));
    },
    async dispose() {
      if (disposed) return;
      disposed = true;
      await idle();
      const entries = await Promise.allSettled(cache.values());
      cache.clear();
      onDispose(program);
      await Promise.all(entries.map((entry) => (entry.status === 'fulfilled' ? entry.value.executable?.dispose() : undefined)));
    },
  });
  return program;
}
