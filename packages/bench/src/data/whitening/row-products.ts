/** Rows and columns of a tile: small enough for the rows of both sides to stay in the cache nearest to the processor. */
const TILE = 64;
const DEPTH = 256;

/** A row-major matrix. */
export interface Rows {
  readonly data: Float64Array;
  readonly count: number;
}

/**
 * Adds all products of rows: `C_ij += Σ_k A_ik B_jk`, so `C += A Bᵀ`, in float64.
 *
 * Tiled, and eight sums at a time, because a sum that waits for nothing but itself takes a quarter of the additions a
 * processor could do. With `symmetric`, A and B are the same matrix and only tiles at or below the diagonal are computed.
 *
 * @param options.size - length of a row of A and of B; C is `[A.count, B.count]`.
 */
export function addRowProducts(
  a: Rows,
  b: Rows,
  out: Float64Array,
  { size, symmetric = false }: { readonly size: number; readonly symmetric?: boolean },
): void {
  for (let k = 0; k < size; k += DEPTH) {
    const depth = Math.min(DEPTH, size - k);
    for (let i = 0; i < a.count; i += TILE) {
      const lastRow = Math.min(a.count, i + TILE);
      const end = symmetric ? Math.min(b.count, i + TILE) : b.count;
      for (let j = 0; j < end; j += TILE) {
        tile(a.data, b.data, out, { i, lastRow, j, lastColumn: Math.min(b.count, j + TILE), k, depth, size, columns: b.count });
      }
    }
  }
}

interface Tile {
  readonly i: number;
  readonly lastRow: number;
  readonly j: number;
  readonly lastColumn: number;
  readonly k: number;
  readonly depth: number;
  readonly size: number;
  readonly columns: number;
}

function tile(a: Float64Array, b: Float64Array, out: Float64Array, { i, lastRow, j, lastColumn, k, depth, size, columns }: Tile): void {
  let row = i;
  for (; row + 3 < lastRow; row += 4) {
    let column = j;
    for (; column + 1 < lastColumn; column += 2)
      fourByTwo(a, row * size + k, b, column * size + k, size, depth, out, row * columns + column, columns);
    for (; column < lastColumn; column++)
      for (let r = row; r < row + 4; r++) single(a, r * size + k, b, column * size + k, depth, out, r * columns + column);
  }
  for (; row < lastRow; row++)
    for (let column = j; column < lastColumn; column++) single(a, row * size + k, b, column * size + k, depth, out, row * columns + column);
}

function fourByTwo(
  a: Float64Array,
  aStart: number,
  b: Float64Array,
  bStart: number,
  size: number,
  depth: number,
  out: Float64Array,
  at: number,
  columns: number,
): void {
  const [a1, a2, a3] = [aStart + size, aStart + 2 * size, aStart + 3 * size];
  const b1 = bStart + size;
  let [s00, s01, s10, s11, s20, s21, s30, s31] = [0, 0, 0, 0, 0, 0, 0, 0];
  for (let k = 0; k < depth; k++) {
    const x = b[bStart + k] as number;
    const y = b[b1 + k] as number;
    const p = a[aStart + k] as number;
    s00 += p * x;
    s01 += p * y;
    const q = a[a1 + k] as number;
    s10 += q * x;
    s11 += q * y;
    const r = a[a2 + k] as number;
    s20 += r * x;
    s21 += r * y;
    const s = a[a3 + k] as number;
    s30 += s * x;
    s31 += s * y;
  }
  out[at] = (out[at] as number) + s00;
  out[at + 1] = (out[at + 1] as number) + s01;
  out[at + columns] = (out[at + columns] as number) + s10;
  out[at + columns + 1] = (out[at + columns + 1] as number) + s11;
  out[at + 2 * columns] = (out[at + 2 * columns] as number) + s20;
  out[at + 2 * columns + 1] = (out[at + 2 * columns + 1] as number) + s21;
  out[at + 3 * columns] = (out[at + 3 * columns] as number) + s30;
  out[at + 3 * columns + 1] = (out[at + 3 * columns + 1] as number) + s31;
}

function single(a: Float64Array, aStart: number, b: Float64Array, bStart: number, depth: number, out: Float64Array, at: number): void {
  let sum = 0;
  for (let k = 0; k < depth; k++) sum += (a[aStart + k] as number) * (b[bStart + k] as number);
  out[at] = (out[at] as number) + sum;
}
