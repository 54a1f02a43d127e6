import { setImmediate } from 'node:timers/promises';
import type { Normalisation, TrainSplit } from '../dataset.js';
import { throwIfAborted } from '../download.js';
import { affineTables } from '../normalise.js';
import { type CovarianceDivisor, type PointRows, pointMoments } from './covariance.js';
import { type Zca, zcaOfMoments } from './zca.js';

/** Settings of a whitening transform; the defaults are those of the papers. */
export interface ZcaSettings {
  /** Added to every eigenvalue. Default 0.1. */
  readonly regularisation?: number;
  /** Default `count-1`, as kornia divides. */
  readonly divisor?: CovarianceDivisor;
}

/** Options of `fitZca`. */
export interface FitZcaOptions extends ZcaSettings {
  readonly signal?: AbortSignal;
  /** Told the share of the work that is done, between 0 and 1. */
  readonly onProgress?: (share: number) => void;
}

/**
 * Fit ZCA whitening to training images, in float64.
 *
 * The images are read in blocks, after `(u / scale − mean) / std`; flattened in the order height, width, channel. Only a
 * training split is accepted: validation and test images must not decide how images are seen. The published transforms:
 * kornia's (as used for BPC and trajectory matching) is fitted on `u / 255`, so mean 0 and std 1; FRePo's on standardised
 * images.
 *
 * Cost: `N d² / 2 + 5 d³` multiplications, on one core about 3 minutes for CIFAR-10 (N = 45 000, d = 3 072) and some seconds
 * for MNIST's size; memory about `8 d²` numbers, 0.6 GB for CIFAR-10. The last half
 * of the work is one piece: a signal is heeded before and after it.
 *
 * @throws ConfigError for a bad regularisation, or 0 with a singular covariance; InterruptedError when aborted.
 *
 * @example
 * ```ts
 * import { fitZca, getDataset, whitenPoints, toFloat } from '@bpc/bench';
 * const { train, normalisation } = await getDataset('digits');
 * const zca = await fitZca(train, normalisation, { regularisation: 0.1 });
 * const white = whitenPoints(toFloat(train, { start: 0, end: 2 }, normalisation), zca); // 2 · 64 values
 * ```
 */
export async function fitZca(train: TrainSplit, normalisation: Normalisation, options: FitZcaOptions = {}): Promise<Zca> {
  const { regularisation = 0.1, divisor = 'count-1', signal, onProgress } = options;
  const report = (share: number): void => {
    throwIfAborted(signal, 'the whitening transform');
    onProgress?.(share);
  };
  const moments = await pointMoments(imageRows(train, normalisation), {
    divisor,
    async onBlock(points) {
      report((0.5 * points) / train.count);
      // Lets an interrupt and the progress line through between blocks.
      await setImmediate();
    },
  });
  return zcaOfMoments(moments, { regularisation, divisor, onProgress: (share) => report(0.5 + 0.5 * share) });
}

function imageRows(train: TrainSplit, normalisation: Normalisation): PointRows {
  const [height, width, channels] = train.shape;
  const size = height * width * channels;
  const tables = affineTables(normalisation, channels);
  return {
    count: train.count,
    size,
    read(start, end) {
      const rows = new Float64Array((end - start) * size);
      const from = start * size;
      for (const [c, table] of tables.entries()) {
        for (let p = c; p < rows.length; p += channels) rows[p] = table[train.images[from + p] ?? 0] ?? Number.NaN;
      }
      return rows;
    },
  };
}
