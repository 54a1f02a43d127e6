/** Where a matrix starts in its array and how far apart rows and columns are. */
export type Matrix = { readonly values: Float64Array; readonly start: number; readonly row: number; readonly column: number };

const BLOCK = 256;
let packedA: Float64Array = new Float64Array(0);
let packedB: Float64Array = new Float64Array(0);

const grown = (array: Float64Array, size: number): Float64Array => (array.length >= size ? array : new Float64Array(size));

/** Rows of `a` in panels of 4, term by term, with zeros below the last row: [panel][term][4]. */
function pack(out: Float64Array, values: Float64Array, start: number, along: number, across: number, count: number, terms: number): void {
  let position = 0;
  for (let i = 0; i < count; i += 4) {
    const live = Math.min(4, count - i);
    for (let k = 0; k < terms; k++) {
      const at = start + i * across + k * along;
      for (let r = 0; r < live; r++) out[position + r] = values[at + r * across] as number;
      for (let r = live; r < 4; r++) out[position + r] = 0;
      position += 4;
    }
  }
}

/** The 4×4 block of sums of one pair of panels, added to `c` where it is inside. */
function tile(
  c: Float64Array,
  at: number,
  stride: number,
  rows: number,
  columns: number,
  a: Float64Array,
  pa: number,
  b: Float64Array,
  pb: number,
  terms: number,
): void {
  let c00 = 0,
    c01 = 0,
    c02 = 0,
    c03 = 0,
    c10 = 0,
    c11 = 0,
    c12 = 0,
    c13 = 0;
  let c20 = 0,
    c21 = 0,
    c22 = 0,
    c23 = 0,
    c30 = 0,
    c31 = 0,
    c32 = 0,
    c33 = 0;
  for (let k = 0, p = pa, q = pb; k < terms; k++, p += 4, q += 4) {
    const b0 = b[q] as number,
      b1 = b[q + 1] as number,
      b2 = b[q + 2] as number,
      b3 = b[q + 3] as number;
    let x = a[p] as number;
    c00 += x * b0;
    c01 += x * b1;
    c02 += x * b2;
    c03 += x * b3;
    x = a[p + 1] as number;
    c10 += x * b0;
    c11 += x * b1;
    c12 += x * b2;
    c13 += x * b3;
    x = a[p + 2] as number;
    c20 += x * b0;
    c21 += x * b1;
    c22 += x * b2;
    c23 += x * b3;
    x = a[p + 3] as number;
    c30 += x * b0;
    c31 += x * b1;
    c32 += x * b2;
    c33 += x * b3;
  }
  if (columns >= 4 && rows >= 4) {
    addRow(c, at, c00, c01, c02, c03);
    addRow(c, at + stride, c10, c11, c12, c13);
    addRow(c, at + 2 * stride, c20, c21, c22, c23);
    addRow(c, at + 3 * stride, c30, c31, c32, c33);
    return;
  }
  const sums = [c00, c01, c02, c03, c10, c11, c12, c13, c20, c21, c22, c23, c30, c31, c32, c33];
  for (let r = 0; r < Math.min(4, rows); r++) {
    for (let s = 0; s < Math.min(4, columns); s++)
      c[at + r * stride + s] = (c[at + r * stride + s] as number) + (sums[4 * r + s] as number);
  }
}

function addRow(c: Float64Array, at: number, v0: number, v1: number, v2: number, v3: number): void {
  c[at] = (c[at] as number) + v0;
  c[at + 1] = (c[at + 1] as number) + v1;
  c[at + 2] = (c[at + 2] as number) + v2;
  c[at + 3] = (c[at + 3] as number) + v3;
}

/**
 * C += A·B in blocks whose panels stay in the cache; C is row-major with `stride` between rows. Transposed operands differ
 * in their strides only, since both are packed anyway.
 */
export function multiplyAdd(
  rows: number,
  columns: number,
  terms: number,
  a: Matrix,
  b: Matrix,
  c: Float64Array,
  start: number,
  stride: number,
): void {
  const [widthA, widthB] = [(rows + 3) & ~3, (columns + 3) & ~3];
  for (let k = 0; k < terms; k += BLOCK) {
    const block = Math.min(BLOCK, terms - k);
    packedA = grown(packedA, widthA * block);
    packedB = grown(packedB, widthB * block);
    pack(packedA, a.values, a.start + k * a.column, a.column, a.row, rows, block);
    pack(packedB, b.values, b.start + k * b.row, b.row, b.column, columns, block);
    for (let i = 0; i < rows; i += 4) {
      for (let j = 0; j < columns; j += 4) {
        tile(c, start + i * stride + j, stride, rows - i, columns - j, packedA, i * block, packedB, j * block, block);
      }
    }
  }
}
