import { threefryPair } from './threefry.js';

const words = new Uint32Array(4);

/** Fills with float32 draws from U[0, 1): the top 24 bits of each word. */
export function fillUniform(k0: number, k1: number, out: Float32Array): void {
  for (let i = 0; i < out.length; i += 4) {
    threefryPair(k0, k1, 1, i >>> 1, words);
    // Writes past the end of a typed array are ignored.
    for (let j = 0; j < 4; j++) out[i + j] = ((words[j] as number) >>> 8) * 2 ** -24;
  }
}

const LN2 = Math.LN2;
const powers = Float64Array.from({ length: 33 }, (_, i) => 2 ** (1 - i));

/**
 * log((a + ½)·2⁻³²) of an unsigned 32-bit integer, by polynomial, from additions, multiplications and one division only:
 * `Math.log` may differ in the last bit between engines, and equal keys must give equal draws everywhere. Relative error
 * below 1e-9, far below float32's.
 */
function logFraction(a: number): number {
  const length = 32 - Math.clz32(a);
  let exponent = length - 33;
  let m = (a + 0.5) * (powers[length] as number);
  if (m > Math.SQRT2) {
    m *= 0.5;
    exponent += 1;
  }
  const s = (m - 1) / (m + 1);
  const z = s * s;
  return exponent * LN2 + 2 * s * (1 + z * (1 / 3 + z * (1 / 5 + z * (1 / 7 + z * (1 / 9 + z * (1 / 11 + z / 13))))));
}

/** Radians per unit of the last place of a 32-bit fraction of a turn. */
const RADIANS = 6.283185307179586 * 2 ** -32;
const cosSin = new Float64Array(2);
// cos and sin of an angle in quadrant k are, up to these signs, those of its remainder, exchanged in odd quadrants.
const cosSign = Float64Array.of(1, -1, -1, 1);
const sinSign = Float64Array.of(1, 1, -1, -1);

/**
 * Fills with standard normal draws by the Box–Muller transform, two per Threefry block (a, b):
 * `z = √(−2 log u₁)·(cos 2πu₂, sin 2πu₂)`, `u₁ = (a + ½)·2⁻³²`, `u₂ = b·2⁻³²`, rounded to float32.
 *
 * Cosine and sine by Taylor polynomials (error below 1e-9) of the remainder in [−π/4, π/4), and without branches: which
 * quadrant comes next cannot be predicted.
 */
export function fillNormal(k0: number, k1: number, out: Float32Array): void {
  for (let i = 0; i < out.length; i += 4) {
    threefryPair(k0, k1, 2, i >>> 1, words);
    for (let j = 0; j < 4; j += 2) {
      const radius = Math.sqrt(-2 * logFraction(words[j] as number));
      const shifted = ((words[j + 1] as number) + 0x20000000) | 0;
      const quadrant = shifted >>> 30;
      const odd = quadrant & 1;
      const r = ((shifted & 0x3fffffff) - 0x20000000) * RADIANS;
      const z = r * r;
      cosSin[0] = 1 + z * (-1 / 2 + z * (1 / 24 + z * (-1 / 720 + z * (1 / 40320 + z * (-1 / 3628800 + z / 479001600)))));
      cosSin[1] = r * (1 + z * (-1 / 6 + z * (1 / 120 + z * (-1 / 5040 + z * (1 / 362880 - z / 39916800)))));
      // Writes past the end of a typed array are ignored.
      out[i + j] = radius * ((cosSign[quadrant] as number) * (cosSin[odd] as number));
      out[i + j + 1] = radius * ((sinSign[quadrant] as number) * (cosSin[1 - odd] as number));
    }
  }
}
