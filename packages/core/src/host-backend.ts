import type { DataType, KernelConfig, TensorInfo } from '@tensorflow/tfjs-core';
import {
  buffer,
  DataStorage,
  engine,
  findBackendFactory,
  KernelBackend,
  registerBackend,
  registerKernel,
  util,
} from '@tensorflow/tfjs-core';

type Values = Float32Array | Int32Array | Uint8Array;
type Entry = { values: Values; references: number };

const NAME = 'host';

/** Keeps the values of tensors and computes nothing. */
class HostStorage extends KernelBackend {
  private readonly entries = new DataStorage<Entry>(this, engine());

  override write(values: Values, _shape: number[], _dtype: DataType): object {
    const dataId = {};
    this.entries.set(dataId, { values, references: 1 });
    return dataId;
  }

  override move(dataId: object, values: Values, _shape: number[], _dtype: DataType, references: number): void {
    this.entries.set(dataId, { values, references });
  }

  override readSync(dataId: object): Values {
    return this.entries.get(dataId).values;
  }

  override async read(dataId: object): Promise<Values> {
    return this.readSync(dataId);
  }

  bufferSync(info: TensorInfo): ReturnType<typeof buffer> {
    return buffer(info.shape, info.dtype, this.readSync(info.dataId));
  }

  override disposeData(dataId: object, force = false): boolean {
    if (!this.entries.has(dataId)) return true;
    const entry = this.entries.get(dataId);
    entry.references -= 1;
    if (!force && entry.references > 0) return false;
    return this.entries.delete(dataId);
  }

  override incRef(dataId: object): void {
    this.entries.get(dataId).references += 1;
  }

  override refCount(dataId: object): number {
    return this.entries.has(dataId) ? this.entries.get(dataId).references : 0;
  }

  override numDataIds(): number {
    return this.entries.numDataIds();
  }

  override memory(): { unreliable: boolean } {
    return { unreliable: true };
  }

  override timerAvailable(): boolean {
    return false;
  }

  override floatPrecision(): 32 {
    return 32;
  }

  override epsilon(): number {
    return 1e-7;
  }
}

/** The few kernels that only rearrange handles, so that `clone` and `reshape` work outside programs. */
const kernels: readonly KernelConfig[] = [
  {
    kernelName: 'Identity',
    backendName: NAME,
    kernelFunc: ({ inputs, backend }) => {
      const x = inputs['x'] as TensorInfo;
      (backend as HostStorage).incRef(x.dataId);
      return { dataId: x.dataId, shape: x.shape, dtype: x.dtype };
    },
  },
  {
    kernelName: 'Reshape',
    backendName: NAME,
    kernelFunc: ({ inputs, attrs, backend }) => {
      const x = inputs['x'] as TensorInfo;
      (backend as HostStorage).incRef(x.dataId);
      const shape = util.inferFromImplicitShape(attrs?.['shape'] as number[], util.sizeFromShape(x.shape));
      return { dataId: x.dataId, shape, dtype: x.dtype };
    },
  },
];

/**
 * Registers a storage-only tfjs backend named `host` (once), so that tensors can exist where no computing backend is
 * installed. It has the lowest priority: any other registered backend is preferred. Runtimes call this.
 */
export function ensureHostBackend(): void {
  if (findBackendFactory(NAME) != null) return;
  for (const kernel of kernels) registerKernel(kernel);
  registerBackend(NAME, () => new HostStorage(), 0);
}

/** Name of the storage-only backend. */
export const HOST_BACKEND = NAME;
