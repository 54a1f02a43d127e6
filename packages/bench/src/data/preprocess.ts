import { join } from 'node:path';
import type { Dataset } from './dataset.js';
import { cacheFolder } from './folders.js';
import { type FitZcaOptions, fitZca } from './whitening/fit-zca.js';
import { type WhitenOptions, whiten } from './whitening/whiten.js';
import { readZca, writeZca, zcaSource } from './whitening/zca-file.js';

/** How images are prepared for networks. */
export const preprocessNames = ['standardise', 'zca', 'standardise-zca'] as const;
/** How images are prepared for networks, by name. */
export type PreprocessName = (typeof preprocessNames)[number];

/** Options of `preprocess`. */
export interface PreprocessOptions extends FitZcaOptions, WhitenOptions {
  /** Where fitted transforms are kept. Default: `BPC_CACHE`, else `bpc` in the platform's cache folder. */
  readonly cacheDir?: string;
}

/**
 * Prepare a data set's images: what `toFloat` will give.
 *
 * - `standardise`: per channel, `(u / scale − mean) / std`; the data set as it is.
 * - `zca`: ZCA whitening of `u / scale`, as kornia's and the released code of BPC and trajectory matching.
 * - `standardise-zca`: per-channel standardisation, then ZCA, as FRePo and RFAD.
 *
 * A transform is fitted on the training split once (minutes for CIFAR-10) and kept in the cache, under a hash of the images
 * and settings.
 *
 * @throws as `fitZca`; ChecksumError if a kept transform is damaged; StorageError if it cannot be written.
 *
 * @example
 * ```ts
 * import { getDataset, preprocess, toFloat } from '@bpc/bench';
 * import { mkdtemp } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * const cacheDir = await mkdtemp(join(tmpdir(), 'bpc-'));
 * const white = await preprocess(await getDataset('digits'), 'zca', { cacheDir });
 * const batch = toFloat(white.train, { start: 0, end: 32 }, white.normalisation);
 * ```
 */
export async function preprocess(dataset: Dataset, name: PreprocessName, options: PreprocessOptions = {}): Promise<Dataset> {
  if (name === 'standardise') return dataset;
  const { regularisation = 0.1, divisor = 'count-1', keep = true, cacheDir = cacheFolder() } = options;
  const { scale } = dataset.normalisation;
  const channels = dataset.shape[2];
  const input =
    name === 'zca' ? { scale, mean: new Array<number>(channels).fill(0), std: new Array<number>(channels).fill(1) } : dataset.normalisation;
  const { mean, std } = input;
  const source = zcaSource(dataset.train.images, { scale, mean, std, regularisation, divisor });
  const path = join(cacheDir, 'zca', `${dataset.name}-${source.slice(0, 16)}.safetensors`);
  const kept = await readZca(path, source);
  const zca = kept ?? (await fitZca(dataset.train, input, options));
  if (kept === undefined) await writeZca(path, zca, source);
  return whiten({ ...dataset, normalisation: input }, zca, { keep });
}
