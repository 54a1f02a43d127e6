import { CheckpointError } from './errors.js';

/** Typed array of each supported safetensors dtype. */
export type SafetensorsArrays = {
  readonly F64: Float64Array;
  readonly F32: Float32Array;
  readonly I32: Int32Array;
  readonly U8: Uint8Array;
};
export type SafetensorsDType = keyof SafetensorsArrays;

/** One tensor on the host: row-major values and shape. */
export type SafetensorsEntry = {
  [D in SafetensorsDType]: { readonly dtype: D; readonly shape: readonly number[]; readonly data: SafetensorsArrays[D] };
}[SafetensorsDType];

/** What a file holds. `metadata` is the file's free-form text map. */
export type SafetensorsFile = {
  readonly tensors: ReadonlyMap<string, SafetensorsEntry>;
  readonly metadata: Readonly<Record<string, string>>;
};

/** Bytes per element, in the order in which the reference implementation writes dtypes. */
const BYTES = { F64: 8, F32: 4, I32: 4, U8: 1 } as const;
const rank = (dtype: SafetensorsDType) => Object.keys(BYTES).indexOf(dtype);
/** The reference implementation's limit; a longer header is an attack or no header. */
const MAX_HEADER_BYTES = 100_000_000;
const METADATA = '__metadata__';
const REMEDY = 'use a file written by safetensors or bpc, and copy or download it again if it may be damaged';

const bad = (problem: string, cause?: unknown) => new CheckpointError(problem, REMEDY, { cause });
const elements = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
const byName = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/**
 * Bytes of a safetensors file: 8-byte little-endian header length, JSON header padded with spaces to 8 bytes, values.
 *
 * Equal contents give equal bytes: tensors are sorted by dtype (widest first, so that each is aligned) and then by name,
 * metadata by name. The bytes are those that Python's `safetensors` writes (up to its random order of metadata).
 *
 * @throws CheckpointError if a shape does not fit its values or a name is reserved.
 * @example
 * ```ts
 * import { decodeSafetensors, encodeSafetensors } from '@bpc/core';
 * const bytes = encodeSafetensors({ w: { dtype: 'F32', shape: [2], data: Float32Array.of(1, 2) } }, { note: 'mine' });
 * decodeSafetensors(bytes).tensors.get('w')?.shape; // [2]
 * ```
 */
export function encodeSafetensors(
  tensors: Readonly<Record<string, SafetensorsEntry>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const entries = Object.entries(tensors).sort(([a, x], [b, y]) => rank(x.dtype) - rank(y.dtype) || byName(a, b));
  // A list of pairs printed by hand: objects reorder names that look like integers.
  const fields: string[] = [];
  const notes = Object.entries(metadata).sort(([a], [b]) => byName(a, b));
  if (notes.length > 0) fields.push(`"${METADATA}":{${notes.map(([k, v]) => `${JSON.stringify(k)}:${JSON.stringify(v)}`).join()}}`);
  let offset = 0;
  for (const [name, { dtype, shape, data }] of entries) {
    if (name === METADATA) throw new CheckpointError(`a tensor is named '${METADATA}'`, 'choose another name');
    if (elements(shape) !== data.length) {
      throw new CheckpointError(`tensor '${name}' has shape [${shape}] but ${data.length} values`, 'make shape and values agree');
    }
    fields.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [offset, offset + data.byteLength] })}`);
    offset += data.byteLength;
  }
  const json = new TextEncoder().encode(`{${fields.join()}}`);
  const headerLength = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(8 + headerLength + offset);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength), true);
  bytes.set(json, 8);
  bytes.fill(0x20, 8 + json.length, 8 + headerLength);
  let position = 8 + headerLength;
  for (const [, { data }] of entries) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), position);
    position += data.byteLength;
  }
  return bytes;
}

function parseHeader(bytes: Uint8Array): { readonly header: Record<string, unknown>; readonly start: number } {
  if (bytes.length < 8) throw bad(`not a safetensors file: ${bytes.length} bytes, expected at least 8`);
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES))
    throw bad(`not a safetensors file: header of ${length} bytes, at most ${MAX_HEADER_BYTES} are allowed`);
  const start = 8 + Number(length);
  if (start > bytes.length) throw bad(`truncated or not safetensors: header ends at byte ${start}, but the file has ${bytes.length}`);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(8, start)));
  } catch (cause) {
    throw bad('not a safetensors file: the header is no JSON', cause);
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    throw bad('not a safetensors file: the header is no JSON object');
  return { header: header as Record<string, unknown>, start };
}

function parseMetadata(value: unknown): Record<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw bad(`'${METADATA}' is no JSON object`);
  const entries = Object.entries(value);
  for (const [name, text] of entries) if (typeof text !== 'string') throw bad(`metadata '${name}' is no text`);
  return Object.fromEntries(entries);
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isCounts = (value: unknown): value is number[] => Array.isArray(value) && value.every(isCount);

type Located = {
  readonly name: string;
  readonly dtype: SafetensorsDType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
};

function parseEntry(name: string, value: unknown, available: number): Located {
  if (typeof value !== 'object' || value === null) throw bad(`tensor '${name}' is described by no JSON object`);
  const { dtype, shape, data_offsets: offsets } = value as Record<string, unknown>;
  if (typeof dtype !== 'string' || !Object.hasOwn(BYTES, dtype)) {
    throw new CheckpointError(
      `tensor '${name}' has dtype ${JSON.stringify(dtype)}, expected one of ${Object.keys(BYTES).join(', ')}`,
      'convert it before saving (half precision and 64-bit integers are not read)',
    );
  }
  if (!isCounts(shape)) throw bad(`tensor '${name}' has shape ${JSON.stringify(shape)}, expected a list of non-negative integers`);
  if (!isCounts(offsets) || offsets.length !== 2)
    throw bad(`tensor '${name}' has data_offsets ${JSON.stringify(offsets)}, expected [begin, end]`);
  const [begin = 0, end = 0] = offsets;
  if (begin > end || end > available)
    throw bad(`tensor '${name}' lies at bytes ${begin} to ${end}, but the file has ${available} bytes of values: truncated?`);
  const expected = elements(shape) * BYTES[dtype as SafetensorsDType];
  if (expected !== end - begin)
    throw bad(`tensor '${name}' of shape [${shape}] and dtype ${dtype} needs ${expected} bytes, has ${end - begin}`);
  return { name, dtype: dtype as SafetensorsDType, shape, begin, end };
}

function readEntry(bytes: Uint8Array, base: number, { dtype, shape, begin, end }: Located): SafetensorsEntry {
  // Copied: offsets in foreign files need not be aligned, and the caller may reuse its buffer. Not `bytes.slice`, which
  // for a Node Buffer gives a view.
  const { buffer } = Uint8Array.from(bytes.subarray(base + begin, base + end));
  switch (dtype) {
    case 'F64':
      return { dtype, shape, data: new Float64Array(buffer) };
    case 'F32':
      return { dtype, shape, data: new Float32Array(buffer) };
    case 'I32':
      return { dtype, shape, data: new Int32Array(buffer) };
    case 'U8':
      return { dtype, shape, data: new Uint8Array(buffer) };
  }
}

/**
 * Tensors and metadata of a safetensors file; everything in it is checked and nothing in it is executed. Memory used is
 * a small multiple of the file's size.
 *
 * @throws CheckpointError if the bytes are no safetensors, truncated, or describe overlapping, missing or surplus values
 * or an unknown dtype.
 */
export function decodeSafetensors(bytes: Uint8Array): SafetensorsFile {
  const { header, start } = parseHeader(bytes);
  const available = bytes.length - start;
  const entries = Object.entries(header);
  const located = entries
    .filter(([name]) => name !== METADATA)
    .map(([name, value]) => parseEntry(name, value, available))
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
  let end = 0;
  for (const entry of located) {
    if (entry.begin !== end)
      throw bad(`tensor '${entry.name}' begins at byte ${entry.begin}, expected ${end}: values overlap or have holes`);
    end = entry.end;
  }
  if (end !== available) throw bad(`the file has ${available} bytes of values, its tensors use ${end}`);
  const metadata = Object.hasOwn(header, METADATA) ? parseMetadata(header[METADATA]) : {};
  return { tensors: new Map(located.map((entry) => [entry.name, readEntry(bytes, start, entry)])), metadata };
}
