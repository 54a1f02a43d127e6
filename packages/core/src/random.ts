import type { Tensor } from '@tensorflow/tfjs-core';
import { tensor } from '@tensorflow/tfjs-core';
import { ConfigError } from './errors.js';
import { fillNormal, fillUniform } from './random-bits.js';
import { type Fill, simdFills } from './random-simd.js';
import { threefry2x32 } from './threefry.js';
import { activeTrace } from './tracing.js';

declare const opaque: unique symbol;

/**
 * A seed that is used once: split it, fold numbers into it, draw from it.
 *
 * Opaque and serialisable (`keyToString`, `keyFromString`). Equal keys give equal draws on every runtime, bit for bit.
 * Inside a compiled program a key is symbolic: draws become program inputs that the host fills at each call.
 */
export interface Key {
  readonly [opaque]: 'key';
}

/**
 * What a key can do; implemented here for real keys and by a tracer for symbolic ones.
 * @internal
 */
export interface KeyImplementation {
  foldIn(data: number): KeyImplementation;
  normal(shape: readonly number[]): Tensor;
  uniform(shape: readonly number[]): Tensor;
  /** The two words of a real key; undefined while tracing. */
  readonly words: readonly [number, number] | undefined;
}

class ThreefryKey implements KeyImplementation {
  readonly words: readonly [number, number];

  constructor(hi: number, lo: number) {
    this.words = [hi >>> 0, lo >>> 0];
  }

  foldIn(data: number): ThreefryKey {
    // 53-bit integers are hashed in two words; the domain tag keeps derived keys apart from bulk counters.
    const [a, b] = threefry2x32(this.words[0], this.words[1], (Math.floor(data / 2 ** 32) ^ 0x80000000) >>> 0, data >>> 0);
    return new ThreefryKey(a, b);
  }

  normal(shape: readonly number[]): Tensor {
    return tensor(hostNormal(this as unknown as Key, size(shape)), [...shape], 'float32');
  }

  uniform(shape: readonly number[]): Tensor {
    return tensor(hostUniform(this as unknown as Key, size(shape)), [...shape], 'float32');
  }
}

const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
const implementation = (k: Key): KeyImplementation => k as unknown as KeyImplementation;
const asKey = (k: KeyImplementation): Key => k as unknown as Key;

/** True for a key, real or symbolic. */
export function isKey(value: unknown): value is Key {
  return typeof value === 'object' && value !== null && 'foldIn' in value && 'words' in value;
}

/**
 * A key from a seed, an integer in `[0, 2^53)`.
 *
 * @throws ConfigError if the seed is not such an integer.
 * @example
 * ```ts
 * import { key, normal, split } from '@bpc/core';
 * const [a, b] = split(key(0), 2);
 * const noise = normal(a, [3, 2]);
 * ```
 */
export function key(seed: number): Key {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new ConfigError(`seed is ${seed}, expected an integer in [0, 2^53)`, 'pass a non-negative integer seed');
  }
  return asKey(new ThreefryKey(0x62706373, 0).foldIn(seed));
}

/** A new key from a key and an integer in `[0, 2^53)`; `foldIn(key, step)` gives each step its own randomness. */
export function foldIn(k: Key, data: number): Key {
  if (!Number.isSafeInteger(data) || data < 0) {
    throw new ConfigError(`foldIn got ${data}, expected an integer in [0, 2^53)`, 'fold in a non-negative integer');
  }
  return asKey(implementation(k).foldIn(data));
}

/** `count` independent keys. Do not use `k` itself afterwards. */
export function split<const N extends number>(
  k: Key,
  count: N,
): number extends N ? Key[] : N extends 2 ? [Key, Key] : N extends 3 ? [Key, Key, Key] : N extends 4 ? [Key, Key, Key, Key] : Key[] {
  return Array.from({ length: count }, (_, i) => foldIn(k, i)) as never;
}

/**
 * Standard normal draws, float32, on the current tfjs backend (or as a program input while tracing). Caller owns them.
 *
 * @throws ConfigError for a key captured by a function that is being traced: pass keys to programs as arguments.
 */
export function normal(k: Key, shape: readonly number[]): Tensor {
  return implementation(k).normal(shape);
}

/** Draws from U[0, 1), float32. Caller owns them. @throws ConfigError like `normal`. */
export function uniform(k: Key, shape: readonly number[]): Tensor {
  return implementation(k).uniform(shape);
}

function realWords(k: Key): readonly [number, number] {
  const { words } = implementation(k);
  if (words === undefined)
    throw new ConfigError('a symbolic key has no value', 'draw on the host before the program, or use normal() and uniform()');
  return words;
}

/** The words to draw from. A draw while a function is traced would be the same number at every call of the program. */
function drawWords(k: Key): readonly [number, number] {
  const words = realWords(k);
  const trace = activeTrace();
  if (trace !== undefined) {
    throw new ConfigError(
      `'${trace.tracedFunction}' draws from a key that is not its argument, which would freeze the draw into the program`,
      'pass the key as an argument of the compiled function, or pass the draws themselves',
    );
  }
  return words;
}

/** Below this many draws, plain JavaScript is done before a call into WebAssembly pays. */
const FEW = 64;
let fast: { readonly normal: Fill; readonly uniform: Fill } | undefined;

/** The two ways to draw agree bit for bit; only their speed differs. */
function fill(kind: 'normal' | 'uniform', [hi, lo]: readonly [number, number], count: number): Float32Array {
  const out = new Float32Array(count);
  const plain = { normal: fillNormal, uniform: fillUniform };
  if (count >= FEW) fast ??= simdFills() ?? plain;
  (count >= FEW && fast ? fast : plain)[kind](hi, lo, out);
  return out;
}

/** `count` standard normal draws on the host; the same numbers as `normal(k, [count])`. */
export function hostNormal(k: Key, count: number): Float32Array {
  return fill('normal', drawWords(k), count);
}

/** `count` draws from U[0, 1) on the host; the same numbers as `uniform(k, [count])`. */
export function hostUniform(k: Key, count: number): Float32Array {
  return fill('uniform', drawWords(k), count);
}

/**
 * The two 32-bit words of a real key, to seed a generator on the host: equal keys, equal words. Do not draw from the key as well.
 *
 * @throws ConfigError like `normal`.
 */
export function hostWords(k: Key): readonly [number, number] {
  return drawWords(k);
}

/** One integer uniform on `{0, …, bound − 1}`, on the host (bias below 2^-21 for bounds below 2^32). */
export function hostInteger(k: Key, bound: number): number {
  if (!Number.isSafeInteger(bound) || bound < 1 || bound > 2 ** 32) {
    throw new ConfigError(`bound is ${bound}, expected an integer in [1, 2^32]`, 'pass a positive bound');
  }
  const [hi, lo] = drawWords(k);
  const [a, b] = threefry2x32(hi, lo, 0, 0);
  return Math.floor(((a * 2 ** 21 + (b >>> 11)) / 2 ** 53) * bound);
}

/** A uniformly random permutation of `0 … count − 1`, on the host (Fisher–Yates). */
export function hostPermutation(k: Key, count: number): Int32Array {
  const order = Int32Array.from({ length: count }, (_, i) => i);
  const [hi, lo] = drawWords(k);
  for (let i = count - 1; i > 0; i--) {
    const [a, b] = threefry2x32(hi, lo, 0, i);
    const j = Math.floor(((a * 2 ** 21 + (b >>> 11)) / 2 ** 53) * (i + 1));
    const swap = order[i] as number;
    order[i] = order[j] as number;
    order[j] = swap;
  }
  return order;
}

/** 16 hexadecimal digits. */
export function keyToString(k: Key): string {
  return realWords(k)
    .map((w) => w.toString(16).padStart(8, '0'))
    .join('');
}

/** The key written by `keyToString`. @throws ConfigError on anything else. */
export function keyFromString(text: string): Key {
  if (!/^[0-9a-f]{16}$/.test(text)) {
    throw new ConfigError(`'${text}' is not a key, expected 16 hexadecimal digits`, 'pass the output of keyToString');
  }
  return asKey(new ThreefryKey(Number.parseInt(text.slice(0, 8), 16), Number.parseInt(text.slice(8), 16)));
}
