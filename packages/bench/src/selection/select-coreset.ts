import type { Dataset } from '../data/dataset.js';
import { toFloat } from '../data/to-float.js';
import type { HostCoreset } from '../evaluation/host-coreset.js';
import { oneHot } from '../experts/batches.js';
import { type SelectPointsOptions, selectPoints } from './select-points.js';

/** Training images as a coreset with one-hot labels and weights 1. */
export function coresetOfPoints({ train, normalisation, shape, classes }: Dataset, indices: Int32Array): HostCoreset {
  return {
    x: toFloat(train, indices, normalisation),
    inputShape: shape,
    y: oneHot(
      indices.map((index) => train.labels[index] ?? 0),
      classes,
    ),
    classes,
    weights: new Float32Array(indices.length).fill(1),
  };
}

/**
 * A coreset of real images chosen by a rule: a baseline that learns nothing.
 *
 * @throws as `selectPoints`.
 * @example
 * ```ts
 * import { getDataset, pixelFeatures, selectCoreset } from '@bpc/bench';
 * const dataset = await getDataset('digits');
 * const coreset = await selectCoreset({ dataset, ipc: 1, rule: 'herding', features: pixelFeatures(dataset) });
 * console.log(coreset.weights.length); // 10
 * ```
 */
export async function selectCoreset(options: SelectPointsOptions): Promise<HostCoreset> {
  return coresetOfPoints(options.dataset, await selectPoints(options));
}
