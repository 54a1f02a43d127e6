import type { Scalar } from '@tensorflow/tfjs-core';
import type { Key } from './random.js';
import type { Tree } from './tree.js';

/** Numbers on the host: a scalar, a nested array of numbers, or a typed array (rank 1 unless wrapped with a shape). */
export type HostTensor =
  | number
  | Float32Array
  | Float64Array
  | Int32Array
  | readonly number[]
  | readonly (readonly number[])[]
  | readonly (readonly (readonly number[])[])[]
  | { readonly data: Float32Array | Float64Array | Int32Array; readonly shape: readonly number[] };

/** A tree of host numbers. Stays float64 on the js runtime, whereas a `tf.tensor` is float32 already. */
export type HostTree = HostTensor | { readonly [name: string]: HostTree };

/** What a compiled program accepts: trees of tensors, keys, or nothing. */
export type ProgramArgument = Tree | Key | undefined;

/**
 * A function traced once per combination of input shapes and then run by a backend, like `jax.jit`.
 *
 * Outputs are fresh tensors owned by the caller and never alias inputs. Arguments are neither disposed nor modified.
 * Overlapping calls queue.
 */
export interface Program<A extends readonly ProgramArgument[], R extends Tree> {
  (...args: A): Promise<R>;
  /** Traces and compiles now, so that every compile-time error surfaces here. Argument values are not used. */
  prepare(...like: A): Promise<void>;
  /** Frees everything compiled. Waits for a running call. */
  dispose(): Promise<void>;
  /** Of a compiled program, the graphs compiled so far, to be read. */
  toString(): string;
}

/** A log density over a flat float64 vector, with its gradient. */
export interface FlatDensity {
  /** Number of unconstrained parameters. */
  readonly size: number;
  flatten(params: HostTree): Float64Array;
  unflatten(position: Float64Array): HostTree;
  /** Returns the log density in nats and fills `gradient`. Synchronous on the js runtime. */
  evaluate(position: Float64Array, gradient: Float64Array): number | Promise<number>;
  dispose(): Promise<void>;
}

/**
 * A function of a flat float64 vector whose result is one, too, without a gradient: the constrained or derived values of a
 * draw.
 */
export interface FlatMapping {
  /** Number of unconstrained parameters. */
  readonly size: number;
  /** Numbers of all outputs together. */
  readonly outputSize: number;
  /** The result's leaves in canonical order (names sorted), one after the other in `out`; names joined by `/`. */
  readonly outputs: readonly { readonly path: string; readonly shape: readonly number[] }[];
  /** Fills `out`. Synchronous and in float64 on the js runtime, later and in float32 elsewhere. */
  evaluate(position: Float64Array, out: Float64Array): void | Promise<void>;
  dispose(): Promise<void>;
}

/** The injected backend: where tensor programs run. */
export interface Runtime {
  /** `'js'`, `'tfjs:wasm'`, `'tfjs:cpu'`, `'onnx:cpu'`, … */
  readonly name: string;
  /**
   * Makes a program from a pure, synchronous function of tensor trees and keys.
   *
   * @throws ConfigError if `fn` returns a promise; MissingKernelError (from the first call or `prepare`) if the target
   * lacks an operation.
   */
  compile<const A extends readonly ProgramArgument[], R extends Tree>(fn: (...args: A) => R): Program<A, R>;
  /** A log density and its gradient over a flat float64 vector. `like` gives names and shapes of the parameters. */
  density<P extends Tree, D extends Tree>(
    logDensity: (params: P, data: D) => Scalar,
    like: HostTree,
    data?: HostTree,
  ): Promise<FlatDensity>;
  /**
   * A function of the parameters as a mapping of flat float64 vectors. `like` gives names and shapes of the parameters,
   * `data` is copied once. The result is any tree of tensors; int32 and bool ones become float64 numbers, and it need not
   * depend on the parameters.
   *
   * @throws ConfigError if `fn` returns a promise or no tree of tensors; MissingKernelError if the target lacks an
   * operation. From `evaluate`: ShapeError for vectors of other lengths, ConfigError after `dispose`.
   * @example
   * ```ts
   * import { exp, type Tensor } from '@tensorflow/tfjs-core';
   * import { jsRuntime } from '@bpc/compiler';
   * const constrain = await jsRuntime().mapping((p: { logScale: Tensor }) => ({ scale: exp(p.logScale) }), { logScale: 0 });
   * const out = new Float64Array(constrain.outputSize);
   * constrain.evaluate(Float64Array.of(0), out);
   * console.log(constrain.outputs, out); // [{ path: 'scale', shape: [] }] [1]
   * ```
   */
  mapping<P extends Tree, D extends Tree>(fn: (params: P, data: D) => Tree, like: HostTree, data?: HostTree): Promise<FlatMapping>;
  /** What the environment record says about this runtime: provider, threads, versions. */
  describe(): Readonly<Record<string, string | number | boolean>>;
  dispose(): Promise<void>;
}
