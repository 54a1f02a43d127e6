import type { Scalar, Tensor, TensorInfo } from '@tensorflow/tfjs-core';
import { engine } from '@tensorflow/tfjs-core';
import type { Key } from './random.js';

/**
 * A loop as `scan` hands it to a tracer: leaves only.
 * @internal
 */
export interface TracedLoop {
  /** Of the step, for messages. */
  readonly name: string;
  /** At least 1. */
  readonly length: number;
  readonly state: readonly Tensor[];
  readonly xs: readonly Tensor[];
  readonly key: Key | undefined;
  /** One iteration; the tracer calls it once, with symbolic tensors and a symbolic key. */
  body(state: readonly Tensor[], x: readonly Tensor[], index: () => Scalar, key: Key | undefined): LoopResult;
}

/** State after the loop (or an iteration), and results stacked along axis 0 (or those of one iteration). */
export type LoopResult = { readonly state: readonly Tensor[]; readonly ys: readonly Tensor[] };

/**
 * What the tfjs backend of a tracer offers to this package. It is found through tfjs-core's engine, which every copy of
 * this package shares, so that a trace by one copy is noticed by all.
 * @internal
 */
export interface TracingBackend {
  /** The function that is being traced; undefined between traces. */
  readonly tracedFunction: string | undefined;
  /** Values as they are, without the way through float32 that every tfjs tensor takes. */
  traceConstant(values: ArrayLike<number>, shape: readonly number[], dtype: 'float32' | 'int32'): TensorInfo;
  /** The loop as one operation of the program. */
  traceLoop(loop: TracedLoop): LoopResult;
}

type ActiveTrace = TracingBackend & { readonly tracedFunction: string };

function isTracing(backend: object | undefined): backend is ActiveTrace {
  return backend !== undefined && 'tracedFunction' in backend && typeof backend.tracedFunction === 'string' && 'traceConstant' in backend;
}

/** The backend of the trace in progress, if there is one. */
export function activeTrace(): ActiveTrace | undefined {
  const { registry, backendName } = engine();
  const backend: object | undefined = registry[backendName];
  return isTracing(backend) ? backend : undefined;
}
