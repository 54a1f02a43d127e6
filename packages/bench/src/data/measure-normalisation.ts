import type { Normalisation, Split } from './dataset.js';

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
