import { ConfigError } from '@bpc/core';
import {
  type BackendTimingInfo,
  type BackendValues,
  type DataId,
  DataStorage,
  type DataType,
  engine,
  KernelBackend,
  type TensorInfo,
  util,
} from '@tensorflow/tfjs-core';
import { PendingTensorError } from './errors.js';
import type { ProgramCache } from './program-cache.js';
import { copyValues, hostData, ownValues, pendingData, type TensorData, valuesOf } from './tensor-data.js';

/** tfjs demands a class: keeps the tensors of the eager backend, whose values may still be on their way. */
export class OnnxBackend extends KernelBackend {
  readonly name: string;
  readonly programs: ProgramCache;
  readonly #tensors: DataStorage<TensorData>;
  readonly #running = new Set<Promise<unknown>>();

  constructor(name: string, programs: ProgramCache) {
    super();
    this.name = name;
    this.programs = programs;
    this.#tensors = new DataStorage<TensorData>(this, engine());
  }

  /** What is behind an operand of a kernel; a tensor of another backend is moved here. */
  tensor({ dataId, shape, dtype }: TensorInfo): TensorData {
    try {
      return this.#tensors.get(dataId);
    } catch (cause) {
      if (cause instanceof PendingTensorError) throw cause;
      throw new ConfigError(
        `a kernel got a ${dtype} tensor [${shape}] that is disposed or cannot be moved to this backend`,
        'use tensors that are still alive',
        { cause },
      );
    }
  }

  /** A new tensor whose values are there. */
  known(values: BackendValues, shape: readonly number[], dtype: DataType): TensorInfo {
    return this.#add(hostData(values, dtype), shape, dtype);
  }

  /** A new tensor whose values are on their way. */
  pending(values: Promise<BackendValues>, shape: readonly number[], dtype: DataType): TensorInfo {
    const done = values.catch(() => undefined);
    this.#running.add(done);
    void done.then(() => this.#running.delete(done));
    return this.#add(pendingData(values, dtype), shape, dtype);
  }

  /** The same values in another shape. */
  view({ dataId, dtype }: TensorInfo, shape: readonly number[]): TensorInfo {
    this.incRef(dataId);
    return { dataId, shape: [...shape], dtype };
  }

  #add(data: TensorData, shape: readonly number[], dtype: DataType): TensorInfo {
    const dataId = {};
    this.#tensors.set(dataId, data);
    return { dataId, shape: [...shape], dtype };
  }

  override write(values: BackendValues, shape: number[], dtype: DataType): DataId {
    // A copy: kernels read it later, when the caller may have changed the array.
    return this.#add(hostData(ownValues(values, dtype), dtype), shape, dtype).dataId;
  }

  override move(dataId: DataId, values: BackendValues, _shape: number[], dtype: DataType, references: number): void {
    this.#tensors.set(dataId, hostData(ownValues(values, dtype), dtype, references));
  }

  override async read(dataId: DataId): Promise<BackendValues> {
    return copyValues(await valuesOf(this.#tensors.get(dataId)));
  }

  override readSync(dataId: DataId): BackendValues {
    const { values } = this.#tensors.get(dataId);
    if (values !== undefined) return copyValues(values);
    throw new PendingTensorError(
      'the values of this tensor are not computed yet, because ONNX Runtime works asynchronously',
      'use await x.data() or await x.array() in place of dataSync and arraySync',
    );
  }

  override disposeData(dataId: DataId, force = false): boolean {
    if (!this.#tensors.has(dataId)) return true;
    const data = this.#tensors.get(dataId);
    data.references--;
    if (!force && data.references > 0) return false;
    this.#tensors.delete(dataId);
    return true;
  }

  override refCount(dataId: DataId): number {
    return this.#tensors.has(dataId) ? this.#tensors.get(dataId).references : 0;
  }

  override incRef(dataId: DataId): void {
    this.#tensors.get(dataId).references++;
  }

  decRef(dataId: DataId): void {
    if (this.#tensors.has(dataId)) this.#tensors.get(dataId).references--;
  }

  override numDataIds(): number {
    return this.#tensors.numDataIds();
  }

  override memory(): { unreliable: boolean; reasons: string[] } {
    return { unreliable: true, reasons: ['The memory of ONNX Runtime sessions is not counted'] };
  }

  override timerAvailable(): boolean {
    return true;
  }

  /** Until everything that was called is done. */
  override async time(f: () => void): Promise<BackendTimingInfo> {
    const start = util.now();
    f();
    await Promise.all(this.#running);
    return { kernelMs: util.now() - start };
  }

  override floatPrecision(): 16 | 32 {
    return 32;
  }

  override epsilon(): number {
    return 1e-7;
  }

  override dispose(): void {
    this.programs.clear();
  }
}
