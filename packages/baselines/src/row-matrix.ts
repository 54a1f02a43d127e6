import { ConfigError, ShapeError } from '@bpc/core';

/** A matrix on the host: `data` row-major, `shape` its rows and columns. Nothing here modifies or keeps one. */
export interface RowMatrix {
  readonly data: Float64Array | Float32Array;
  readonly shape: readonly [rows: number, columns: number];
}

/**
 * Refuses what is no matrix of finite numbers.
 *
 * @throws ShapeError unless `data` has rows × columns numbers, at least one; ConfigError naming the first row with a number
 * that is NaN or infinite.
 */
export function checkMatrix(name: string, { data, shape }: RowMatrix): void {
  const [rows, columns] = shape;
  if (!(Number.isSafeInteger(rows) && Number.isSafeInteger(columns) && rows > 0 && columns > 0 && data.length === rows * columns)) {
    throw new ShapeError(
      `${name} has ${data.length} numbers and shape [${shape}], expected rows × columns of them, at least one`,
      `pass ${name} as { data, shape: [rows, columns] } with row-major data`,
    );
  }
  for (let i = 0; i < data.length; i++) {
    if (Number.isFinite(data[i])) continue;
    throw new ConfigError(
      `${name} has ${data[i]} in row ${Math.floor(i / columns)}, expected finite numbers`,
      'remove that point or repair it; a network that diverged has such features',
    );
  }
}
