import { ConfigError } from '@bpc/core';
import {
  type BackendValues,
  backend_util,
  type DataId,
  type DataType,
  engine,
  getKernel,
  type KernelBackend,
  type KernelConfig,
  type NamedAttrMap,
  type TensorInfo,
  util,
} from '@tensorflow/tfjs-core';

/** A tensor of a kernel call with its values. */
export type HostTensor = { readonly shape: readonly number[]; readonly dtype: DataType; readonly values: BackendValues };

/** Operands by name or in a list, as tfjs passes them. */
export type Operands<T> = { readonly [name: string]: T } | readonly T[];

export function mapOperands<T, U>(operands: Operands<T>, f: (operand: T) => U): Operands<U> {
  const list = (value: Operands<T>): value is readonly T[] => Array.isArray(value);
  return list(operands) ? operands.map(f) : Object.fromEntries(Object.entries(operands).map(([name, operand]) => [name, f(operand)]));
}

/** What a kernel gave; `list` where it gives a list of tensors in place of one. */
export type HostResults = { readonly tensors: readonly HostTensor[]; readonly list: boolean };

/** Runs single kernels of another tfjs backend on values of the host. */
export interface Fallback {
  readonly name: string;
  has(kernelName: string): boolean;
  run(kernelName: string, operands: Operands<HostTensor>, attributes: NamedAttrMap): HostResults;
}

/** Zeros of a tensor's shape, where only the shapes of a kernel's results are of interest. */
export function zeros({ shape, dtype }: { readonly shape: readonly number[]; readonly dtype: DataType }): HostTensor {
  const size = util.sizeFromShape([...shape]);
  const values =
    dtype === 'string'
      ? Array.from({ length: size }, () => new Uint8Array(0))
      : dtype === 'int32'
        ? new Int32Array(size)
        : dtype === 'bool'
          ? new Uint8Array(size)
          : new Float32Array(dtype === 'complex64' ? 2 * size : size);
  return { shape, dtype, values };
}

/** What backends must be able to do here and what `KernelBackend` declares without a type for it. */
type WritableBackend = KernelBackend & { disposeData(dataId: DataId, force?: boolean): boolean };

/**
 * A fallback on the backend registered as `name`, which must be able to read synchronously (`cpu`, `wasm`, `tensorflow`).
 * Tensors go there and back by their values; nothing stays behind.
 */
export function fallbackOn(name: string): Fallback {
  const instance = (): WritableBackend => {
    const backend: KernelBackend | null = engine().findBackend(name);
    if (backend !== null && backend !== undefined) return backend;
    throw new ConfigError(`the fallback backend '${name}' is not ready`, `await setBackend('${name}') once before it is needed`);
  };
  const kernelOf = (kernelName: string): KernelConfig => {
    const kernel = getKernel(kernelName, name);
    if (kernel) return kernel;
    throw new ConfigError(`the fallback backend '${name}' has no kernel '${kernelName}'`, 'use another fallback');
  };
  return {
    name,
    has: (kernelName) => getKernel(kernelName, name) != null,
    run(kernelName, operands, attributes) {
      const backend = instance();
      const used = new Set<DataId>();
      const upload = ({ values, shape, dtype }: HostTensor): TensorInfo => {
        if (dtype === 'complex64') {
          const { real, imag } = backend_util.splitRealAndImagArrays(values as Float32Array);
          const part = (part: Float32Array) => upload({ values: part, shape, dtype: 'float32' });
          const { tensors } = call('Complex', { real: part(real), imag: part(imag) }, {});
          const [complex] = tensors;
          if (complex === undefined) throw new RangeError(`'Complex' of '${name}' gave nothing`);
          return complex;
        }
        const dataId = backend.write(values, [...shape], dtype);
        used.add(dataId);
        // Some kernels take their operands for tensors, which have a rank.
        return Object.assign({ dataId, shape: [...shape], dtype }, { rank: shape.length });
      };
      const call = (kernel: string, inputs: Operands<TensorInfo>, attrs: NamedAttrMap) => {
        // tfjs types lists of inputs as maps too.
        const result = kernelOf(kernel).kernelFunc({ inputs: inputs as { [name: string]: TensorInfo }, attrs, backend });
        const list = Array.isArray(result);
        const tensors: readonly TensorInfo[] = list ? result : [result];
        for (const { dataId } of tensors) used.add(dataId);
        return { tensors, list };
      };
      try {
        const { tensors, list } = call(kernelName, mapOperands(operands, upload), attributes);
        return { list, tensors: tensors.map(({ dataId, shape, dtype }) => ({ shape, dtype, values: backend.readSync(dataId).slice() })) };
      } finally {
        for (const dataId of used) backend.disposeData(dataId, true);
      }
    },
  };
}
