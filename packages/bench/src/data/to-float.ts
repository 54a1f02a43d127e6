import { ConfigError } from '@bpc/core';
import type { Normalisation, Split, SplitRole } from './dataset.js';

/** Which points: a list of indices, or a half-open range. */
export type Selection = ArrayLike<number> | { readonly start: number; readonly end: number };

/**
 * Convert some images of a split to normalised float32, one batch at a time.
 *
 * `x = (u / scale − mean_c) / std_c`, computed in float64 and rounded once.
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
  const [height, width, channels] = split.shape;
  const size = height * width * channels;
  const tables = byteTables(normalisation, channels);
  const range = 'start' in selection;
  const count = range ? selection.end - selection.start : selection.length;
  if (!Number.isInteger(count) || count < 0) {
    throw new ConfigError(
      `the selection has ${count} points, expected a non-negative integer`,
      'pass { start, end } with start ≤ end, or a list',
    );
  }
  const out = new Float32Array(count * size);
  for (let i = 0; i < count; i++) {
    const index = range ? selection.start + i : (selection[i] ?? -1);
    if (!Number.isInteger(index) || index < 0 || index >= split.count) {
      throw new ConfigError(`index ${index} is outside the ${split.count} points of ${split.role}`, 'pass indices into this split');
    }
    for (let c = 0; c < channels; c++) {
      const table = tables[c] ?? new Float32Array(0);
      for (let p = c; p < size; p += channels) out[i * size + p] = table[split.images[index * size + p] ?? 0] ?? Number.NaN;
    }
  }
  return out;
}

function byteTables({ scale, mean, std }: Normalisation, channels: number): Float32Array[] {
  if (mean.length !== channels || std.length !== channels) {
    throw new ConfigError(
      `the normalisation has ${mean.length} means and ${std.length} standard deviations, expected ${channels} of each`,
      "pass the data set's own normalisation",
    );
  }
  return mean.map((m, c) => Float32Array.from({ length: 256 }, (_, u) => (u / scale - m) / (std[c] ?? Number.NaN)));
}

/**
 * Mean and standard deviation (divisor N) of every channel of a training split, in units of full intensity.
 *
 * @example
 * ```ts
 * import { getDataset, measureNormalisation } from '@bpc/bench';
 * const { train } = await getDataset('digits');
 * console.log(measureNormalisation(train, 16));
 * ```
 */
export function measureNormalisation(train: Split<'train'>, scale: number): Normalisation {
  const channels = train.shape[2];
  const mean: number[] = [];
  const std: number[] = [];
  for (let c = 0; c < channels; c++) {
    // Sums of bytes and of their squares are integers below 2^53: exact, whatever the order.
    let sum = 0;
    let squares = 0;
    for (let p = c; p < train.images.length; p += channels) {
      const value = train.images[p] ?? 0;
      sum += value;
      squares += value * value;
    }
    const count = train.images.length / channels;
    mean.push(sum / count / scale);
    std.push(Math.sqrt(squares / count - (sum / count) ** 2) / scale);
  }
  return { scale, mean, std };
}
