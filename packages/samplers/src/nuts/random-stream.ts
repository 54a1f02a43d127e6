import { hostWords, type Key } from '@bpc/core';
import { layers, tailDistance, ziggurat } from './ziggurat.js';

/** Random float64 numbers, fast enough for a sampler's inner loop. */
export interface RandomStream {
  /** Starts anew from a key, in place: what follows depends on nothing else. */
  seed(key: Key): void;
  /** A draw from U[0, 1), a multiple of 2⁻⁵³. */
  uniform(): number;
  /** A standard normal draw. */
  normal(): number;
  /** Writes `count` standard normal draws to `out` from `start` on. */
  normals(out: Float64Array, start: number, count: number): void;
}

/** Rounds after which all bits of a 64-bit seed have reached all bits of the state (Doty-Humphrey's choice for such seeds). */
const MIXING = 12;

/**
 * A stream of float64 draws from a key.
 *
 * Keys are hashed by Threefry, too slow to be asked for every number of a trajectory that costs 0.1 µs per gradient. So a key
 * seeds the small fast counting generator (sfc32; C. Doty-Humphrey, PractRand; period at least 2³², 2¹²⁷ on average), and
 * normals come from a ziggurat with the full 53 bits (Doornik 2005). A stream lives for one transition: its state is never saved.
 *
 * @throws ConfigError for a symbolic key.
 * @example
 * ```ts
 * import { key } from '@bpc/core';
 * import { randomStream } from '@bpc/samplers';
 * const stream = randomStream(key(0));
 * console.log(stream.uniform(), stream.normal());
 * ```
 */
export function randomStream(key: Key): RandomStream {
  // In a typed array: 32-bit integers held by a closure are boxed in browsers, whose small integers have 31 bits.
  const state = new Int32Array(4);
  const { width, reach } = ziggurat();

  const next = (): number => {
    const a = state[0] as number;
    const b = state[1] as number;
    const c = state[2] as number;
    const d = state[3] as number;
    const sum = (a + b + d) | 0;
    state[0] = b ^ (b >>> 9);
    state[1] = (c + (c << 3)) | 0;
    state[2] = (((c << 21) | (c >>> 11)) + sum) | 0;
    state[3] = (d + 1) | 0;
    return sum;
  };

  const seed = (from: Key): void => {
    const [high, low] = hostWords(from);
    state[0] = 0;
    state[1] = low;
    state[2] = high;
    state[3] = 1;
    for (let round = 0; round < MIXING; round++) next();
  };

  const uniform = (): number => ((next() >>> 0) * 2 ** 21 + (next() >>> 11)) * 2 ** -53;

  /** A draw beyond the base layer (Marsaglia 1964). */
  const tail = (negative: boolean): number => {
    for (;;) {
      const x = Math.log(1 - uniform()) / tailDistance;
      if (-2 * Math.log(1 - uniform()) >= x * x) return negative ? x - tailDistance : tailDistance - x;
    }
  };

  const normal = (): number => {
    for (;;) {
      const high = next();
      const low = next();
      const u = (high * 2 ** 21 + (low >>> 11)) * 2 ** -52; // in [−1, 1)
      const layer = low & (layers - 1); // bits that u does not use
      const x = u * (width[layer] as number);
      if (Math.abs(u) < (reach[layer] as number)) return x;
      if (layer === 0) return tail(u < 0);
      const outer = width[layer] as number;
      const inner = width[layer + 1] as number;
      const f0 = Math.exp(-0.5 * (outer * outer - x * x));
      const f1 = Math.exp(-0.5 * (inner * inner - x * x));
      if (f1 + uniform() * (f0 - f1) < 1) return x;
    }
  };

  const normals = (out: Float64Array, start: number, count: number): void => {
    for (let i = start; i < start + count; i++) out[i] = normal();
  };

  seed(key);
  return { seed, uniform, normal, normals };
}
