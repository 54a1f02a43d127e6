import { type ForgettingRecord, forgettingSubset, herding, kCenterGreedy } from '@bpc/baselines';
import { InterruptedError } from '@bpc/core';
import type { Dataset } from '../data/dataset.js';
import { checkImagesPerClass } from '../learning/initial-coreset.js';
import type { FeatureSource } from './feature-source.js';

/** How real images are chosen, class by class. */
export const selectionRules = ['herding', 'k-center', 'forgetting'] as const;
/** One of them. */
export type SelectionRule = (typeof selectionRules)[number];

/** What a rule looks at: distances between features, or how often each image was forgotten in training. */
export type SelectionBasis =
  | { readonly rule: 'herding' | 'k-center'; readonly features: FeatureSource }
  | { readonly rule: 'forgetting'; readonly record: ForgettingRecord };

/** What `selectPoints` needs. */
export type SelectPointsOptions = SelectionBasis & {
  readonly dataset: Dataset;
  /** Images per class. */
  readonly ipc: number;
  readonly signal?: AbortSignal;
  /** Classes done, out of all. */
  readonly onProgress?: (done: number, total: number) => void;
};

/**
 * Training images chosen by a rule: class by class, in the order of selection, so that fewer images are the first of each class.
 *
 * The features of one class are in memory at a time. Equal features give equal images; there is no randomness.
 *
 * @throws ConfigError if a class has fewer than `ipc` images, or features are not finite; InterruptedError when aborted.
 */
export async function selectPoints(options: SelectPointsOptions): Promise<Int32Array> {
  const { dataset, ipc, signal, onProgress } = options;
  const { train, classes } = dataset;
  checkImagesPerClass(dataset, ipc);
  if (options.rule === 'forgetting')
    return forgettingSubset({ record: options.record, labels: train.labels, classes, pointsPerClass: ipc }).indices;
  const { rule, features: source } = options;
  const chosen = new Int32Array(classes * ipc);
  for (let label = 0; label < classes; label++) {
    if (signal?.aborted === true)
      throw new InterruptedError(`selection stopped after ${label} classes`, label, 'start the same command again to continue');
    const members = Int32Array.from(train.labels.keys()).filter((i) => train.labels[i] === label);
    const features = { data: await source.read(members), shape: [members.length, source.size] as const };
    const { indices } = rule === 'herding' ? herding({ features, points: ipc }) : kCenterGreedy({ features, points: ipc });
    chosen.set(
      indices.map((place) => members[place] ?? 0),
      label * ipc,
    );
    onProgress?.(label + 1, classes);
    // Selection never waits for anything, so an abort would not arrive without this turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return chosen;
}
