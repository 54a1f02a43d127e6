import { BpcError, ConfigError, ensureHostBackend, MissingGradientError } from '@bpc/core';
import { engine, type Tensor, type TensorInfo, tidy } from '@tensorflow/tfjs-core';
import { type Builder, constant, type DType, graphBuilder, type Node, reshape, type Shape } from '../ir/index.js';
import { traceBackend } from './backend.js';
import { missingKernel } from './coverage.js';

import { recoverLiteral } from './literal.js';

export type TraceOptions = {
  /** Name of the traced function in messages and in the graph. Default: the function's own. */
  readonly name?: string;
  /** Target for which is traced, named in messages. Default `'traced'`. */
  readonly target?: string;
  /** Apply the algebraic rules. Default true; tests switch it off to compare. */
  readonly simplify?: boolean;
};

/** One trace in progress. */
export interface TraceSession {
  readonly name: string;
  readonly builder: Builder;
  /** False when the trace is over. */
  readonly open: boolean;
  /** A symbolic tensor standing for a node; owned by the surrounding tidy. */
  tensor(node: Node): Tensor;
  /** The node behind a tensor; a tensor that is not symbolic is copied into the program as a constant. */
  node(tensor: TensorInfo): Node;
}

/** Literals written while tracing are recovered up to this many elements; larger ones are data. */
const RECOVER_LIMIT = 4096;

function irType(tensor: TensorInfo, name: string): DType {
  const { dtype } = tensor;
  if (dtype === 'float32' || dtype === 'int32' || dtype === 'bool') return dtype;
  throw new ConfigError(`'${name}' uses a tensor of dtype ${dtype}`, 'programs have float32, int32 and bool tensors only');
}

function readCaptured(tensor: TensorInfo, name: string): ArrayLike<number> {
  if (('isDisposed' in tensor && tensor.isDisposed === true) || !engine().state.tensorInfo.has(tensor.dataId)) {
    throw new ConfigError(
      `'${name}' uses a tensor [${tensor.shape}] that is disposed, or of another trace`,
      "keep it alive; if a scan's step, a scope or another traced function made it, return it from there",
    );
  }
  try {
    // A copy: the caller may dispose or change the tensor after the trace.
    return Array.from(engine().readSync(tensor.dataId) as unknown as ArrayLike<number>);
  } catch (cause) {
    throw new ConfigError(
      `'${name}' uses a tensor [${tensor.shape}] from outside that its backend cannot read synchronously`,
      'pass it as an argument',
      { cause },
    );
  }
}

/** tfjs reports missing kernels and gradients as plain errors. */
function translate(error: unknown, name: string, target: string): unknown {
  if (error instanceof BpcError || !(error instanceof Error)) return error;
  const missing = missingKernel(error, name, target);
  if (missing) return missing;
  const gradient = /gradient function not found for (\w+)/.exec(error.message)?.[1];
  if (gradient !== undefined) {
    return new MissingGradientError(
      `'${name}' differentiates through '${gradient}', which has no gradient rule`,
      'compose it from operations that have one (see ops of @bpc/core)',
      { cause: error },
    );
  }
  return error;
}

/**
 * Runs `body` with the tracing backend current, as one synchronous block: `setBackend` is global, so nothing else may run
 * between the switch and the way back. Every tensor made inside is disposed at the end.
 */
export function withTracing<T>(options: TraceOptions & { readonly name: string }, body: (session: TraceSession) => T): T {
  ensureHostBackend();
  const { name: backendName, backend } = traceBackend();
  const { name, target = 'traced', simplify = true } = options;
  if (backend.session)
    throw new ConfigError(
      `'${name}' was traced inside the trace of '${backend.session.name}'`,
      'call the function itself instead of its program',
    );
  const previous = currentBackend();
  const builder = graphBuilder({ simplify });
  const captured = new Map<object, Node>();
  const session: TraceSession & { open: boolean } = {
    name,
    open: true,
    builder,
    tensor: (node) => engine().makeTensorFromTensorInfo({ dataId: backend.add(node), shape: [...node.shape], dtype: node.dtype }, backend),
    node(tensor) {
      const data = backend.data.get(tensor.dataId);
      if (data?.node && data.session === session) return reshape(builder, data.node, tensor.shape);
      let found = captured.get(tensor.dataId);
      if (found === undefined) {
        const dtype = irType(tensor, name);
        const values = data?.values ?? readCaptured(tensor, name);
        const literal = dtype === 'float32' && values.length <= (data ? RECOVER_LIMIT : 1);
        found = constant(builder, literal ? Array.from(values, recoverLiteral) : Array.from(values), tensor.shape as Shape, dtype);
        if (data) data.node = undefined;
        captured.set(tensor.dataId, found);
      }
      return reshape(builder, found, tensor.shape);
    },
  };
  backend.session = session;
  // Synchronous up to its end, since both backends exist already; only the promise it returns is late.
  void engine().setBackend(backendName);
  try {
    let result: { readonly value: T } | undefined;
    tidy(() => {
      result = { value: body(session) };
    });
    if (!result) throw new Error('the traced function did not run');
    return result.value;
  } catch (error) {
    throw translate(error, name, target);
  } finally {
    void engine().setBackend(previous);
    backend.session = undefined;
    session.open = false;
    releaseLeftovers();
  }
}

/** The user's backend, initialised now if none is yet. */
function currentBackend(): string {
  try {
    // The getter initialises the best backend; the name alone may be unset.
    void engine().backend;
    return engine().backendName;
  } catch (cause) {
    throw new ConfigError('the tfjs backend is not ready', 'await ready() of tfjs-core first', { cause });
  }
}

/** A gradient that throws, or keep(), leaves tensors that no tidy knows. */
function releaseLeftovers(): void {
  const { backend } = traceBackend();
  for (const [dataId, { shape, dtype }] of [...backend.data]) {
    const size = shape.reduce((a, b) => a * b, 1);
    for (let guard = backend.refCount(dataId); guard > 0 && backend.data.has(dataId); guard--) {
      engine().disposeTensor({ dataId, shape, dtype, size } as unknown as Tensor);
    }
  }
}
