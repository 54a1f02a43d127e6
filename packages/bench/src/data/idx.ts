import { ShapeError } from '@bpc/core';

/** Contents of an idx file of unsigned bytes: `data` is a view on the file's bytes. */
export interface IdxArray {
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/**
 * Read an idx file (the format of MNIST and Fashion-MNIST) of unsigned bytes.
 *
 * Two zero bytes, the element type (`0x08`, unsigned byte), the rank, then one big-endian uint32 per axis and the values
 * in C order. Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits", file formats.
 *
 * @param file - name used in messages.
 * @throws ShapeError on a wrong magic number, rank or element type, and on missing or surplus bytes.
 *
 * @example
 * ```ts
 * import { parseIdx } from '@bpc/bench';
 * const labels = parseIdx(Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 7, 3), 'labels', 1);
 * console.log(labels.shape, labels.data); // [2], Uint8Array [7, 3]
 * ```
 */
export function parseIdx(bytes: Uint8Array, file: string, rank: number): IdxArray {
  const remedy = 'pass an uncompressed idx file of unsigned bytes, complete';
  const expected = [0, 0, 8, rank];
  if (expected.some((byte, i) => bytes[i] !== byte)) {
    const found = Array.from(bytes.subarray(0, 4)).join(' ');
    throw new ShapeError(`${file} starts with bytes ${found || '(none)'}, expected the idx magic ${expected.join(' ')}`, remedy);
  }
  const start = 4 + 4 * rank;
  if (bytes.length < start) throw new ShapeError(`${file} ends inside its idx header, after ${bytes.length} bytes`, remedy);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const size = shape.reduce((a, b) => a * b, 1);
  if (bytes.length - start !== size) {
    throw new ShapeError(`${file} has ${bytes.length - start} values, expected ${size} for shape [${shape.join(', ')}]`, remedy);
  }
  return { shape, data: bytes.subarray(start) };
}
