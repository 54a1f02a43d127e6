import { inflateSync } from 'node:zlib';
import { ShapeError } from '@bpc/core';

/** A numeric array of a MATLAB file, values in column-major order. */
export interface MatArray {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number> & Iterable<number>;
}

const HEADER = 128;
const MATRIX = 14;
const COMPRESSED = 15;
/** Bytes and array constructor of every numeric element type that fits into a number. */
const readers: Readonly<Record<number, readonly [bytes: number, read: (view: DataView, at: number) => number]>> = {
  1: [1, (view, at) => view.getInt8(at)],
  3: [2, (view, at) => view.getInt16(at, true)],
  4: [2, (view, at) => view.getUint16(at, true)],
  5: [4, (view, at) => view.getInt32(at, true)],
  6: [4, (view, at) => view.getUint32(at, true)],
  7: [4, (view, at) => view.getFloat32(at, true)],
  9: [8, (view, at) => view.getFloat64(at, true)],
};
const UINT8 = 2;

interface Element {
  readonly type: number;
  readonly bytes: Uint8Array;
  /** Where the next element starts. */
  readonly end: number;
}

/**
 * Read the real numeric arrays of a MATLAB 5 file (`.mat` up to version 7), little-endian, compressed or not.
 *
 * After a header of 128 bytes come elements: type, length, contents. A matrix element holds its flags, dimensions, name and
 * values; a compressed element is one zlib stream around an element. Source: MathWorks, "MAT-File Format" (level 5).
 *
 * @param file - name used in messages.
 * @throws ShapeError if it is no such file, is truncated, or holds something else than real numbers.
 */
export function parseMat(bytes: Uint8Array, file: string): ReadonlyMap<string, MatArray> {
  // Endian indicator: the characters MI as a 16-bit integer, so IM in a little-endian file.
  if (bytes.length < HEADER || bytes[126] !== 0x49 || bytes[127] !== 0x4d) {
    throw new ShapeError(`${file} is not a little-endian MATLAB 5 file`, 'use the original .mat file, complete');
  }
  const arrays = new Map<string, MatArray>();
  for (let at = HEADER; at < bytes.length; ) {
    const outer = readElement(bytes, at, file);
    at = outer.end;
    const element = outer.type === COMPRESSED ? readElement(inflate(outer.bytes, file), 0, file) : outer;
    if (element.type !== MATRIX) continue;
    const { name, array } = readMatrix(element.bytes, file);
    arrays.set(name, array);
  }
  return arrays;
}

function readElement(bytes: Uint8Array, at: number, file: string): Element {
  const truncated = (): ShapeError => new ShapeError(`${file} is truncated at byte ${at}`, 'use the original .mat file, complete');
  if (at + 8 > bytes.length) throw truncated();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const first = view.getUint32(at, true);
  // A small element packs length and type into its first word and up to four bytes of contents into the second.
  const small = first >>> 16;
  if (small > 0) return { type: first & 0xffff, bytes: bytes.subarray(at + 4, at + 4 + small), end: at + 8 };
  const length = view.getUint32(at + 4, true);
  const start = at + 8;
  if (start + length > bytes.length) throw truncated();
  const end = first === COMPRESSED ? start + length : start + Math.ceil(length / 8) * 8;
  return { type: first, bytes: bytes.subarray(start, start + length), end };
}

function readMatrix(bytes: Uint8Array, file: string): { readonly name: string; readonly array: MatArray } {
  const flags = readElement(bytes, 0, file);
  const dimensions = readElement(bytes, flags.end, file);
  const named = readElement(bytes, dimensions.end, file);
  const name = new TextDecoder().decode(named.bytes);
  // Classes 6 to 15 are the real numbers; bit 3 of the flags' second byte says that there is an imaginary part.
  const kind = flags.bytes[0] ?? 0;
  if (kind < 6 || kind > 15 || ((flags.bytes[1] ?? 0) & 0x08) !== 0) {
    throw new ShapeError(`${name} in ${file} is not an array of real numbers`, 'use the original .mat file');
  }
  const shape = Array.from(values(dimensions, file));
  const data = values(readElement(bytes, named.end, file), file);
  const size = shape.reduce((a, b) => a * b, 1);
  if (data.length !== size) {
    throw new ShapeError(
      `${name} in ${file} has ${data.length} values, expected ${size} for shape [${shape.join(', ')}]`,
      'use the original .mat file',
    );
  }
  return { name, array: { shape, data } };
}

function values({ type, bytes }: Element, file: string): Uint8Array | Float64Array {
  if (type === UINT8) return bytes;
  const reader = readers[type];
  if (reader === undefined) throw new ShapeError(`${file} has an element of type ${type}, expected numbers`, 'use the original .mat file');
  const [width, read] = reader;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float64Array.from({ length: Math.floor(bytes.length / width) }, (_, i) => read(view, i * width));
}

function inflate(bytes: Uint8Array, file: string): Uint8Array {
  try {
    return inflateSync(bytes);
  } catch (cause) {
    throw new ShapeError(`${file} has a damaged compressed array`, 'use the original .mat file, complete', { cause });
  }
}
