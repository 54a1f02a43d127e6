import { foldIn, hostPermutation, type Key } from '@bpc/core';
import { type Quota, quotaGroups } from './quota.js';
import { chooseInGroups, type Subset, type Weighting } from './subset.js';

/** Options of `randomSubset`. */
export type RandomSubsetOptions = Quota & {
  /** N, how many points there are. */
  readonly count: number;
  readonly key: Key;
  /** Default `'one'`. */
  readonly weighting?: Weighting;
};

/**
 * Points drawn uniformly without replacement, of each class or of all: the control of every comparison.
 *
 * Equal keys give equal points, and fewer points are the first of more.
 *
 * @throws ConfigError for labels outside the classes, or more points than a class or the data have; ShapeError unless there
 * is one label per point.
 * @example
 * ```ts
 * import { key } from '@bpc/core';
 * import { randomSubset } from '@bpc/baselines';
 * const { indices } = randomSubset({ count: 6, labels: [0, 1, 0, 1, 0, 1], classes: 2, pointsPerClass: 2, key: key(0) });
 * console.log(indices.length); // 4: two even numbers, then two odd ones
 * ```
 */
export function randomSubset(options: RandomSubsetOptions): Subset {
  const { count, key, weighting = 'one' } = options;
  return chooseInGroups(quotaGroups(count, options), count, weighting, ({ label, members, wanted }) => {
    // Group −1 (all points) has key 0; class c has key c + 1, so that no two groups share one.
    const order = hostPermutation(foldIn(key, label + 1), members.length);
    return Int32Array.from({ length: wanted }, (_, i) => members[order[i] ?? 0] ?? 0);
  });
}
