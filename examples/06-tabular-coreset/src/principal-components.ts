import { pointMoments, symmetricEigen } from '@bpc/bench';

/** Rows of numbers, row-major. */
export interface Rows {
  readonly data: Float64Array;
  readonly count: number;
  /** Numbers per row. */
  readonly size: number;
}

/** The directions in which rows vary most. */
export interface PrincipalComponents {
  /** `[size]` */
  readonly mean: Float64Array;
  /** `[components, size]`, orthonormal rows, that of the largest variance first. */
  readonly directions: Float64Array;
  /** Along each direction, descending. */
  readonly variances: Float64Array;
  /** Of the variance of all columns together, in [0, 1]. */
  readonly explained: number;
}

/** The first principal components of rows: eigenvectors of their covariance (divisor N). */
export async function principalComponents({ data, count, size }: Rows, components: number): Promise<PrincipalComponents> {
  const read = (start: number, end: number) => data.subarray(start * size, end * size);
  const { mean, covariance } = await pointMoments({ count, size, read }, { divisor: 'count' });
  const { values, vectors } = symmetricEigen(covariance, size);
  const sum = (numbers: Float64Array) => numbers.reduce((a, b) => a + b, 0);
  // Eigenvalues ascend.
  const order = Array.from({ length: components }, (_, k) => size - 1 - k);
  const directions = new Float64Array(components * size);
  for (const [k, row] of order.entries()) directions.set(vectors.subarray(row * size, (row + 1) * size), k * size);
  const variances = Float64Array.from(order, (row) => values[row] ?? Number.NaN);
  return { mean, directions, variances, explained: sum(variances) / sum(values) };
}

/** Coordinates of rows along the components, `[count, components]`, divided by the standard deviations of the fitted rows. */
export function scores({ data, count, size }: Rows, { mean, directions, variances }: PrincipalComponents): Float64Array {
  const components = variances.length;
  const result = new Float64Array(count * components);
  for (let i = 0; i < count; i++) {
    for (let k = 0; k < components; k++) {
      let along = 0;
      for (let j = 0; j < size; j++) along += ((data[i * size + j] ?? 0) - (mean[j] ?? 0)) * (directions[k * size + j] ?? 0);
      result[i * components + k] = along / Math.sqrt(variances[k] ?? Number.NaN);
    }
  }
  return result;
}
