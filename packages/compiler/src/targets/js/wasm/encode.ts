/** An unsigned integer in LEB128. */
export function unsigned(n: number): number[] {
  const bytes: number[] = [];
  do {
    const low = n % 128;
    n = Math.floor(n / 128);
    bytes.push(n > 0 ? low | 128 : low);
  } while (n > 0);
  return bytes;
}

/** A signed 32-bit integer in LEB128. */
export function signed(n: number): number[] {
  const bytes: number[] = [];
  for (;;) {
    const low = n & 127;
    n >>= 7;
    const done = (n === 0 && (low & 64) === 0) || (n === -1 && (low & 64) !== 0);
    bytes.push(done ? low : low | 128);
    if (done) return bytes;
  }
}

const eight = new DataView(new ArrayBuffer(8));
const taken = (count: number): number[] => Array.from({ length: count }, (_, i) => eight.getUint8(i));

export function float64Bytes(value: number): number[] {
  eight.setFloat64(0, value, true);
  return taken(8);
}

export function float32Bytes(value: number): number[] {
  eight.setFloat32(0, value, true);
  return taken(4);
}

export function int64Bytes(value: bigint): number[] {
  eight.setBigInt64(0, value, true);
  return taken(8);
}

export function int32Bytes(value: number): number[] {
  eight.setInt32(0, value, true);
  return taken(4);
}

/** A name, or bytes with their count before them. */
export const counted = (bytes: readonly number[]): number[] => unsigned(bytes.length).concat(bytes);
export const nameBytes = (name: string): number[] => counted([...new TextEncoder().encode(name)]);

/** A list of encoded entries with their count before it. */
export const list = (entries: readonly (readonly number[])[]): number[] => unsigned(entries.length).concat(entries.flat());

export const section = (id: number, content: readonly number[]): number[] => [id].concat(counted(content));

/** Instruction of the SIMD extension. */
export const simd = (op: number): number[] => [0xfd, ...unsigned(op)];
