import { readFileSync } from 'node:fs';
import type { SafetensorsEntry } from '@bpc/core';
import { CheckpointError, decodeSafetensors, encodeSafetensors } from '@bpc/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const sample: Record<string, SafetensorsEntry> = {
  b: { dtype: 'F32', shape: [2, 2], data: Float32Array.of(1, -0, Number.NaN, 4) },
  'layer/é': { dtype: 'F64', shape: [1], data: Float64Array.of(Math.PI) },
  a: { dtype: 'I32', shape: [3], data: Int32Array.of(-1, 0, 2147483647) },
  flags: { dtype: 'U8', shape: [5], data: Uint8Array.of(0, 1, 2, 3, 255) },
  0: { dtype: 'F32', shape: [], data: Float32Array.of(7) },
  empty: { dtype: 'F32', shape: [0, 3], data: new Float32Array() },
};

/** A file with any header text, for damage that `encodeSafetensors` cannot write. */
function file(header: string, values = 0): Uint8Array {
  const json = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + json.length + values);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}
const entry = (fields: object) => JSON.stringify({ dtype: 'F32', shape: [1], data_offsets: [0, 4], ...fields });

describe('encodeSafetensors', () => {
  const bytes = encodeSafetensors(sample, { z: '1', note: '"quoted" – é' });

  it('is read back with the same bits, names, shapes and metadata', () => {
    const { tensors, metadata } = decodeSafetensors(bytes);
    expect(metadata).toEqual({ z: '1', note: '"quoted" – é' });
    expect(Object.fromEntries(tensors)).toEqual(sample);
    expect(Object.is(tensors.get('b')?.data[1], -0)).toBe(true);
  });

  it('gives equal bytes for equal contents in any order', () => {
    const reversed = Object.fromEntries(Object.entries(sample).reverse());
    expect(encodeSafetensors(reversed, { note: '"quoted" – é', z: '1' })).toEqual(bytes);
  });

  it('pads the header with spaces to 8 bytes and aligns every tensor to its element size', () => {
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(length % 8).toBe(0);
    const text = new TextDecoder().decode(bytes.subarray(8, 8 + length));
    expect(text).toMatch(/^\{.*\} *$/);
    const header = JSON.parse(text) as Record<string, { dtype: string; data_offsets: [number, number] }>;
    for (const [
      name,
      {
        dtype,
        data_offsets: [begin],
      },
    ] of Object.entries(header).filter(([n]) => n !== '__metadata__')) {
      expect(begin % ({ F64: 8, F32: 4, I32: 4, U8: 1 }[dtype] ?? 0), name).toBe(0);
    }
  });

  it('writes the bytes that the reference implementation writes', () => {
    // safetensors.numpy.save({'b': …, 'a': …, 'd': …, 'c': …}, metadata={'k': 'v'}) of Python's safetensors.
    const header =
      '{"__metadata__":{"k":"v"},"d":{"dtype":"F64","shape":[],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2,2],"data_offsets":[8,24]},"a":{"dtype":"I32","shape":[1],"data_offsets":[24,28]},"c":{"dtype":"U8","shape":[3],"data_offsets":[28,31]}}     ';
    const expected = `f800000000000000${Buffer.from(header).toString('hex')}0000000000001e400000803f00000040000040400000804005000000010203`;
    const bytesOf = encodeSafetensors(
      {
        b: { dtype: 'F32', shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) },
        a: { dtype: 'I32', shape: [1], data: Int32Array.of(5) },
        d: { dtype: 'F64', shape: [], data: Float64Array.of(7.5) },
        c: { dtype: 'U8', shape: [3], data: Uint8Array.of(1, 2, 3) },
      },
      { k: 'v' },
    );
    expect(Buffer.from(bytesOf).toString('hex')).toBe(expected);
    const file = readFileSync(new URL('../../../tooling/fixtures/optimisers.safetensors', import.meta.url));
    const { tensors, metadata } = decodeSafetensors(file);
    expect(Buffer.from(encodeSafetensors(Object.fromEntries(tensors), metadata)).equals(file)).toBe(true);
  });

  it('refuses a shape that does not fit its values, and the reserved name', () => {
    expect(() => encodeSafetensors({ x: { dtype: 'F32', shape: [3], data: Float32Array.of(1) } })).toThrow(
      /'x' has shape \[3\] but 1 values/,
    );
    expect(() => encodeSafetensors({ __metadata__: { dtype: 'F32', shape: [], data: Float32Array.of(1) } })).toThrow(CheckpointError);
  });
});

describe('decodeSafetensors', () => {
  it('reads files of the reference implementation', () => {
    const url = new URL('../../../tooling/fixtures/dsa.safetensors', import.meta.url);
    const { tensors } = decodeSafetensors(readFileSync(url));
    expect(tensors.get('images')?.shape).toEqual([4, 16, 16, 3]);
    expect(tensors.get('flip')?.dtype).toBe('I32');
  });

  it('does not share memory with its input', () => {
    const bytes = Buffer.from(encodeSafetensors(sample));
    const { tensors } = decodeSafetensors(bytes);
    bytes.fill(0);
    expect(tensors.get('a')?.data).toEqual(sample['a']?.data);
  });

  it.each([
    ['an empty file', new Uint8Array(), /0 bytes/],
    ['a PNG', Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0), /not a safetensors file: header of/],
    ['a header longer than the file', file('{}').subarray(0, 9), /truncated/],
    ['a header that is no JSON', file('hello'), /no JSON/],
    ['a header that is no UTF-8', Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0xff), /no JSON/],
    ['a header that is a list', file('[]'), /no JSON object/],
    ['metadata that is no text', file('{"__metadata__":{"a":1}}'), /metadata 'a' is no text/],
    ['an unknown dtype', file(`{"x":${entry({ dtype: 'BF16' })}}`, 4), /dtype "BF16".*half precision/],
    ['a dtype named like a method', file(`{"x":${entry({ dtype: 'toString' })}}`, 4), /dtype "toString"/],
    ['a negative size', file(`{"x":${entry({ shape: [-1] })}}`, 4), /shape \[-1\]/],
    ['a shape that does not fit', file(`{"x":${entry({ shape: [2] })}}`, 4), /needs 8 bytes, has 4/],
    ['a gigantic shape', file(`{"x":${entry({ shape: [9007199254740991, 9007199254740991] })}}`, 4), /needs/],
    ['offsets beyond the end', file(`{"x":${entry({})}}`, 3), /truncated\?/],
    ['offsets in reverse', file(`{"x":${entry({ data_offsets: [4, 0] })}}`, 4), /bytes 4 to 0/],
    ['overlapping tensors', file(`{"x":${entry({})},"y":${entry({})}}`, 4), /overlap/],
    ['a hole', file(`{"x":${entry({ data_offsets: [4, 8] })}}`, 8), /holes/],
    ['surplus values', file(`{"x":${entry({})}}`, 8), /8 bytes of values, its tensors use 4/],
    ['a truncated file', encodeSafetensors(sample).subarray(0, -1), /truncated/],
  ])('refuses %s, naming the problem and a remedy', (_, bytes, message) => {
    expect(() => decodeSafetensors(bytes)).toThrow(CheckpointError);
    expect(() => decodeSafetensors(bytes)).toThrow(message);
  });

  const onlyCheckpointErrors = (bytes: Uint8Array) => {
    try {
      let total = 0;
      for (const { data } of decodeSafetensors(bytes).tensors.values()) total += data.byteLength;
      expect(total).toBeLessThanOrEqual(bytes.length);
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
    }
  };

  it('throws nothing but CheckpointError on random bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), onlyCheckpointErrors), { numRuns: 2000 });
  });

  it('throws nothing but CheckpointError on random JSON headers', () => {
    const number = fc.oneof(fc.nat({ max: 12 }), fc.double(), fc.constant(2 ** 53));
    const fields = fc.record(
      {
        dtype: fc.oneof(fc.constantFrom('F32', 'U8', 'I32', 'F64'), fc.string()),
        shape: fc.oneof(fc.array(number, { maxLength: 3 }), fc.jsonValue()),
        data_offsets: fc.oneof(fc.tuple(number, number), fc.jsonValue()),
      },
      { requiredKeys: [] },
    );
    const header = fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('__metadata__', '__proto__')), fc.oneof(fields, fc.jsonValue()), {
      maxKeys: 3,
    });
    fc.assert(
      fc.property(header, fc.nat({ max: 12 }), (h, values) => onlyCheckpointErrors(file(JSON.stringify(h), values))),
      { numRuns: 2000 },
    );
  });

  it('throws nothing but CheckpointError on damaged files', () => {
    const good = encodeSafetensors(sample, { note: 'x' });
    const damage = fc.array(fc.tuple(fc.nat({ max: good.length - 1 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(damage, fc.nat({ max: good.length }), (changes, length) => {
        const bytes = good.slice();
        for (const [position, value] of changes) bytes[position] = value;
        onlyCheckpointErrors(bytes);
        onlyCheckpointErrors(bytes.subarray(0, length));
      }),
      { numRuns: 3000 },
    );
  });
});
