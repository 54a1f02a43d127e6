import { ConfigError } from '@bpc/core';
import type { Normalisation, Split, SplitRole } from './dataset.js';
import { affineTables } from './normalise.js';
import { unwhitenPoints, whitenPoints, type Zca } from './whitening/zca.js';

/** Which points: a list of indices, or a half-open range. */
export type Selection = ArrayLike<number> | { readonly start: number; readonly end: number };

/**
 * Convert some images of a split to normalised float32, one batch at a time.
 *
 * `x = (u / scale − mean_c) / std_c`, then whitened if the normalisation says so; computed in float64 and rounded once.
 *
 * @returns `[points, height, width, channels]`, row-major, fresh; owned by the caller.
 * @throws ConfigError if an index is outside the split or the normalisation has another number of channels.
 *
 * @example
 * ```ts
 * import { getDataset, toFloat } from '@bpc/bench';
 * const { train, normalisation } = await getDataset('digits');
 * const batch = toFloat(train, { start: 0, end: 32 }, normalisation); // 32 · 8 · 8 values
 * ```
 */
export function toFloat(split: Split<SplitRole>, selection: Selection, normalisation: Normalisation): Float32Array<ArrayBuffer> {
  const indices = checkedIndices(split, selection);
  const { whitening } = normalisation;
  if (whitening === undefined) return affine(split, indices, normalisation, new Float32Array(indices.length * sizeOf(split)));
  const { whitened } = split;
  const whiteOf = (some: Int32Array): Float64Array =>
    whitenPoints(affine(split, some, normalisation, new Float64Array(some.length * sizeOf(split))), whitening);
  if (whitened === undefined) return Float32Array.from(whiteOf(indices));
  const { values, done } = whitened;
  const { size } = whitening;
  const missing = Int32Array.from(new Set(indices)).filter((index) => Atomics.load(done, index) === 0);
  const fresh = whiteOf(missing);
  // Two threads may compute the same image: they write the same bits, and the mark only after them.
  for (const [i, index] of missing.entries()) {
    values.set(fresh.subarray(i * size, (i + 1) * size), index * size);
    Atomics.store(done, index, 1);
  }
  const out = new Float32Array(indices.length * size);
  for (const [i, index] of indices.entries()) out.set(values.subarray(index * size, (index + 1) * size), i * size);
  return out;
}

/**
 * Apply a normalisation's whitening to images that are otherwise normalised; without one, they are returned as they are.
 *
 * @param values - `[count, height, width, channels]`, row-major.
 */
export function whitenValues(values: Float32Array, { whitening }: { readonly whitening?: Zca }): Float32Array {
  return whitening === undefined ? values : Float32Array.from(whitenPoints(values, whitening));
}

/** The way back, for pictures. */
export function unwhitenValues(values: ArrayLike<number>, { whitening }: { readonly whitening?: Zca }): ArrayLike<number> {
  return whitening === undefined ? values : unwhitenPoints(values, whitening);
}

function checkedIndices({ count, role }: Split<SplitRole>, selection: Selection): Int32Array {
  const range = 'start' in selection;
  const length = range ? selection.end - selection.start : selection.length;
  if (!Number.isInteger(length) || length < 0) {
    throw new ConfigError(
      `the selection has ${length} points, expected a non-negative integer`,
      'pass { start, end } with start ≤ end, or a list',
    );
  }
  const indices = new Int32Array(length);
  for (let i = 0; i < length; i++) {
    const index = range ? selection.start + i : (selection[i] ?? -1);
    if (!Number.isInteger(index) || index < 0 || index >= count) {
      throw new ConfigError(`index ${index} is outside the ${count} points of ${role}`, 'pass indices into this split');
    }
    indices[i] = index;
  }
  return indices;
}

const sizeOf = ({ shape }: Split<SplitRole>): number => shape[0] * shape[1] * shape[2];

function affine<Values extends Float32Array | Float64Array>(
  split: Split<SplitRole>,
  indices: Int32Array,
  normalisation: Normalisation,
  out: Values,
): Values {
  const { images, shape } = split;
  const channels = shape[2];
  const size = sizeOf(split);
  for (const [c, table] of affineTables(normalisation, channels).entries()) {
    for (let i = 0; i < indices.length; i++) {
      const from = (indices[i] ?? 0) * size;
      for (let p = c; p < size; p += channels) out[i * size + p] = table[images[from + p] ?? 0] ?? Number.NaN;
    }
  }
  return out;
}
