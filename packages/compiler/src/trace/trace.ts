import { assertTree, ConfigError, isKey, type Key, type ProgramArgument, type Tree, treeEntries, treeUnflatten } from '@bpc/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Graph, Node, Shape } from '../ir/index.js';
import { type TraceOptions, type TraceSession, withTracing } from './session.js';
import { type Draw, type NoiseSource, noiseShape, symbolicKey } from './symbolic-key.js';

/** A leaf of an argument, passed as an input. */
export type TensorSource = {
  readonly kind: 'tensor';
  readonly argument: number;
  readonly leaf: number;
  readonly path: string;
  readonly shape: Shape;
};

/** Where an input of a program comes from at each call. */
export type InputSource = TensorSource | NoiseSource;

/** A function as a graph, with what is needed to call it. */
export interface Traced<R> {
  readonly graph: Graph;
  /** In the order of the graph's inputs. */
  readonly sources: readonly InputSource[];
  /** Paths of the graph's outputs in the result; empty for a result that is one tensor. */
  readonly outputs: readonly string[];
  /** The result, shaped like the function's, from one tensor per output of the graph. */
  assemble(outputs: readonly Tensor[]): R;
}

const isPromise = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';

function noiseInputs(session: TraceSession, sources: InputSource[]): Draw {
  const known = new Map<string, Node>();
  return (source, loops) => {
    if (!session.open) throw new ConfigError(`a key of the trace of '${session.name}' is used after it`, 'pass a key as an argument');
    // Equal draws from equal keys are equal numbers: one input serves them all.
    const id = JSON.stringify(source);
    let node = known.get(id);
    if (node === undefined) {
      node = session.builder.input(noiseShape(source), 'float32');
      known.set(id, node);
      sources.push(source);
    }
    return session.tensor(loops.reduce((stacked, loop) => loop.row(stacked), node));
  };
}

/** A symbolic argument shaped like a real one. */
function symbolicArgument(
  session: TraceSession,
  argument: ProgramArgument,
  position: number,
  sources: InputSource[],
  draw: Draw,
): ProgramArgument {
  if (argument === undefined) return undefined;
  // A symbolic key is a key to whoever draws from it; the type is opaque on purpose.
  if (isKey(argument)) return symbolicKey(position, draw) as unknown as Key;
  const leaves = treeEntries(argument).map(([path, tensor], leaf) => {
    if (tensor.dtype !== 'float32' && tensor.dtype !== 'int32' && tensor.dtype !== 'bool') {
      throw new ConfigError(
        `argument ${position} has dtype ${tensor.dtype} at '${path}'`,
        'programs have float32, int32 and bool tensors only',
      );
    }
    sources.push({ kind: 'tensor', argument: position, leaf, path, shape: tensor.shape });
    return session.tensor(session.builder.input(tensor.shape, tensor.dtype));
  });
  return treeUnflatten(argument, leaves);
}

/**
 * Runs `fn` once on symbolic tensors and returns what it did as a graph. Only shapes and dtypes of `args` matter.
 *
 * Tensors that `fn` takes from outside are copied into the program as constants; keys draw inputs. One synchronous block:
 * the user's tfjs backend is current again when this returns.
 *
 * @throws ConfigError if `fn` returns a promise, reads a value, or captures a tensor that cannot be read synchronously;
 * MissingKernelError if it uses a kernel that cannot be traced; MissingGradientError for a missing gradient rule.
 * @example
 * ```ts
 * import { square, sum, type Tensor, tensor } from '@tensorflow/tfjs-core';
 * import { jsRuntime, printGraph, trace } from '@bpc/compiler';
 * jsRuntime(); // without a tfjs backend, tensors need the storage it registers
 * const traced = trace((x: Tensor) => sum(square(x)), [tensor([1, 2])]);
 * console.log(printGraph(traced.graph));
 * ```
 */
export function trace<const A extends readonly ProgramArgument[], R extends Tree>(
  fn: (...args: A) => R,
  args: A,
  options: TraceOptions = {},
): Traced<R> {
  const name = options.name ?? (fn.name || 'anonymous function');
  return withTracing({ ...options, name }, (session) => {
    const sources: InputSource[] = [];
    const draw = noiseInputs(session, sources);
    const symbolic = args.map((argument, position) => symbolicArgument(session, argument, position, sources, draw));
    // Shaped like `args` leaf by leaf, which the mapping loses.
    const result = fn(...(symbolic as unknown as A));
    if (isPromise(result)) {
      throw new ConfigError(
        `'${name}' returned a promise`,
        'a program is a synchronous function: await outside and pass the result as an argument',
      );
    }
    assertTree(result, `the result of '${name}'`);
    const entries = treeEntries(result);
    const graph = session.builder.finish(
      entries.map(([, tensor]) => session.node(tensor)),
      name,
    );
    const structure: R = result;
    return { graph, sources, outputs: entries.map(([path]) => path), assemble: (tensors) => treeUnflatten(structure, tensors) };
  });
}
