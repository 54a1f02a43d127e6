import { ConfigError, type LoopResult, type TracedLoop, type TracingBackend } from '@bpc/core';
import {
  type BackendValues,
  type DataId,
  type DataType,
  engine,
  KernelBackend,
  registerBackend,
  registerKernel,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import { constant, type DType, type Node } from '../ir/index.js';
import { kernels } from './kernels/index.js';
import { traceLoop } from './loop.js';
import type { TraceSession } from './session.js';

/** What stands behind a tensor of the tracing backend: a node, or values written by `tensor()` inside the function. */
export type TraceData = {
  readonly shape: readonly number[];
  readonly dtype: DataType;
  readonly values: ArrayLike<number> | undefined;
  readonly session: TraceSession | undefined;
  node: Node | undefined;
  references: number;
};

/** tfjs demands a class: a backend whose tensors have nodes instead of values. */
class TraceBackend extends KernelBackend implements TracingBackend {
  readonly data = new Map<DataId, TraceData>();
  session: TraceSession | undefined;

  get tracedFunction(): string | undefined {
    return this.session?.name;
  }

  traceConstant(values: ArrayLike<number>, shape: readonly number[], dtype: 'float32' | 'int32'): TensorInfo {
    if (!this.session) throw new ConfigError('a constant was traced outside of a trace', 'report this as a bug');
    return { dataId: this.add(constant(this.session.builder, values, shape, dtype)), shape: [...shape], dtype };
  }

  traceLoop(loop: TracedLoop): LoopResult {
    if (!this.session) throw new ConfigError('a loop was traced outside of a trace', 'report this as a bug');
    return traceLoop(this.session, loop);
  }

  add(node: Node): DataId {
    const id = {};
    this.data.set(id, { shape: node.shape, dtype: node.dtype, values: undefined, session: this.session, node, references: 1 });
    return id;
  }

  override write(values: BackendValues, shape: number[], dtype: DataType): DataId {
    const id = {};
    this.move(id, values, shape, dtype, 1);
    return id;
  }

  override move(id: DataId, values: BackendValues, shape: number[], dtype: DataType, references: number): void {
    this.data.set(id, { shape, dtype, values: values as unknown as ArrayLike<number>, session: this.session, node: undefined, references });
  }

  override refCount(id: DataId): number {
    return this.data.get(id)?.references ?? 0;
  }

  override incRef(id: DataId): void {
    const data = this.data.get(id);
    if (data) data.references++;
  }

  decRef(id: DataId): void {
    const data = this.data.get(id);
    if (data) data.references--;
  }

  override disposeData(id: DataId, force = false): boolean {
    const data = this.data.get(id);
    if (!data) return true;
    data.references--;
    if (!force && data.references > 0) return false;
    this.data.delete(id);
    return true;
  }

  override numDataIds(): number {
    return this.data.size;
  }

  override readSync(id: DataId): BackendValues {
    const data = this.data.get(id);
    if (data?.values !== undefined) return data.values as unknown as BackendValues;
    throw new ConfigError(
      `'${this.session?.name ?? 'a compiled function'}' read the value of a tensor while it was traced`,
      'a program has no values until it runs: replace dataSync, arraySync or data and the branch on it by where(), or return the tensor',
    );
  }

  override async read(id: DataId): Promise<BackendValues> {
    return this.readSync(id);
  }

  override memory(): { unreliable: boolean } {
    return { unreliable: true };
  }

  override floatPrecision(): 16 | 32 {
    return 32;
  }

  override epsilon(): number {
    return 1e-7;
  }
}

let registered: { readonly name: string; readonly backend: TraceBackend } | undefined;

/** The tracing backend, registered on first use under a name of its own and never chosen by default. */
export function traceBackend(): { readonly name: string; readonly backend: TraceBackend } {
  if (registered && engine().findBackendFactory(registered.name) !== null) return registered;
  // A second copy of this package in one process gets a second name: the backends must not be mixed up.
  let name = 'bpc-trace';
  for (let i = 2; engine().backendNames().includes(name); i++) name = `bpc-trace-${i}`;
  const backend = new TraceBackend();
  registerBackend(name, () => backend, Number.MIN_SAFE_INTEGER);
  for (const { kernelName, build } of kernels) {
    registerKernel({
      kernelName,
      backendName: name,
      kernelFunc: ({ inputs, attrs }) => {
        const { session } = backend;
        if (!session) throw new ConfigError('a traced tensor was used after its trace', 'return it from the traced function instead');
        const operands = Array.isArray(inputs)
          ? inputs.map((x) => session.node(x))
          : Object.fromEntries(Object.entries(inputs).flatMap(([key, x]) => (x == null ? [] : [[key, session.node(x)]])));
        const result = build(session.builder, operands, attrs ?? {});
        const info = (node: Node) => ({ dataId: backend.add(node), shape: [...node.shape], dtype: node.dtype satisfies DType as DataType });
        return Array.isArray(result) ? result.map(info) : info(result as Node);
      },
    });
  }
  registered = { name, backend };
  return registered;
}
