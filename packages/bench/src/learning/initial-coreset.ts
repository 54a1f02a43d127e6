import {
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
import { dispose, tensor, tensor1d } from '@tensorflow/tfjs-core';
import type { RunConfig } from '../config/index.js';
import type { Dataset, Normalisation } from '../data/dataset.js';
import { whitenValues } from '../data/to-float.js';
import { checkImagesPerClass } from '../methods/check-method.js';

export { checkImagesPerClass };

const DRAW = 0xd4a3;

/** How a run stores labels: logits when they are learned, so that they stay on the simplex. */
export const labelKind = ({ learnLabels }: Pick<RunConfig, 'learnLabels'>): 'probabilities' | 'logits' =>
  learnLabels ? 'logits' : 'probabilities';

interface InitialOptions {
  readonly init: RunConfig['init'];
  readonly ipc: number;
  readonly seed: number;
  readonly labels: 'probabilities' | 'logits';
  /** Of every point. Default 1. */
  readonly weight?: number;
}

/**
 * The coreset that learning starts from, or a control; `ipc` points per class of equal weights. The caller owns the tensors.
 *
 * `random` draws afresh for every seed; equal seeds draw the same images, so that `--init random` starts from its own
 * `random` row.
 *
 * @throws ConfigError if a class has fewer than `ipc` images, or none.
 */
export function initialCoreset(dataset: Dataset, options: InitialOptions): Coreset {
  const { weight = 1 } = options;
  const coreset = unweighted(dataset, options);
  if (weight === 1) return coreset;
  dispose(coreset.weights);
  return { ...coreset, weights: tensor1d(new Float32Array(coreset.weights.size).fill(weight), 'float32') };
}

function unweighted(dataset: Dataset, { init, ipc, seed, labels }: InitialOptions): Coreset {
  checkImagesPerClass(dataset, ipc);
  const { train, shape, classes, normalisation } = dataset;
  const data: LabelledData = { images: train.images, labels: train.labels, shape, classes, normalisation };
  const targets: TargetFormat = labels === 'logits' ? { kind: 'logits' } : { kind: 'one-hot' };
  const drawKey = foldIn(key(seed), DRAW);
  switch (init) {
    case 'random':
      return whitened(fromRealImages({ data, imagesPerClass: ipc, targets, key: drawKey }), normalisation);
    case 'nearest-mean':
      return whitened(fromNearestMean({ data, imagesPerClass: ipc, targets }), normalisation);
    case 'mix':
      return whitened(fromConvexMixes({ data, imagesPerClass: ipc, targets, key: drawKey }), normalisation);
    case 'noise':
      return fromNoise({ shape, classes, imagesPerClass: ipc, targets, key: drawKey });
  }
}

/** Images of a whitened data set are whitened, too. White noise is as it should be. */
function whitened(coreset: Coreset, normalisation: Normalisation): Coreset {
  if (normalisation.whitening === undefined) return coreset;
  const { x } = coreset;
  const values = whitenValues(Float32Array.from(x.dataSync()), normalisation);
  dispose(x);
  return { ...coreset, x: tensor(values, x.shape, 'float32') };
}
