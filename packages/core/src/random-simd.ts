import { assembleModule, type FunctionBody, functionBody, leb, SIMD, signedLeb, type Vector } from './wasm-assembler.js';

/** Fills `out` with the draws of a key's two words; what `random-bits.ts` defines, bit for bit. */
export type Fill = (k0: number, k1: number, out: Float32Array) => void;

/** Vectors of four Threefry blocks that one turn of the loop computes: one chain alone leaves the processor waiting. */
const CHAINS = 2;
const BLOCKS = 4 * CHAINS;
/** Draws per turn of the loop. */
const DRAWS = 2 * BLOCKS;
/** Draws per call: the memory is copied out piece by piece and stays in the cache. */
const CHUNK = 1 << 13;

const ROTATIONS = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const;

const add = (f: FunctionBody, a: Vector, b: Vector): Vector => f.vector(SIMD.i32Add, [a, b]);
const xor = (f: FunctionBody, a: Vector, b: Vector): Vector => f.vector(SIMD.xor, [a, b]);
const and = (f: FunctionBody, a: Vector, b: Vector): Vector => f.vector(SIMD.and, [a, b]);

function rotate(f: FunctionBody, x: Vector, bits: number): Vector {
  return f.vector(SIMD.or, [f.shift(SIMD.i32ShiftLeft, x, bits), f.shift(SIMD.i32ShiftRight, x, 32 - bits)]);
}

/** An i32 parameter in every lane. */
function splat(f: FunctionBody, parameter: number): Vector {
  f.bytes.push(0x20, ...leb(parameter));
  return f.vector(SIMD.i32Splat, []);
}

/** Threefry-2x32-20 of the counters in `counters`, one block per lane. */
function threefry(f: FunctionBody, keys: readonly [Vector, Vector, Vector], domain: number, counters: readonly Vector[]) {
  let blocks = counters.map((counter) => ({ x: add(f, f.i32(domain), keys[0]), y: add(f, counter, keys[1]) }));
  for (let group = 1; group <= 5; group++) {
    for (const bits of group % 2 === 1 ? ROTATIONS[0] : ROTATIONS[1]) {
      blocks = blocks.map(({ x, y }) => {
        const sum = add(f, x, y);
        return { x: sum, y: xor(f, rotate(f, y, bits), sum) };
      });
    }
    const [first, second] = [keys[group % 3], keys[(group + 1) % 3]];
    if (!first || !second) throw new RangeError('a Threefry key has three words');
    blocks = blocks.map(({ x, y }) => ({ x: add(f, x, first), y: add(f, add(f, y, second), f.i32(group)) }));
  }
  return blocks;
}

/** c₀ + z·(c₁ + z·(c₂ + …)), the last coefficient divided: `z/d`. */
function polynomial(f: FunctionBody, z: Vector, coefficients: readonly number[], divisor: number, sign = 1): Vector {
  const last = f.vector(SIMD.f64Divide, [z, f.f64(divisor)]);
  let sum = last;
  coefficients.toReversed().forEach((c, i) => {
    const term = i === 0 ? last : f.vector(SIMD.f64Multiply, [z, sum]);
    sum = f.vector(i === 0 && sign < 0 ? SIMD.f64Sub : SIMD.f64Add, [f.f64(c), term]);
  });
  return sum;
}

/** log((a + ½)·2⁻³²) of the two lowest lanes. */
function logFraction(f: FunctionBody, a: Vector): Vector {
  const shifted = f.vector(SIMD.f64Add, [f.vector(SIMD.f64FromUnsigned, [a]), f.f64(0.5)]);
  // The exponent's bits, placed in the mantissa of 2⁵², are the exponent as a number.
  const biased = f.vector(SIMD.or, [f.shift(SIMD.i64ShiftRight, shifted, 52), f.f64(2 ** 52)]);
  const exponent = f.vector(SIMD.f64Sub, [biased, f.f64(2 ** 52 + 1023 + 32)]);
  const mantissaBits = f.shift(SIMD.i64ShiftRight, f.shift(SIMD.i64ShiftLeft, shifted, 12), 12);
  const mantissa = f.vector(SIMD.or, [mantissaBits, f.f64(1)]);
  const large = f.vector(SIMD.f64Greater, [mantissa, f.f64(Math.SQRT2)]);
  const m = f.vector(SIMD.bitselect, [f.vector(SIMD.f64Multiply, [mantissa, f.f64(0.5)]), mantissa, large]);
  const e = f.vector(SIMD.f64Add, [exponent, and(f, large, f.f64(1))]);
  const s = f.vector(SIMD.f64Divide, [f.vector(SIMD.f64Sub, [m, f.f64(1)]), f.vector(SIMD.f64Add, [m, f.f64(1)])]);
  const z = f.vector(SIMD.f64Multiply, [s, s]);
  const series = polynomial(f, z, [1, 1 / 3, 1 / 5, 1 / 7, 1 / 9, 1 / 11], 13);
  const twice = f.vector(SIMD.f64Multiply, [f.f64(2), s]);
  return f.vector(SIMD.f64Add, [f.vector(SIMD.f64Multiply, [e, f.f64(Math.LN2)]), f.vector(SIMD.f64Multiply, [twice, series])]);
}

/** A mask over 64-bit lanes from bit `bit` of the two lowest 32-bit lanes. */
function lanesWith(f: FunctionBody, x: Vector, bit: number): Vector {
  const spread = f.shift(SIMD.i32ShiftRightSigned, f.shift(SIMD.i32ShiftLeft, x, 31 - bit), 31);
  return f.vector(SIMD.i64ExtendLowSigned, [spread]);
}

/** Normals (cos, sin) of the two lowest lanes of the words (a, b), as [cos₀, cos₁, sin₀, sin₁] in float32. */
function boxMuller(f: FunctionBody, a: Vector, b: Vector): { readonly cos: Vector; readonly sin: Vector } {
  const radius = f.vector(SIMD.f64Sqrt, [f.vector(SIMD.f64Multiply, [f.f64(-2), logFraction(f, a)])]);
  const shifted = add(f, b, f.i32(0x20000000));
  const rest = f.vector(SIMD.i32Sub, [and(f, shifted, f.i32(0x3fffffff)), f.i32(0x20000000)]);
  const r = f.vector(SIMD.f64Multiply, [f.vector(SIMD.f64FromInt, [rest]), f.f64(6.283185307179586 * 2 ** -32)]);
  const z = f.vector(SIMD.f64Multiply, [r, r]);
  const cosine = polynomial(f, z, [1, -1 / 2, 1 / 24, -1 / 720, 1 / 40320, -1 / 3628800], 479001600);
  const sine = f.vector(SIMD.f64Multiply, [r, polynomial(f, z, [1, -1 / 6, 1 / 120, -1 / 5040, 1 / 362880], 39916800, -1)]);
  // Quadrants 1 and 3 exchange cosine and sine; the sign is that of cosine in 1 and 2, of sine in 2 and 3.
  const odd = lanesWith(f, shifted, 30);
  const lower = lanesWith(f, shifted, 31);
  const sign = f.f64(-0);
  const part = (even: Vector, other: Vector, negative: Vector): Vector => {
    const value = xor(f, f.vector(SIMD.bitselect, [other, even, odd]), and(f, negative, sign));
    return f.vector(SIMD.f32Demote, [f.vector(SIMD.f64Multiply, [radius, value])]);
  };
  return { cos: part(cosine, sine, xor(f, odd, lower)), sin: part(sine, cosine, lower) };
}

const shuffle = (f: FunctionBody, a: Vector, b: Vector, lanes: readonly number[]): Vector =>
  f.vector(
    SIMD.shuffle,
    [a, b],
    lanes.flatMap((lane) => [0, 1, 2, 3].map((byte) => 4 * lane + byte)),
  );
const LOW = [0, 4, 1, 5];
const HIGH = [2, 6, 3, 7];
const UPPER_HALF = [2, 3, 2, 3];

/** Draws of one vector of blocks: four vectors' worth of [first, second, first, second]. */
function normals(f: FunctionBody, a: Vector, b: Vector): Vector[] {
  return [
    { a, b },
    { a: shuffle(f, a, a, UPPER_HALF), b: shuffle(f, b, b, UPPER_HALF) },
  ].map((half) => {
    const { cos, sin } = boxMuller(f, half.a, half.b);
    return shuffle(f, cos, sin, LOW);
  });
}

function uniforms(f: FunctionBody, a: Vector, b: Vector): Vector[] {
  const scale = new Uint8Array(Float32Array.of(2 ** -24, 2 ** -24, 2 ** -24, 2 ** -24).buffer);
  const factor = f.vector(SIMD.const, [], [...scale]);
  return [shuffle(f, a, b, LOW), shuffle(f, a, b, HIGH)].map((words) =>
    f.vector(SIMD.f32Multiply, [f.vector(SIMD.f32FromInt, [f.shift(SIMD.i32ShiftRight, words, 8)]), factor]),
  );
}

/** `(k0, k1, counter, bytes)`: fills `bytes` of memory with the draws of blocks `counter`, `counter + 1`, … */
function fillFunction(domain: number, draws: (f: FunctionBody, a: Vector, b: Vector) => Vector[]): FunctionBody {
  const f = functionBody();
  const keys = [splat(f, 0), splat(f, 1)] as const;
  const third = xor(f, xor(f, keys[0], keys[1]), f.i32(0x1bd11bda));
  const lanes = f.vector(SIMD.const, [], [...new Uint8Array(Int32Array.of(0, 1, 2, 3).buffer)]);
  let offset = lanes;
  const counters = Array.from({ length: CHAINS }, () => {
    const counter = add(f, splat(f, 2), offset);
    offset = add(f, offset, f.i32(4));
    return counter;
  });
  // Parameter 2 is free from here on and counts the bytes written.
  f.bytes.push(0x41, 0, 0x21, 2, 0x03, 0x40);
  const blocks = threefry(f, [keys[0], keys[1], third], domain, counters);
  blocks
    .flatMap(({ x, y }) => draws(f, x, y))
    .forEach((value, i) => {
      f.bytes.push(0x20, 2, 0x20, ...leb(value.local), 0xfd, SIMD.store, 4, ...leb(16 * i));
    });
  for (const counter of counters) f.assign(counter, add(f, counter, f.i32(BLOCKS)));
  // Next position; once more while it is below the limit.
  f.bytes.push(0x20, 2, 0x41, ...signedLeb(4 * DRAWS), 0x6a, 0x22, 2, 0x20, 3, 0x49, 0x0d, 0, 0x0b);
  return f;
}

/**
 * Draws by WebAssembly SIMD, or undefined where WebAssembly is missing, forbidden, or refuses to compile ten kilobytes
 * synchronously (old browsers, on the main thread).
 */
export function simdFills(): { readonly normal: Fill; readonly uniform: Fill } | undefined {
  if (typeof WebAssembly === 'undefined') return undefined;
  let exports: WebAssembly.Exports;
  try {
    exports = new WebAssembly.Instance(new WebAssembly.Module(moduleBytes())).exports;
  } catch {
    // No SIMD, or a Content-Security-Policy without 'wasm-unsafe-eval': the plain version gives the same bits.
    return undefined;
  }
  const memory = new Float32Array((exports['memory'] as WebAssembly.Memory).buffer);
  const filler = (name: string): Fill => {
    // Assembled below with this signature.
    const run = exports[name] as (k0: number, k1: number, counter: number, bytes: number) => void;
    return (k0, k1, out) => {
      for (let start = 0; start < out.length; start += CHUNK) {
        const length = Math.min(CHUNK, out.length - start);
        run(k0, k1, start >>> 1, 4 * length);
        out.set(length === CHUNK ? memory.subarray(0, CHUNK) : memory.subarray(0, length), start);
      }
    };
  };
  return { normal: filler('normal'), uniform: filler('uniform') };
}

/** The module, for tests and for who wants to look at it. */
export const moduleBytes = (): Uint8Array<ArrayBuffer> =>
  assembleModule({ normal: fillFunction(2, normals), uniform: fillFunction(1, uniforms) }, 1);
