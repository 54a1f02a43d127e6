import { type DType, kernelGraph, type OperandType, type TraceKernel } from '@bpc/compiler';
import { BpcError, ConfigError, MissingKernelError } from '@bpc/core';
import type { BackendValues, DataType, KernelFunc, NamedAttrMap, TensorInfo } from '@tensorflow/tfjs-core';
import type { OrtData } from '../ort.js';
import { OnnxBackend } from './backend.js';
import { KernelError, reasonOf } from './errors.js';
import { type Fallback, type HostResults, type HostTensor, mapOperands, type Operands, zeros } from './fallback.js';
import { type KernelProgram, type KernelProgramOptions, kernelProgram } from './kernel-program.js';
import { callSignature } from './program-cache.js';
import type { CallCounter } from './statistics.js';
import { type TensorData, valuesOf } from './tensor-data.js';

/** What a registered backend's kernels share. */
export type KernelOptions = Pick<KernelProgramOptions, 'lower' | 'load'> & {
  /** Name of the target in messages. */
  readonly target: string;
  readonly fallback: Fallback | undefined;
  readonly counter: CallCounter;
};

/** An operand with what is behind it, looked up at the call: it may be disposed before it is used. */
type Operand = { readonly info: TensorInfo; readonly data: TensorData };

/** Attributes such as Cast's may name dtypes that programs do not have. */
type TensorType = { readonly shape: readonly number[]; readonly dtype: DataType };

type Results = { readonly tensors: readonly TensorInfo[]; readonly list: boolean };

/** Kernels that only give values another shape, whatever their type. */
const VIEWS: ReadonlySet<string> = new Set(['Identity', 'Reshape', 'ExpandDims']);

function operandsOf(kernelName: string, inputs: object, backend: OnnxBackend): Operands<Operand> {
  const operand = (info: TensorInfo): Operand => {
    if (Array.isArray(info)) throw new MissingKernelError(kernelName, backend.name, 'it takes lists of tensors: use another tfjs backend');
    return { info, data: backend.tensor(info) };
  };
  // Optional operands are passed as null or undefined.
  const present: [string, TensorInfo][] = Object.entries(inputs).filter(([, info]) => info != null);
  return Array.isArray(inputs)
    ? present.map(([, info]) => operand(info))
    : Object.fromEntries(present.map(([name, info]) => [name, operand(info)]));
}

function ownBackend(backend: unknown): OnnxBackend {
  if (backend instanceof OnnxBackend) return backend;
  throw new ConfigError('a kernel of the ONNX backend was called with another backend', 'call kernels through tfjs operations');
}

function operandType(kernelName: string, target: string, { shape, dtype }: TensorType): OperandType {
  if (dtype === 'float32' || dtype === 'int32' || dtype === 'bool') return { shape, dtype };
  if (VIEWS.has(kernelName)) return { shape, dtype: 'float32' satisfies DType };
  throw new MissingKernelError(
    kernelName,
    target,
    `for ${dtype} tensors: pass a fallback to registerOnnxBackend, or use another tfjs backend`,
  );
}

/** Errors of a failed operand stay what they are; anything else is this kernel's. */
function failure(kernelName: string, error: unknown): unknown {
  if (error instanceof BpcError) return error;
  return new KernelError(kernelName, reasonOf(error), 'report the kernel, shapes and attributes as a bug', { cause: error });
}

function callProgram(program: KernelProgram, kernelName: string, operands: readonly Operand[], backend: OnnxBackend): Results {
  const computes = program.outputs.some(({ kind }) => kind === 'computed');
  const results = computes
    ? program
        // The graph was built for these dtypes, so the values have the types ONNX Runtime takes.
        .compute(Promise.all(operands.map(({ data }) => valuesOf(data) as Promise<OrtData>)))
        .catch((error: unknown) => Promise.reject(failure(kernelName, error)))
    : Promise.resolve([]);
  const tensors = program.outputs.map((output) => {
    const { shape, dtype } = output;
    switch (output.kind) {
      case 'view': {
        const operand = operands[output.operand];
        if (operand === undefined) throw new RangeError(`'${kernelName}' has no operand ${output.operand}`);
        return backend.view(operand.info, shape);
      }
      case 'known':
        return backend.known(output.values.slice(), shape, dtype);
      case 'computed':
        return backend.pending(
          results.then((values): BackendValues => {
            const value = values[output.position];
            if (value === undefined) throw new RangeError(`'${kernelName}' gave ${values.length} results`);
            return value;
          }),
          shape,
          dtype,
        );
    }
  });
  return { tensors, list: program.list };
}

function lowered(
  kernel: TraceKernel,
  operands: Operands<Operand>,
  attributes: object,
  backend: OnnxBackend,
  options: KernelOptions,
): Results {
  const { kernelName } = kernel;
  const types = mapOperands(operands, ({ info }) => operandType(kernelName, options.target, info));
  const signature = callSignature(
    kernelName,
    Object.entries(types).map(([name, { shape, dtype }]) => [name, shape, dtype] as const),
    attributes,
  );
  const program = backend.programs.get(signature, () => {
    const call = kernelGraph({ kernel, operands: types, attributes });
    for (const { shape, dtype } of call.graph.outputs) operandType(kernelName, options.target, { shape, dtype });
    return kernelProgram({ call, lower: options.lower, load: options.load });
  });
  return callProgram(program, kernelName, Object.values(operands), backend);
}

function sameResults(found: readonly HostTensor[], promised: readonly HostTensor[]): boolean {
  return (
    found.length === promised.length &&
    found.every(({ shape, dtype }, i) => dtype === promised[i]?.dtype && String(shape) === String(promised[i]?.shape))
  );
}

/**
 * Runs a kernel on the fallback backend: now if every operand is on the host. Otherwise the kernel runs twice: now on
 * zeros for its results' shapes, and on the values when they are there. Results whose shapes depend on values are then
 * found to differ, and are an error instead of wrong.
 */
function onFallback(
  kernelName: string,
  operands: Operands<Operand>,
  attributes: NamedAttrMap,
  backend: OnnxBackend,
  fallback: Fallback,
): Results {
  const host = ({ info: { shape, dtype }, data }: Operand): HostTensor =>
    data.values === undefined ? zeros({ shape, dtype }) : { shape, dtype, values: data.values };
  const run = () => fallback.run(kernelName, mapOperands(operands, host), attributes);
  const all: readonly Operand[] = Object.values(operands);
  if (all.every(({ data }) => data.values !== undefined)) {
    const { tensors, list } = run();
    return { list, tensors: tensors.map(({ values, shape, dtype }) => backend.known(values, shape, dtype)) };
  }
  let promised: HostResults;
  try {
    promised = run();
  } catch (cause) {
    throw new ConfigError(
      `'${kernelName}' runs on the fallback backend, which needs the values of its operands to know what shape it gives: ${reasonOf(cause)}`,
      'await data() of its operands first',
      { cause },
    );
  }
  const results = Promise.all(all.map(({ data }) => valuesOf(data)))
    .then(() => run())
    .then(({ tensors: found }) => {
      if (sameResults(found, promised.tensors)) return found;
      throw new ConfigError(
        `'${kernelName}' gave ${found.map(({ shape }) => `[${shape}]`)}, expected ${promised.tensors.map(({ shape }) => `[${shape}]`)}: its shape depends on values that were not computed yet`,
        'await data() of its operands before calling it',
      );
    })
    .catch((error: unknown) => Promise.reject(failure(kernelName, error)));
  const tensors = promised.tensors.map(({ shape, dtype }, i) => {
    const values = results.then((found) => {
      const result = found[i];
      if (result === undefined) throw new RangeError(`'${kernelName}' gave ${found.length} results`);
      return result.values;
    });
    return backend.pending(values, shape, dtype);
  });
  return { tensors, list: promised.list };
}

function asKernelResult({ tensors, list }: Results): TensorInfo | TensorInfo[] {
  const [only] = tensors;
  return list || only === undefined ? [...tensors] : only;
}

/** A kernel that the tracer knows, on ONNX Runtime; on the fallback where this call's attributes or types have no lowering. */
export function loweredKernel(kernel: TraceKernel, options: KernelOptions): KernelFunc {
  const { counter, fallback } = options;
  const { kernelName } = kernel;
  return ({ inputs, attrs, backend: any }) => {
    const backend = ownBackend(any);
    const operands = operandsOf(kernelName, inputs, backend);
    try {
      const results = lowered(kernel, operands, attrs ?? {}, backend, options);
      counter.count('lowered', kernelName);
      return asKernelResult(results);
    } catch (error) {
      const unsupported = error instanceof MissingKernelError || error instanceof ConfigError;
      if (!unsupported || !fallback?.has(kernelName)) throw error;
      const results = onFallback(kernelName, operands, attrs ?? {}, backend, fallback);
      counter.count('fallback', kernelName);
      counter.decline(kernelName, error.message);
      return asKernelResult(results);
    }
  };
}

/** A kernel that the tracer does not know, on the fallback backend. */
export function fallbackKernel(kernelName: string, fallback: Fallback, counter: CallCounter): KernelFunc {
  return ({ inputs, attrs, backend: any }) => {
    const backend = ownBackend(any);
    const results = onFallback(kernelName, operandsOf(kernelName, inputs, backend), attrs ?? {}, backend, fallback);
    counter.count('fallback', kernelName);
    return asKernelResult(results);
  };
}
