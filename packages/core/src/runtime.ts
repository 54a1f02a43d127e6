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
  /** What the environment record says about this runtime: provider, threads, versions. */
  describe(): Readonly<Record<string, string | number | boolean>>;
  dispose(): Promise<void>;
}
