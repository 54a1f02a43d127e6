import { ConfigError } from '@bpc/core';
import type { RunConfig } from '../config/index.js';
import type { Dataset } from '../data/dataset.js';
import { makeMethod } from './make-method.js';
import { startWeight } from './traits.js';

/** Training images of each class. */
export function classSizes({ train, classes }: Pick<Dataset, 'train' | 'classes'>): Uint32Array {
  const sizes = new Uint32Array(classes);
  for (const label of train.labels) sizes[label] = (sizes[label] ?? 0) + 1;
  return sizes;
}

/**
 * Refuses more images per class than the smallest class has, and classes without any.
 *
 * @throws ConfigError naming class and size.
 */
export function checkImagesPerClass(dataset: Pick<Dataset, 'name' | 'train' | 'classes'>, ipc: number): void {
  const sizes = classSizes(dataset);
  const smallest = sizes.reduce((best, size, c) => (size < (sizes[best] ?? 0) ? c : best), 0);
  const most = sizes[smallest] ?? 0;
  if (most === 0) {
    throw new ConfigError(
      `class ${smallest} of ${dataset.name} has no training images, expected some of each of its ${dataset.classes} classes`,
      'add images of that class, or take it out of the data set',
    );
  }
  if (ipc > most) {
    const images = most === 1 ? 'image' : 'images';
    throw new ConfigError(
      `ipc is ${ipc}, but class ${smallest} of ${dataset.name} has only ${most} training ${images}`,
      `pass --ipc ${most} or less`,
    );
  }
}

/**
 * Refuses what a method cannot do with a data set, before any work.
 *
 * @throws ConfigError naming option, value found and expected, and remedy.
 */
export function checkMethod(config: RunConfig, dataset: Pick<Dataset, 'name' | 'train' | 'classes'>): void {
  checkImagesPerClass(dataset, config.ipc);
  const { count } = dataset.train;
  const { needs } = makeMethod(config, { trainCount: count, startWeight: startWeight(config, dataset) });
  if (needs.realBatch > count) {
    throw new ConfigError(
      `realBatch is ${needs.realBatch}, but ${dataset.name} has only ${count} training images`,
      `pass --real-batch ${count} or less`,
    );
  }
}
