/**
 * The Cholesky factor of a symmetric positive definite matrix, A = L Lᵀ, in place and in float64.
 *
 * Row by row, every element a dot product of two rows. `matrix` is row-major `[size, size]`, starting at `offset`; the
 * lower triangle is read, L is written there, and what is above the diagonal becomes 0. If A is not positive definite
 * (numerically), or has a NaN, the lower triangle becomes NaN.
 *
 * @returns whether A is positive definite.
 * @example
 * ```ts
 * import { choleskyFactor } from '@bpc/core';
 * const matrix = Float64Array.of(4, 2, 2, 5);
 * console.log(choleskyFactor(matrix, 2), matrix); // true [2, 0, 1, 2]
 * ```
 */
export function choleskyFactor(matrix: Float64Array, size: number, offset = 0): boolean {
  for (let i = 0; i < size; i++) {
    const row = offset + i * size;
    for (let j = 0; j <= i; j++) {
      const other = offset + j * size;
      let sum = matrix[row + j] as number;
      for (let k = 0; k < j; k++) sum -= (matrix[row + k] as number) * (matrix[other + k] as number);
      if (j < i) matrix[row + j] = sum / (matrix[other + j] as number);
      // False for NaN, too.
      else if (sum > 0) matrix[row + i] = Math.sqrt(sum);
      else return notPositiveDefinite(matrix, size, offset);
    }
    matrix.fill(0, row + i + 1, row + size);
  }
  return true;
}

function notPositiveDefinite(matrix: Float64Array, size: number, offset: number): false {
  for (let i = 0; i < size; i++) {
    const row = offset + i * size;
    matrix.fill(Number.NaN, row, row + i + 1).fill(0, row + i + 1, row + size);
  }
  return false;
}

/**
 * Solves L X = B in place: B, row-major `[size, columns]` from `offset`, becomes X. Of the row-major `[size, size]` matrix
 * `lower`, from `lowerOffset`, only the lower triangle is read.
 *
 * @example
 * ```ts
 * import { solveLower } from '@bpc/core';
 * const b = Float64Array.of(2, 5);
 * solveLower(Float64Array.of(2, 0, 1, 2), 2, b); // b is [1, 2] now
 * ```
 */
export function solveLower(lower: Float64Array, size: number, b: Float64Array, columns = 1, lowerOffset = 0, offset = 0): void {
  for (let i = 0; i < size; i++) {
    const row = lowerOffset + i * size;
    const to = offset + i * columns;
    const pivot = lower[row + i] as number;
    if (columns === 1) {
      let sum = b[to] as number;
      for (let k = 0; k < i; k++) sum -= (lower[row + k] as number) * (b[offset + k] as number);
      b[to] = sum / pivot;
      continue;
    }
    for (let k = 0; k < i; k++) subtractRow(b, to, lower[row + k] as number, offset + k * columns, columns);
    for (let c = to; c < to + columns; c++) b[c] = (b[c] as number) / pivot;
  }
}

/** Solves Lᵀ X = B in place; see `solveLower`. */
export function solveLowerTransposed(lower: Float64Array, size: number, b: Float64Array, columns = 1, lowerOffset = 0, offset = 0): void {
  for (let i = size - 1; i >= 0; i--) {
    const row = lowerOffset + i * size;
    const from = offset + i * columns;
    const pivot = lower[row + i] as number;
    for (let c = from; c < from + columns; c++) b[c] = (b[c] as number) / pivot;
    // By rows of L, which lie in one piece: row i of X is known, and leaves all earlier rows.
    for (let k = 0; k < i; k++) subtractRow(b, offset + k * columns, lower[row + k] as number, from, columns);
  }
}

/** Row at `to` minus `factor` times the row at `from`. */
function subtractRow(b: Float64Array, to: number, factor: number, from: number, columns: number): void {
  for (let c = 0; c < columns; c++) b[to + c] = (b[to + c] as number) - factor * (b[from + c] as number);
}
