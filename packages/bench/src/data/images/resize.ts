import type { Pixels } from './decode-jpeg.js';

interface Taps {
  readonly first: Int32Array;
  readonly weights: readonly Float64Array[];
}

/**
 * Cut the largest centred square out of an image and scale it to `size × size`.
 *
 * Scaling is bilinear with antialiasing: separable, each output pixel a triangle-weighted mean over the input pixels it
 * covers, `w ∝ max(0, 1 − |i + ½ − c| / s)` with centre `c = (o + ½) s` and `s = input / output` (at least 1); the same
 * filter as Pillow's and torchvision's. Computed in float64, rounded once.
 */
export function centreSquare(image: Pixels, size: number): Uint8Array {
  const side = Math.min(image.width, image.height);
  const left = (image.width - side) >> 1;
  const top = (image.height - side) >> 1;
  const { first, weights } = tapsOf(side, size);
  const rows = new Float64Array(side * size * 3);
  for (let y = 0; y < side; y++) {
    const row = ((top + y) * image.width + left) * 3;
    for (let o = 0; o < size; o++) accumulate(image.data, row + (first[o] ?? 0) * 3, 3, weights[o] ?? [], rows, (y * size + o) * 3);
  }
  const out = new Uint8Array(size * size * 3);
  const sums = new Float64Array(3);
  for (let o = 0; o < size; o++) {
    for (let x = 0; x < size; x++) {
      accumulate(rows, ((first[o] ?? 0) * size + x) * 3, size * 3, weights[o] ?? [], sums, 0);
      for (let c = 0; c < 3; c++) out[(o * size + x) * 3 + c] = Math.min(255, Math.max(0, Math.floor((sums[c] ?? 0) + 0.5)));
    }
  }
  return out;
}

function accumulate(
  from: ArrayLike<number>,
  start: number,
  stride: number,
  weights: ArrayLike<number>,
  to: Float64Array,
  at: number,
): void {
  for (let c = 0; c < 3; c++) {
    let sum = 0;
    for (let k = 0; k < weights.length; k++) sum += (weights[k] ?? 0) * (from[start + k * stride + c] ?? 0);
    to[at + c] = sum;
  }
}

const known = new Map<string, Taps>();

/** The weights depend on the two sizes only, and all images of a data set have the same. */
function tapsOf(input: number, output: number): Taps {
  const name = `${input} to ${output}`;
  const taps = known.get(name) ?? computeTaps(input, output);
  known.set(name, taps);
  return taps;
}

function computeTaps(input: number, output: number): Taps {
  const scale = input / output;
  const support = Math.max(1, scale);
  const first = new Int32Array(output);
  const weights = Array.from({ length: output }, (_, o) => {
    const centre = (o + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - support + 0.5));
    const end = Math.min(input, Math.trunc(centre + support + 0.5));
    first[o] = start;
    const row = Float64Array.from({ length: end - start }, (__, k) => Math.max(0, 1 - Math.abs(start + k + 0.5 - centre) / support));
    const sum = row.reduce((a, b) => a + b, 0);
    return row.map((weight) => weight / sum);
  });
  return { first, weights };
}
