import {
  engine,
  getKernel,
  type KernelBackend,
  type NamedAttrMap,
  registerKernel,
  type Tensor,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import { MissingKernelError } from '../errors.js';
import { activeTrace } from '../tracing.js';
import { choleskyFactor, solveLower, solveLowerTransposed } from './host.js';

/** Float64 values of an operand with its shape, which ends in the axes of a matrix. */
export type HostMatrices = { readonly values: Float64Array; readonly shape: readonly number[] };

const lengthOf = (shape: readonly number[], axis: number): number => shape.at(axis) ?? 1;

/**
 * `target` becomes the factors of a stack of matrices `[…, n, n]`, of each its symmetric part (A + Aᵀ)/2.
 * @internal
 */
export function choleskyKernel(target: Float64Array, matrices: Float64Array, size: number): void {
  for (let start = 0; start < target.length; start += size * size) {
    for (let i = 0; i < size; i++) {
      for (let j = 0; j <= i; j++) {
        const [here, there] = [start + i * size + j, start + j * size + i];
        target[here] = 0.5 * ((matrices[here] as number) + (matrices[there] as number));
      }
    }
    choleskyFactor(target, size, start);
  }
}

/**
 * `target` becomes the solutions of a stack of triangular systems.
 * @internal
 */
export function triangularSolveKernel(
  target: Float64Array,
  lower: Float64Array,
  b: Float64Array,
  size: number,
  columns: number,
  transpose: boolean,
): void {
  target.set(b);
  const solve = transpose ? solveLowerTransposed : solveLower;
  for (let start = 0, at = 0; at < target.length; start += size * size, at += size * columns)
    solve(lower, size, target, columns, start, at);
}

type HostKernel = (operands: { readonly [name: string]: HostMatrices }, attributes: NamedAttrMap) => HostMatrices;

const operand = (operands: { readonly [name: string]: HostMatrices }, name: string): HostMatrices => {
  const found = operands[name];
  if (found === undefined) throw new RangeError(`no operand '${name}'`);
  return found;
};

/** Names of the kernels that tfjs-core does not know. */
type LinearAlgebraKernel = 'Cholesky' | 'TriangularSolve';

const hostKernels: Readonly<Record<LinearAlgebraKernel, HostKernel>> = {
  Cholesky(operands) {
    const { values, shape } = operand(operands, 'a');
    const target = new Float64Array(values.length);
    choleskyKernel(target, values, lengthOf(shape, -1));
    return { values: target, shape };
  },
  TriangularSolve(operands, attributes) {
    const [l, b] = [operand(operands, 'l'), operand(operands, 'b')];
    const target = new Float64Array(b.values.length);
    triangularSolveKernel(target, l.values, b.values, lengthOf(l.shape, -1), lengthOf(b.shape, -1), attributes['transpose'] === true);
    return { values: target, shape: b.shape };
  },
};

/** The kernel on the host for a tfjs backend that can be read synchronously: its values go there and back. */
function registerOn(backendName: string, kernelName: string, compute: HostKernel): void {
  registerKernel({
    kernelName,
    backendName,
    kernelFunc({ inputs, attrs, backend }): TensorInfo {
      const storage = backend as KernelBackend;
      const read = (info: TensorInfo): HostMatrices => ({
        values: Float64Array.from(storage.readSync(info.dataId) as Float32Array),
        shape: info.shape,
      });
      const operands = Object.fromEntries(Object.entries(inputs).map(([name, info]) => [name, read(info as TensorInfo)]));
      const { values, shape } = compute(operands, attrs ?? {});
      return { dataId: storage.write(Float32Array.from(values), [...shape], 'float32'), shape: [...shape], dtype: 'float32' };
    },
  });
}

/**
 * Runs a kernel of linear algebra: the tracer's own, or one on the host for every other backend. It is registered with each
 * backend that has none, so that one backend may also stand in for another.
 *
 * @internal
 */
export function runLinearAlgebra(
  kernelName: LinearAlgebraKernel,
  operands: { readonly [name: string]: Tensor },
  attributes: object,
): Tensor {
  if (activeTrace() === undefined) {
    const compute = hostKernels[kernelName];
    for (const name of engine().backendNames()) {
      if (!name.startsWith('bpc-trace') && getKernel(kernelName, name) == null) registerOn(name, kernelName, compute);
    }
  } else if (getKernel(kernelName, engine().backendName) == null) {
    throw new MissingKernelError(kernelName, 'traced', 'two versions of @bpc packages are installed: install one');
  }
  // tfjs types the inputs of kernels as maps that can be written.
  return engine().runKernel(kernelName, { ...operands }, { ...attributes } as NamedAttrMap) as Tensor;
}
