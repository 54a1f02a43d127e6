/** A v128 value of a function being assembled. */
export type Vector = { readonly local: number };

/** Unsigned LEB128. */
export function leb(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value >>> 0; ; rest >>>= 7) {
    if (rest < 0x80) return [...bytes, rest];
    bytes.push((rest & 0x7f) | 0x80);
  }
}

/** Signed LEB128 of a 32-bit integer. */
export function signedLeb(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value | 0; ; rest >>= 7) {
    const low = rest & 0x7f;
    if ((rest < 64 && rest >= 0) || (rest >= -64 && rest < 0)) return [...bytes, low];
    bytes.push(low | 0x80);
  }
}

const section = (id: number, content: readonly number[]): number[] => [id, ...leb(content.length), ...content];
const list = (entries: readonly (readonly number[])[]): number[] => [...leb(entries.length), ...entries.flat()];
const text = (name: string): number[] => [...leb(name.length), ...[...name].map((c) => c.charCodeAt(0))];

const I32 = 0x7f;
const V128 = 0x7b;

/** WebAssembly opcodes of the vector instructions used (all behind the prefix 0xfd). */
export const SIMD = {
  load: 0x00,
  store: 0x0b,
  const: 0x0c,
  shuffle: 0x0d,
  i32Splat: 0x11,
  and: 0x4e,
  or: 0x50,
  xor: 0x51,
  bitselect: 0x52,
  f64Greater: 0x4a,
  f32Demote: 0x5e,
  i32ShiftLeft: 0xab,
  i32ShiftRightSigned: 0xac,
  i32ShiftRight: 0xad,
  i32Add: 0xae,
  i32Sub: 0xb1,
  i64ExtendLowSigned: 0xc7,
  i64ShiftLeft: 0xcb,
  i64ShiftRight: 0xcd,
  f32Multiply: 0xe6,
  f64Sqrt: 0xef,
  f64Add: 0xf0,
  f64Sub: 0xf1,
  f64Multiply: 0xf2,
  f64Divide: 0xf3,
  f32FromInt: 0xfa,
  f64FromInt: 0xfe,
  f64FromUnsigned: 0xff,
} as const;

/** The body of a function whose four parameters are i32; every vector goes into a local of its own. */
export interface FunctionBody {
  readonly bytes: number[];
  /** Vector locals so far. */
  count(): number;
  vector(opcode: number, operands: readonly Vector[], immediate?: readonly number[]): Vector;
  /** By the number of bits, an i32 constant. */
  shift(opcode: number, x: Vector, bits: number): Vector;
  f64(value: number): Vector;
  i32(value: number): Vector;
  /** Assigns to an existing vector. */
  assign(target: Vector, value: Vector): void;
}

const PARAMETERS = 4;

export function functionBody(): FunctionBody {
  const bytes: number[] = [];
  const constants = new Map<string, Vector>();
  let locals = 0;
  const into = (): Vector => {
    const result = { local: PARAMETERS + locals++ };
    bytes.push(0x21, ...leb(result.local));
    return result;
  };
  const get = ({ local }: Vector) => bytes.push(0x20, ...leb(local));
  const literal = (content: Uint8Array): Vector => {
    const key = content.join();
    let found = constants.get(key);
    if (found === undefined) {
      bytes.push(0xfd, SIMD.const, ...content);
      found = into();
      constants.set(key, found);
    }
    return found;
  };
  return {
    bytes,
    count: () => locals,
    vector(opcode, operands, immediate = []) {
      operands.forEach(get);
      bytes.push(0xfd, ...leb(opcode), ...immediate);
      return into();
    },
    shift(opcode, x, bits) {
      get(x);
      bytes.push(0x41, ...signedLeb(bits), 0xfd, ...leb(opcode));
      return into();
    },
    f64: (value) => literal(new Uint8Array(Float64Array.of(value, value).buffer)),
    i32: (value) => literal(new Uint8Array(Int32Array.of(value, value, value, value).buffer)),
    assign(target, value) {
      get(value);
      bytes.push(0x21, ...leb(target.local));
    },
  };
}

/** A module of functions (i32, i32, i32, i32) → () with a memory of `pages` × 64 KiB, all exported. */
export function assembleModule(functions: Readonly<Record<string, FunctionBody>>, pages: number): Uint8Array<ArrayBuffer> {
  const names = Object.keys(functions);
  const bodies = Object.values(functions);
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, list([[0x60, PARAMETERS, I32, I32, I32, I32, 0]])),
    ...section(3, list(bodies.map(() => [0]))),
    ...section(5, list([[0, ...leb(pages)]])),
    ...section(7, list([...names.map((name, i) => [...text(name), 0, ...leb(i)]), [...text('memory'), 2, 0]])),
    ...section(
      10,
      list(
        bodies.map((body) => {
          const code = [...list([[...leb(body.count()), V128]]), ...body.bytes, 0x0b];
          return [...leb(code.length), ...code];
        }),
      ),
    ),
  ]);
}
