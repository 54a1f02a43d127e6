import {
  ConfigError,
  type Coreset,
  foldIn,
  fromConvexMixes,
  fromNearestMean,
  fromNoise,
  fromRealImages,
  key,
  type LabelledData,
  type TargetFormat,
} from '@bpc/core';
import type { RunConfig } from '../config/index.js';
import type { Dataset } from '../data/dataset.js';

/**
 * Refuses more images per class than the smallest class has.
 *
 * @throws ConfigError naming class and size.
 */
export function checkImagesPerClass({ name, train, classes }: Dataset, ipc: number): void {
  const sizes = new Uint32Array(classes);
  for (const label of train.labels) sizes[label] = (sizes[label] ?? 0) + 1;
  const smallest = sizes.reduce((best, size, c) => (size < (sizes[best] ?? 0) ? c : best), 0);
  const most = sizes[smallest] ?? 0;
  if (ipc > most) {
    throw new ConfigError(`ipc is ${ipc}, but class ${smallest} of ${name} has only ${most} training images`, `pass --ipc ${most} or less`);
  }
}

const DRAW = 0xd4a3;

/** How a run stores labels: logits when they are learned, so that they stay on the simplex. */
export const labelKind = ({ learnLabels }: Pick<RunConfig, 'learnLabels'>): 'probabilities' | 'logits' =>
  learnLabels ? 'logits' : 'probabilities';

interface InitialOptions {
  readonly init: RunConfig['init'];
  readonly ipc: number;
  readonly seed: number;
  readonly labels: 'probabilities' | 'logits';
}

/**
 * The coreset that learning starts from, or a control; `ipc` points per class, weights 1. The caller owns the tensors.
 *
 * `random` draws afresh for every seed; equal seeds draw the same images, so that `--init random` starts from its own
 * `random` row.
 *
 * @throws ConfigError if a class has fewer than `ipc` images.
 */
export function initialCoreset(dataset: Dataset, { init, ipc, seed, labels }: InitialOptions): Coreset {
  checkImagesPerClass(dataset, ipc);
  const { train, shape, classes, normalisation } = dataset;
  const data: LabelledData = { images: train.images, labels: train.labels, shape, classes, normalisation };
  const targets: TargetFormat = labels === 'logits' ? { kind: 'logits' } : { kind: 'one-hot' };
  const drawKey = foldIn(key(seed), DRAW);
  switch (init) {
    case 'random':
      return fromRealImages({ data, imagesPerClass: ipc, targets, key: drawKey });
    case 'nearest-mean':
      return fromNearestMean({ data, imagesPerClass: ipc, targets });
    case 'mix':
      return fromConvexMixes({ data, imagesPerClass: ipc, targets, key: drawKey });
    case 'noise':
      return fromNoise({ shape, classes, imagesPerClass: ipc, targets, key: drawKey });
  }
}
