import type { SafetensorsEntry } from '@bpc/core';

type Tensors = ReadonlyMap<string, SafetensorsEntry>;

/** How far some tensors are from exact ones of the same names. */
export interface TensorErrors {
  /** The largest ‖found − exact‖ / ‖exact‖ of any tensor, and which tensor it is of. */
  readonly worst: number;
  readonly where: string;
  /** For tensors that are exactly zero (biases under instance norm): their largest norm over that of everything. */
  readonly zero: number | undefined;
}

function norm(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i] ?? 0) ** 2;
  return Math.sqrt(sum);
}

/** Below this part of the whole, an exact tensor is rounding noise and a relative error means nothing. */
const negligible = 1e-7;

/**
 * Compares tensor by tensor, in the Euclidean norm.
 *
 * @throws Error if a tensor is missing or has another size.
 */
export function compareTensors(exact: Tensors, found: Tensors): TensorErrors {
  const whole = Math.hypot(...[...exact.values()].map(({ data }) => norm(data)));
  let worst = 0;
  let where = 'none';
  let zero: number | undefined;
  for (const [name, { data }] of exact) {
    const other = found.get(name)?.data;
    if (other === undefined || other.length !== data.length) throw new Error(`'${name}' is missing or has another size`);
    const size = norm(data);
    if (size <= negligible * whole) zero = Math.max(zero ?? 0, norm(other) / whole);
    else {
      const error = norm(Float64Array.from(data, (value, i) => (other[i] ?? Number.NaN) - value)) / size;
      // Written so that NaN counts as worst.
      if (!Number.isNaN(worst) && !(error <= worst)) [worst, where] = [error, name];
    }
  }
  return { worst, where, zero };
}
