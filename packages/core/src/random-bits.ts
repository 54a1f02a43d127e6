/**
 * Threefry-2x32 with 20 rounds (Salmon et al. 2011): a keyed bijection of a 64-bit counter.
 * Matches the known-answer vectors of Random123.
 */
export function threefry2x32(k0: number, k1: number, c0: number, c1: number): [number, number] {
  const k2 = k0 ^ k1 ^ 0x1bd11bda;
  let x = (c0 + k0) | 0;
  let y = (c1 + k1) | 0;
  x = (x + y) | 0;
  y = ((y << 13) | (y >>> 19)) ^ x;
  x = (x + y) | 0;
  y = ((y << 15) | (y >>> 17)) ^ x;
  x = (x + y) | 0;
  y = ((y << 26) | (y >>> 6)) ^ x;
  x = (x + y) | 0;
  y = ((y << 6) | (y >>> 26)) ^ x;
  x = (x + k1) | 0;
  y = (y + k2 + 1) | 0;
  x = (x + y) | 0;
  y = ((y << 17) | (y >>> 15)) ^ x;
  x = (x + y) | 0;
  y = ((y << 29) | (y >>> 3)) ^ x;
  x = (x + y) | 0;
  y = ((y << 16) | (y >>> 16)) ^ x;
  x = (x + y) | 0;
  y = ((y << 24) | (y >>> 8)) ^ x;
  x = (x + k2) | 0;
  y = (y + k0 + 2) | 0;
  x = (x + y) | 0;
  y = ((y << 13) | (y >>> 19)) ^ x;
  x = (x + y) | 0;
  y = ((y << 15) | (y >>> 17)) ^ x;
  x = (x + y) | 0;
  y = ((y << 26) | (y >>> 6)) ^ x;
  x = (x + y) | 0;
  y = ((y << 6) | (y >>> 26)) ^ x;
  x = (x + k0) | 0;
  y = (y + k1 + 3) | 0;
  x = (x + y) | 0;
  y = ((y << 17) | (y >>> 15)) ^ x;
  x = (x + y) | 0;
  y = ((y << 29) | (y >>> 3)) ^ x;
  x = (x + y) | 0;
  y = ((y << 16) | (y >>> 16)) ^ x;
  x = (x + y) | 0;
  y = ((y << 24) | (y >>> 8)) ^ x;
  x = (x + k1) | 0;
  y = (y + k2 + 4) | 0;
  x = (x + y) | 0;
  y = ((y << 13) | (y >>> 19)) ^ x;
  x = (x + y) | 0;
  y = ((y << 15) | (y >>> 17)) ^ x;
  x = (x + y) | 0;
  y = ((y << 26) | (y >>> 6)) ^ x;
  x = (x + y) | 0;
  y = ((y << 6) | (y >>> 26)) ^ x;
  x = (x + k2) | 0;
  y = (y + k0 + 5) | 0;
  return [x >>> 0, y >>> 0];
}

/** Fills with float32 draws from U[0, 1): the top 24 bits of each word. */
export function fillUniform(k0: number, k1: number, out: Float32Array): void {
  for (let i = 0; i < out.length; i += 2) {
    const [a, b] = threefry2x32(k0, k1, 1, i >>> 1);
    out[i] = (a >>> 8) * 2 ** -24;
    if (i + 1 < out.length) out[i + 1] = (b >>> 8) * 2 ** -24;
  }
}

const LN2 = 0.6931471805599453;

/**
 * Natural logarithm on (0, 1], by polynomial, from additions and multiplications only: `Math.log` may differ in the last
 * bit between engines, and equal keys must give equal draws everywhere. Relative error below 1e-9, far below float32's.
 */
function log(u: number): number {
  view[0] = u;
  const bits = words[1] as number;
  let exponent = (bits >>> 20) - 1023;
  words[1] = (bits & 0xfffff) | 0x3ff00000;
  let m = view[0] as number;
  if (m > 1.4142135623730951) {
    m *= 0.5;
    exponent += 1;
  }
  const s = (m - 1) / (m + 1);
  const z = s * s;
  return exponent * LN2 + 2 * s * (1 + z * (1 / 3 + z * (1 / 5 + z * (1 / 7 + z * (1 / 9 + z * (1 / 11 + z / 13))))));
}

const view = new Float64Array(1);
const words = new Uint32Array(view.buffer);

/** cos(2πt) and sin(2πt) for t in [0, 1) by quadrant reduction and Taylor polynomials; error below 1e-9. */
function cosSin(t: number): void {
  const q = Math.floor(4 * t + 0.5);
  const r = (t - q * 0.25) * 6.283185307179586; // |r| ≤ π/4
  const z = r * r;
  const s = r * (1 + z * (-1 / 6 + z * (1 / 120 + z * (-1 / 5040 + z * (1 / 362880 - z / 39916800)))));
  const c = 1 + z * (-1 / 2 + z * (1 / 24 + z * (-1 / 720 + z * (1 / 40320 + z * (-1 / 3628800 + z / 479001600)))));
  const k = q & 3;
  pair[0] = k === 0 ? c : k === 1 ? -s : k === 2 ? -c : s;
  pair[1] = k === 0 ? s : k === 1 ? c : k === 2 ? -s : -c;
}

const pair = new Float64Array(2);

/**
 * Fills with standard normal draws by the Box–Muller transform, two per Threefry block:
 * `z = √(−2 log u₁)·(cos 2πu₂, sin 2πu₂)`, `u₁ = (a + ½)·2⁻³²`, `u₂ = b·2⁻³²`, rounded to float32.
 */
export function fillNormal(k0: number, k1: number, out: Float32Array): void {
  for (let i = 0; i < out.length; i += 2) {
    const [a, b] = threefry2x32(k0, k1, 2, i >>> 1);
    const radius = Math.sqrt(-2 * log((a + 0.5) * 2 ** -32));
    cosSin(b * 2 ** -32);
    out[i] = radius * (pair[0] as number);
    if (i + 1 < out.length) out[i + 1] = radius * (pair[1] as number);
  }
}
