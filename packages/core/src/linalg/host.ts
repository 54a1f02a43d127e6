/**
 * The Cholesky factor of a symmetric positive definite matrix, A = L Lᵀ, in place and in float64.
 *
 * Column by column, every element a dot product of two rows. `matrix` is row-major `[size, size]`, starting at `offset`; the
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
  const end = offset + size * size;
  for (let j = 0, row = offset; j < size; j++, row += size) {
    let square = matrix[row + j] as number;
    for (let k = 0; k < j; k++) square -= (matrix[row + k] as number) ** 2;
    // False for NaN, too.
    if (!(square > 0)) return notPositiveDefinite(matrix, size, offset);
    const pivot = Math.sqrt(square);
    matrix[row + j] = pivot;
    for (let k = row + j + 1; k < row + size; k++) matrix[k] = 0;
    let a = row + size;
    // Four rows at a time: their sums do not wait for each other.
    for (; a + 3 * size < end; a += 4 * size) {
      const [b, c, d] = [a + size, a + 2 * size, a + 3 * size];
      let [p, q, r, s] = [matrix[a + j] as number, matrix[b + j] as number, matrix[c + j] as number, matrix[d + j] as number];
      for (let k = 0; k < j; k++) {
        const factor = matrix[row + k] as number;
        p -= factor * (matrix[a + k] as number);
        q -= factor * (matrix[b + k] as number);
        r -= factor * (matrix[c + k] as number);
        s -= factor * (matrix[d + k] as number);
      }
      matrix[a + j] = p / pivot;
      matrix[b + j] = q / pivot;
      matrix[c + j] = r / pivot;
      matrix[d + j] = s / pivot;
    }
    for (; a < end; a += size) {
      let p = matrix[a + j] as number;
      for (let k = 0; k < j; k++) p -= (matrix[row + k] as number) * (matrix[a + k] as number);
      matrix[a + j] = p / pivot;
    }
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
    if (columns > 1) subtractRows(b, to, columns, lower, row, 1, offset, i);
    else b[to] = (b[to] as number) - dot(lower, row, b, offset, i);
    divideRow(b, to, columns, lower[row + i] as number);
  }
}

/** Solves Lᵀ X = B in place; see `solveLower`. */
export function solveLowerTransposed(lower: Float64Array, size: number, b: Float64Array, columns = 1, lowerOffset = 0, offset = 0): void {
  for (let i = size - 1; i >= 0; i--) {
    const row = lowerOffset + i * size;
    const to = offset + i * columns;
    if (columns > 1) subtractRows(b, to, columns, lower, row + size + i, size, to + columns, size - 1 - i);
    divideRow(b, to, columns, lower[row + i] as number);
    // A single column goes by rows of L, which lie in one piece: what is known leaves all earlier numbers.
    if (columns > 1) continue;
    const known = b[to] as number;
    for (let k = 0; k < i; k++) b[offset + k] = (b[offset + k] as number) - (lower[row + k] as number) * known;
  }
}

function dot(a: Float64Array, at: number, b: Float64Array, from: number, count: number): number {
  let sum = 0;
  for (let k = 0; k < count; k++) sum += (a[at + k] as number) * (b[from + k] as number);
  return sum;
}

function divideRow(b: Float64Array, to: number, columns: number, pivot: number): void {
  for (let c = to; c < to + columns; c++) b[c] = (b[c] as number) / pivot;
}

/** The row of B at `to` minus `count` rows from `from` on, times factors `stride` apart from `at` on; four rows in one pass. */
function subtractRows(
  b: Float64Array,
  to: number,
  columns: number,
  factors: Float64Array,
  at: number,
  stride: number,
  from: number,
  count: number,
): void {
  let k = 0;
  for (; k + 3 < count; k += 4) {
    const next = at + k * stride;
    const [p, q] = [factors[next] as number, factors[next + stride] as number];
    const [r, s] = [factors[next + 2 * stride] as number, factors[next + 3 * stride] as number];
    const first = from + k * columns;
    for (let c = 0; c < columns; c++) {
      const x = first + c;
      b[to + c] =
        (b[to + c] as number) -
        p * (b[x] as number) -
        q * (b[x + columns] as number) -
        r * (b[x + 2 * columns] as number) -
        s * (b[x + 3 * columns] as number);
    }
  }
  for (; k < count; k++) {
    const p = factors[at + k * stride] as number;
    const first = from + k * columns;
    for (let c = 0; c < columns; c++) b[to + c] = (b[to + c] as number) - p * (b[first + c] as number);
  }
}
