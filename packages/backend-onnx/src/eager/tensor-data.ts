import type { BackendValues, DataType } from '@tensorflow/tfjs-core';

/** What stands behind a tensor: values on the host, or the promise of them. */
export type TensorData = {
  readonly dtype: DataType;
  /** Number of tensors that share these values. */
  references: number;
  values: BackendValues | undefined;
  /** Set until the values are there, and for ever if making them failed. */
  pending: Promise<BackendValues> | undefined;
};

/** Values as this backend keeps them: a typed array of the dtype's kind, not shared with the caller. */
export function ownValues(values: BackendValues | readonly number[], dtype: DataType): BackendValues {
  // Not spread: an array with holes stays one.
  if (dtype === 'string') return (values as Uint8Array[]).slice();
  const numbers: ArrayLike<number> = values as ArrayLike<number>;
  if (dtype === 'int32') return new Int32Array(numbers);
  return dtype === 'bool' ? new Uint8Array(numbers) : new Float32Array(numbers);
}

/** A copy that the caller may change. */
export function copyValues(values: BackendValues): BackendValues {
  return values.slice();
}

/** Values known now. */
export function hostData(values: BackendValues, dtype: DataType, references = 1): TensorData {
  return { dtype, references, values, pending: undefined };
}

/** Values known later; a failure is kept until somebody reads, and is no unhandled rejection before. */
export function pendingData(promise: Promise<BackendValues>, dtype: DataType): TensorData {
  const data: TensorData = { dtype, references: 1, values: undefined, pending: promise };
  promise.then(
    (values) => {
      data.values = values;
      data.pending = undefined;
    },
    () => undefined,
  );
  return data;
}

/** The values, as soon as they are there. */
export async function valuesOf(data: TensorData): Promise<BackendValues> {
  if (data.values !== undefined) return data.values;
  if (data.pending === undefined) throw new RangeError('a tensor has neither values nor the promise of them');
  return data.pending;
}
