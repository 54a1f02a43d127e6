import type { ProductGeometry, WindowGeometry } from '../calls.js';
import { multiplyAdd } from './gemm.js';

/** Numbers in one block of unfolded windows: half a megabyte, so that it stays in the cache. */
const BLOCK = 65_536;
let columns = new Float64Array(0);

/**
 * Calls `visit` for every stretch of a window that lies inside the image: where it is among the window's columns, where in
 * the image, and how long. A row of the window is one stretch, since channels and pixels follow each other in both.
 */
function eachStretch(g: WindowGeometry, pixel: number, visit: (column: number, position: number, length: number) => void): void {
  const perImage = g.outHeight * g.outWidth;
  const image = Math.floor(pixel / perImage);
  const within = pixel - image * perImage;
  const top = Math.floor(within / g.outWidth) * g.strides[0] - g.padding[0];
  const left = (within % g.outWidth) * g.strides[1] - g.padding[1];
  const [kernelRows, kernelColumns] = g.kernel;
  for (let u = 0; u < kernelRows; u++) {
    const y = top + u * g.dilations[0];
    if (y < 0 || y >= g.height) continue;
    const row = (image * g.height + y) * g.width;
    if (g.dilations[1] === 1) {
      const first = Math.max(0, -left);
      const count = Math.min(kernelColumns, g.width - left) - first;
      if (count > 0) visit((u * kernelColumns + first) * g.channels, (row + left + first) * g.channels, count * g.channels);
      continue;
    }
    for (let v = 0; v < kernelColumns; v++) {
      const x = left + v * g.dilations[1];
      if (x >= 0 && x < g.width) visit((u * kernelColumns + v) * g.channels, (row + x) * g.channels, g.channels);
    }
  }
}

/** Output pixels in blocks, with scratch for their windows: [pixel][kernel row, kernel column, channel]. */
function eachBlock(g: WindowGeometry, visit: (first: number, count: number, width: number, scratch: Float64Array) => void): void {
  const width = g.kernel[0] * g.kernel[1] * g.channels;
  const pixels = g.images * g.outHeight * g.outWidth;
  const step = Math.max(4, Math.min(pixels, Math.floor(BLOCK / width)));
  if (columns.length < step * width) columns = new Float64Array(step * width);
  for (let first = 0; first < pixels; first += step) visit(first, Math.min(step, pixels - first), width, columns);
}

function unfold(g: WindowGeometry, x: Float64Array, first: number, count: number, width: number, scratch: Float64Array): void {
  scratch.fill(0, 0, count * width);
  for (let i = 0; i < count; i++) {
    const at = i * width;
    eachStretch(g, first + i, (column, position, length) => {
      for (let c = 0; c < length; c++) scratch[at + column + c] = x[position + c] as number;
    });
  }
}

/** Cross-correlation as a product: windows [pixels, k] times the filter [k, out]. */
export function Conv(g: WindowGeometry, out: Float64Array, x: Float64Array, filter: Float64Array): void {
  out.fill(0);
  const o = g.outChannels;
  eachBlock(g, (first, count, width, scratch) => {
    unfold(g, x, first, count, width, scratch);
    multiplyAdd(
      count,
      o,
      width,
      { values: scratch, start: 0, row: width, column: 1 },
      { values: filter, start: 0, row: o, column: 1 },
      out,
      first * o,
      o,
    );
  });
}

/** dy [pixels, out] times the filter transposed gives the gradient of each window, which is added back where it came from. */
export function ConvInputGrad(g: WindowGeometry, out: Float64Array, dy: Float64Array, filter: Float64Array): void {
  out.fill(0);
  const o = g.outChannels;
  eachBlock(g, (first, count, width, scratch) => {
    scratch.fill(0, 0, count * width);
    multiplyAdd(
      count,
      width,
      o,
      { values: dy, start: first * o, row: o, column: 1 },
      { values: filter, start: 0, row: 1, column: o },
      scratch,
      0,
      width,
    );
    for (let i = 0; i < count; i++) {
      const at = i * width;
      eachStretch(g, first + i, (column, position, length) => {
        for (let c = 0; c < length; c++) out[position + c] = (out[position + c] as number) + (scratch[at + column + c] as number);
      });
    }
  });
}

/** Windows transposed [k, pixels] times dy [pixels, out]. */
export function ConvFilterGrad(g: WindowGeometry, out: Float64Array, x: Float64Array, dy: Float64Array): void {
  out.fill(0);
  const o = g.outChannels;
  eachBlock(g, (first, count, width, scratch) => {
    unfold(g, x, first, count, width, scratch);
    multiplyAdd(
      width,
      o,
      count,
      { values: scratch, start: 0, row: 1, column: width },
      { values: dy, start: first * o, row: o, column: 1 },
      out,
      0,
      o,
    );
  });
}

/** Batched matrix product. */
export function MatMul(g: ProductGeometry, out: Float64Array, a: Float64Array, b: Float64Array): void {
  out.fill(0);
  g.starts.forEach(([startA, startB], batch) => {
    multiplyAdd(
      g.rows,
      g.columns,
      g.terms,
      { values: a, start: startA, row: g.a[0], column: g.a[1] },
      { values: b, start: startB, row: g.b[0], column: g.b[1] },
      out,
      batch * g.rows * g.columns,
      g.columns,
    );
  });
}
